"""What every test stands on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture
def now() -> datetime:
    """Give one fixed moment, so that no test depends on the clock."""
    return datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
