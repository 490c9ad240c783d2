"""Conditions of check constraints on columns that are read as quantities."""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import RawSQL


def holds(condition: str) -> RawSQL:
    """Return an SQL condition as an expression: quantities are not plain numbers in Python, so Q() cannot compare them.

    The text is a constant of the code, never input.
    """
    return RawSQL(condition, (), output_field=models.BooleanField())  # noqa: S611  a constant
