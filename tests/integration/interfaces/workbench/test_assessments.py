"""An impact assessment is submitted on the scenario's page, stands on its case, and the page says where none is."""

from __future__ import annotations

import pytest
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_scenario_pages import decided, english, number, post

pytestmark = pytest.mark.django_db


def test_from_the_scenario_to_the_decision(desk: Desk) -> None:
    maker, checker = desk.client("maker"), desk.client("checker")
    scenario = reverse("workbench:scenario", args=["bus"])
    page = maker.get(scenario).content.decode()
    assert ("还没有影响评估" in page, reverse("workbench:scenario-assess", args=["bus"]) in page) == (
        True,
        True,
    )
    data: dict[str, object] = {
        "necessity": "只处理核算所需",
        "impact": "可能推知出行习惯",
        "measures": "加密、到期删除",
        "assessed_on": "2026-11-19",
    }
    case_id = number(post(maker, "scenario-assess", ["bus"], data, "p"))
    shown = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    for words in ("可能推知出行习惯", "2029-11-19"):
        assert words in shown, words
    assert decided(checker, case_id, "approve", "a") == "approved"
    page = checker.get(scenario).content.decode()
    assert ("通过" in page, "2029-11-19" in page) == (True, True)
    assert checker.get(reverse("workbench:scenario-assess", args=["bus"])).status_code == 403


def test_a_day_that_is_still_to_come_is_refused_with_the_reason(desk: Desk) -> None:
    data = {
        "necessity": "x",
        "impact": "x",
        "measures": "x",
        "assessed_on": "2027-01-01",
        "idempotency_key": "k",
    }
    answer = desk.client("maker").post(reverse("workbench:scenario-assess", args=["bus"]), data)
    assert (answer.status_code, "评估日期还没有到" in answer.content.decode()) == (422, True)


def test_the_form_speaks_english(desk: Desk) -> None:
    assert "Impact assessment" in english(desk, reverse("workbench:scenario-assess", args=["bus"]), "maker")
