"""Keys of its own for every test of the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANPUHUI_KEY_RING", raising=False)
    settings.TANPUHUI_DATA_DIR = tmp_path
