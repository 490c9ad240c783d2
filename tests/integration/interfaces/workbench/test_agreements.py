"""Agreements on the desk: proposed on a page, confirmed by the partner, decided by another person; seen by those concerned."""

from __future__ import annotations

from typing import cast

import pytest
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_scenario_pages import decided, english, number, post
from tests.integration.interfaces.workbench.two_cities import two_cities

pytestmark = pytest.mark.django_db


def data(desk: Desk) -> dict[str, object]:
    return {
        "partner": desk.partner_id,
        "number": "DA-2026-1",
        "scenarios": ["bus"],
        "fields_": "刷卡时间\n上车站\n",
        "purpose": "核算公交出行减排量",
        "legal_basis": "政务数据共享条例",
        "valid_from": "2026-11-01",
        "valid_to": "2027-10-31",
    }


def test_from_the_form_to_an_agreement_that_holds_and_its_early_end(desk: Desk) -> None:
    maker, checker, partner = desk.client("maker"), desk.client("checker"), desk.client("partner")
    case_id = number(post(maker, "new-agreement", [], data(desk), "p"))
    page = partner.get(reverse("workbench:case", args=[case_id])).content.decode()
    for words in ("DA-2026-1", "刷卡时间、上车站", "核算公交出行减排量"):
        assert words in page, words
    assert decided(partner, case_id, "confirm", "c") == "confirmed"
    assert decided(checker, case_id, "approve", "a") == "agreed"
    listed = partner.get(reverse("workbench:agreements")).content.decode()
    assert ("DA-2026-1" in listed, "有效" in listed) == (True, True)
    assert (
        "DA-2026-1" not in desk.client("other_partner").get(reverse("workbench:agreements")).content.decode()
    )
    address = listed.partition('href="/w/agreements/')[2].partition('"')[0]
    assert "提前终止" in maker.get(f"/w/agreements/{address}").content.decode()
    assert "提前终止" not in partner.get(f"/w/agreements/{address}").content.decode()
    ending = {"last_day": "2026-11-30", "reason": "场景调整"}
    end_id = number(post(maker, "end-agreement", [int(address)], ending, "e").replace("/w/agreements", ""))
    assert decided(checker, end_id, "approve", "ea") == "ended"
    assert "2026-11-30" in partner.get(f"/w/agreements/{address}").content.decode()


@pytest.mark.parametrize("name", ["agreements", "new-agreement"])
def test_the_pages_speak_english(desk: Desk, name: str) -> None:
    assert "agreement" in english(desk, reverse(f"workbench:{name}"), "maker").lower()


def test_another_city_sees_nothing_of_it(desk: Desk) -> None:
    here, there = two_cities(desk)
    desk.users["own"], desk.users["other"] = here.users["subcentre:maker"], there.users["subcentre:maker"]
    agreement_id = cast("int", here.things["agreement_id"][0])
    assert here.mark in desk.client("own").get(f"/w/agreements/{agreement_id}").content.decode()
    assert desk.client("other").get(f"/w/agreements/{agreement_id}").status_code == 404
    assert desk.client("other").get(f"/w/agreements/{agreement_id}/end").status_code == 404
