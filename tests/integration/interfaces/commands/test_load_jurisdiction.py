"""`tanpuhui load-jurisdiction` brings what an updated folder has and the database has not, and changes nothing that is in force."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tanpuhui.foundation.identity.queries import SCENARIO, consent_text
from tanpuhui.foundation.messages.models import Template
from tanpuhui.foundation.messages.queries import template_in_force
from tanpuhui.foundation.rulebook.models import ProcessVersion
from tanpuhui.interfaces.commands import load_jurisdiction

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, invented_jurisdiction: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "province"
    shutil.copytree(invented_jurisdiction, copy)
    settings.TANPUHUI_JURISDICTION_DIR = copy
    return copy


def test_what_is_new_is_loaded_and_a_second_run_loads_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = [
        folder / "messages" / "record_taken_back.yaml",
        folder / "processes" / "record_claw_back.yaml",
        folder / "consents" / "scenario-2026-1.yaml",
    ]
    kept = {path: path.read_bytes() for path in moved}
    for path in moved:
        path.unlink()
    assert load_jurisdiction.main([]) == 0
    before = (Template.objects.count(), ProcessVersion.objects.count())
    for path, content in kept.items():
        path.write_bytes(content)
    capsys.readouterr()

    assert load_jurisdiction.main(["--lang", "en"]) == 0

    assert "1 process versions, 1 wordings, 1 consent texts" in capsys.readouterr().out
    assert consent_text(SCENARIO, at=timezone.now()).version == "2026-1"
    assert (Template.objects.count(), ProcessVersion.objects.count()) == (before[0] + 1, before[1] + 1)
    assert template_in_force("records.taken_back", at=timezone.now()).title_zh
    assert load_jurisdiction.main([]) == 0
    assert "流程版本 0，消息措辞 0，同意文本 0" in capsys.readouterr().out


def test_a_folder_that_changes_what_is_in_force_is_refused_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_jurisdiction.main([]) == 0
    path = folder / "messages" / "record_taken_back.yaml"
    path.write_text(path.read_text("utf-8").replace("有减排记录被冲回", "另一句话"), "utf-8")
    new = folder / "processes" / "another.yaml"
    new.write_text(
        (folder / "processes" / "record_claw_back.yaml")
        .read_text("utf-8")
        .replace("record_claw_back", "another"),
        "utf-8",
    )
    assert load_jurisdiction.main([]) == 2
    assert "records.taken_back" in capsys.readouterr().err
    assert not ProcessVersion.objects.filter(process="another").exists()
