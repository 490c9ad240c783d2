"""How a row comes to be wrong in a test: written with the triggers off, as only the owner role can."""

from __future__ import annotations

from django.db import connection


def corrupt(statement: str) -> None:
    """Run one statement past every trigger, then put the triggers back."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("set local session_replication_role = origin")
