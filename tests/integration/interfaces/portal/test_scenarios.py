"""The public register of scenarios: class with its source, how each stands and why, who sends which data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from tests.integration.behaviour.activity.test_admission import submit, to_notice
from tests.integration.behaviour.activity.test_standing import change
from tests.integration.behaviour.activity.town import DEMONSTRATION, HUANGHAI, Town, build, file_methodology

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import end_notices

pytestmark = pytest.mark.django_db


@pytest.fixture
def live(
    db: None, settings: Settings, now: datetime, invented_jurisdiction: Path, monkeypatch: pytest.MonkeyPatch
) -> Town:
    """Take a scenario live through its case, and look a week later."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    town = build(subjects=(), scenarios=(), with_accounts=False)
    load_jurisdiction(actor=SYSTEM, at=now, folder=HUANGHAI, packs=("base", "demonstration"))
    file_methodology("a01-bus", parameter_set=DEMONSTRATION)
    application_id, case_id = submit(town, now)
    to_notice(town, application_id, case_id, now)
    end_notices(at=now + timedelta(days=7))
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=8))
    return town


def text(address: str, language: str = "zh-hans") -> str:
    answer = Client(headers={"accept-language": language}).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_anybody_reads_what_counts_of_which_class_and_who_sends_it(live: Town) -> None:
    listed = text("/scenarios")
    for said in ("公交", "日常场景", "灯塔出行", "运行中", "能否产生核证减排量：未确定"):
        assert said in listed
    shown = text("/scenarios/bus")
    for said in ("distance_km", "核算", "A01", "上线以来没有变更"):
        assert said in shown
    assert "Everyday scenario" in text("/scenarios", "en")


def test_a_suspension_says_since_when_and_why(
    live: Town, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = now + timedelta(days=8)
    change(later, "suspended", date(2026, 11, 30))
    monkeypatch.setattr(timezone, "now", lambda: later + timedelta(days=4))
    shown = text("/scenarios/bus")
    assert "2026-11-30" in shown
    assert "暂停" in shown
    assert "数据异常，核查中" in shown


def test_a_scenario_that_is_not_there_is_missing(live: Town) -> None:
    assert Client().get("/scenarios/nothing").status_code == 404


def test_without_scenarios_the_page_says_what_will_stand_there(db: None) -> None:
    assert "还没有上线的场景" in text("/scenarios")
