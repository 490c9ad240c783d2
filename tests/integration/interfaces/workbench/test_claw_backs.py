"""Claw-back and disowned records on the desk: the form, what the case says, who sees the trips."""

from __future__ import annotations

import re
from typing import cast

import pytest
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_scenario_pages import decided, english, number, post
from tests.integration.interfaces.workbench.two_cities import two_cities

from tanpuhui.behaviour.carbon_accounts import queries as accounts

pytestmark = pytest.mark.django_db


def test_records_are_named_on_the_page_and_taken_back_by_another_person(desk: Desk) -> None:
    desk.send(desk.rides(4))
    maker, checker = desk.client("maker"), desk.client("checker")
    scenario = maker.get(reverse("workbench:scenario", args=["bus"])).content.decode()
    address = reverse("workbench:scenario-claw-back", args=["bus"])
    assert address in scenario
    assert checker.get(address).status_code == 403
    data: dict[str, object] = {
        "partner": desk.partner_id,
        "lines": "2026-10-01,r0\n2026-10-01,r1\n2026-10-01,nobody\nnonsense",
        "ground": "终端故障，重复上报",
    }
    case_id = number(post(maker, "scenario-claw-back", ["bus"], data, "p"))
    page = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    for words in ("终端故障，重复上报", "没有冲回的行", "没有这条已入账的记录", "nonsense"):
        assert words in page, words
    facts = re.sub(r"<[^>]+>|\s+", "", page)
    assert "涉及人数2" in facts
    assert "其中一时扣不回没有" in facts
    assert decided(checker, case_id, "approve", "a") == "approved"


def test_a_form_that_names_nothing_says_what_to_do(desk: Desk) -> None:
    desk.send(desk.rides(2))
    address = reverse("workbench:scenario-claw-back", args=["bus"])
    given = {"partner": desk.partner_id, "lines": "2026-10-01,nobody", "ground": "x", "idempotency_key": "k"}
    refused = desk.client("maker").post(address, given)
    assert refused.status_code == 409
    assert "没有可以冲回的记录" in refused.content.decode()


def test_the_form_speaks_english(desk: Desk) -> None:
    assert "Take records back" in english(
        desk, reverse("workbench:scenario-claw-back", args=["bus"]), "maker"
    )


def test_the_trips_of_a_disowned_record_are_for_those_who_examine_it(desk: Desk) -> None:
    here, there = two_cities(desk)
    desk.users["own"] = here.users["subcentre:maker"]
    desk.users["other"] = there.users["subcentre:maker"]
    disowning_id = cast("int", here.things["disowning_id"][0])
    case_id = accounts.disowning(disowning_id).case_id
    page = desk.client("own").get(f"/w/cases/{case_id}").content.decode()
    for words in ("否认的记录", f"/w/disownings/{disowning_id}/record", "那天没有坐车"):
        assert words in page, words
    assert here.mark in desk.client("own").get(f"/w/disownings/{disowning_id}/record").content.decode()
    assert desk.client("other").get(f"/w/disownings/{disowning_id}/record").status_code == 404
    lines = desk.client("regulator").get(f"/w/audit/disclosures?subject=record_disowning:{disowning_id}")
    assert "核实否认的记录" in lines.content.decode()
