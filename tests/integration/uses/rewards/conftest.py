from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.rewards_market import Market, open_market


@pytest.fixture
def market(
    db: None, now: datetime, invented_jurisdiction: Path, settings: Settings, tmp_path: Path
) -> Market:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    return open_market(at=now, folder=invented_jurisdiction)
