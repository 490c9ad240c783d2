from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.province import Province


@pytest.fixture(scope="session")
def installation() -> Iterator[Province]:
    """Give one installation for all faults; it lies where the server's own account can reach it."""
    folder = Path(tempfile.mkdtemp(prefix="tph-faults-"))
    folder.chmod(0o755)
    province = Province(folder=folder, cluster=None)  # type: ignore[arg-type]
    try:
        province = Province.found(folder)
        yield province
    finally:
        province.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def province(installation: Province) -> Iterator[Province]:
    """Give the installation with nobody at work, and leave nobody behind."""
    yield installation
    for process in tuple(installation.processes):
        installation.end(process)
