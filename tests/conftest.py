"""What every test stands on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from tanpuhui.config.wiring import install

# A slow example on a busy machine is no fault of the product: nothing here is judged by the clock.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def now() -> datetime:
    """Give one fixed moment, so that no test depends on the clock."""
    return datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def invented_jurisdiction() -> Path:
    """Give the folder of a jurisdiction that does not exist, so that nothing depends on a real one."""
    return Path(__file__).parent / "jurisdictions" / "huanghai"


@pytest.fixture(autouse=True)
def _own_wiring() -> Iterator[None]:
    """Begin every test with the product's wiring, whatever an earlier test put in its place."""
    install()
    yield
    install()
