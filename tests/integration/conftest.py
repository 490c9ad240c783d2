"""The whole story of the invented province, told once on committed transactions for the tests that only look at it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import override_settings
from rich.console import Console
from tests.concurrency.conftest import _clone, _drop, migrated_template

from tanpuhui.config import wiring
from tanpuhui.interfaces.commands.demonstration.story import Memory, tell

__all__ = ["migrated_template", "story", "told_story"]

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 20)


@dataclass(frozen=True, kw_only=True)
class Story:
    """Where the story stands: its database, its data folder, the jurisdiction it plays in, and what was said."""

    database: str
    data: Path
    jurisdiction: Path
    memory: Memory
    said: str

    @contextmanager
    def entered(self) -> Iterator[None]:
        with _pointed_at(self.database), _placed(self.jurisdiction, self.data):
            yield


@pytest.fixture(scope="session")
def told_story(
    migrated_template: str,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    invented_jurisdiction: Path,
) -> Iterator[Story]:
    """Tell it, from rules to certificate, through operations and journeys; nothing of a real province is named."""
    data = tmp_path_factory.mktemp("story")
    with told(invented_jurisdiction, migrated_template, data, django_db_blocker) as story:
        yield story


@contextmanager
def told(jurisdiction: Path, template: str, data: Path, django_db_blocker: Any) -> Iterator[Story]:
    """Tell the story of a jurisdiction in a database of its own, which is dropped at the end."""
    name = f"{template}_clone_{uuid.uuid4().hex[:8]}"
    with django_db_blocker.unblock():
        connections.close_all()
        with connection._nodb_cursor() as server:
            _clone(server, template, name)
        console = Console(file=io.StringIO(), width=120)
        try:
            with _pointed_at(name), _placed(jurisdiction, data):
                wiring.install()
                memory = tell(
                    folder=jurisdiction,
                    methodologies=ROOT / "methodologies",
                    memory_path=data / "demonstration.json",
                    today=TODAY,
                    console=console,
                )
            assert isinstance(console.file, io.StringIO)
            said = console.file.getvalue()
            yield Story(database=name, data=data, jurisdiction=jurisdiction, memory=memory, said=said)
        finally:
            connections.close_all()
            with connection._nodb_cursor() as server:
                _drop(server, name)


@pytest.fixture
def story(told_story: Story, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Enter the story for one test. Who changes something rolls it back."""
    monkeypatch.delenv("TANPUHUI_KEY_RING", raising=False)
    with django_db_blocker.unblock(), told_story.entered():
        yield told_story


@contextmanager
def _pointed_at(name: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connections.close_all()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before


@contextmanager
def _placed(jurisdiction: Path, data: Path) -> Iterator[None]:
    with override_settings(TANPUHUI_JURISDICTION_DIR=jurisdiction, TANPUHUI_DATA_DIR=data):
        yield
