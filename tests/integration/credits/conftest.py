"""A project, its owner, a verifier, a maker and a checker, a buyer: everybody between a pool and a certificate."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.credits_cast import CreditsCast, assemble


@pytest.fixture
def cast(db: None, now: datetime, invented_jurisdiction: Path, settings: Settings) -> CreditsCast:
    """Assemble the cast inside the test's transaction."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    return assemble(at=now, folder=invented_jurisdiction)
