"""A partner's systems read what became of its records: nothing missed, nothing twice, in one order that never changes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings
from tests.integration.behaviour.activity.revision import adjust_all, approved, bus_version, revised_bus
from tests.integration.behaviour.activity.sources import DAY, THEN, compared_town, ride, source
from tests.integration.behaviour.activity.town import LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.exceptions import CLAWED_BACK, RecordRef
from tanpuhui.behaviour.activity.models import Posting, ResultPart
from tanpuhui.behaviour.activity.operations import (
    erase_traces,
    exclude_records,
    number_results,
    reinstate_records,
    settle_day,
)
from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    issue_api_key,
    register_organisation,
    withdraw_consent,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None, now: datetime, settings: Settings, invented_jurisdiction: Path) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    town = build(subjects=("S1", "S2"))
    town.post(csv(bus("R1"), bus("R2", "S2"), bus("R3", distance="-1"), bus("R4", distance="1")), at=now)
    return town


def client_of(partner_id: int) -> Client:
    key = issue_api_key(actor=SYSTEM, at=LONG_AGO, organisation_id=partner_id, name="production").key
    return Client(headers={"authorization": f"Bearer {key}"})


def number(now: datetime) -> int:
    return number_results(actor=SYSTEM, at=now).parts


def read(client: Client, after: str = "", limit: int = 1_000) -> dict[str, Any]:
    answer = client.get(f"/api/v1/results?after={after}&limit={limit}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json.loads(answer.content)
    return found


def told(page: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    return [(one["record_id"], one["state"], one["reason"], one["grams"]) for one in page["results"]]


def test_what_counted_and_what_did_not_is_told_with_grams_and_reasons(town: Town, now: datetime) -> None:
    partner = client_of(town.partner_id)
    assert read(partner) == {"results": [], "next": "1.0", "more": False}, "nothing has a number yet"
    assert number(now) == 2
    page = read(partner)
    assert sorted(told(page)) == [
        ("", "not_counted", "NEGATIVE_DISTANCE", 0),
        ("R1", "counted", "", 436),
        ("R2", "counted", "", 436),
        ("R4", "counted", "", 52),
    ]
    rejected = next(one for one in page["results"] if one["state"] == "not_counted")
    assert (rejected["row_number"], rejected["day"], rejected["scenario"]) == (4, None, "")
    counted = next(one for one in page["results"] if one["record_id"] == "R1")
    assert (counted["day"], counted["scenario"], counted["methodology"]) == ("2026-11-18", "bus", "A01 1.0")
    assert number(now) == 0
    assert not queries.results_to_number()
    assert read(partner, page["next"]) == {"results": [], "next": page["next"], "more": False}


def test_pages_of_any_length_are_the_whole(town: Town, now: datetime) -> None:
    town.post(
        csv(*(bus(f"X{n}", started=f"2026-11-17T{n % 24:02}:00:00+08:00") for n in range(20))),
        at=now,
        key="k2",
    )
    number(now)
    partner = client_of(town.partner_id)
    whole = told(read(partner))
    assert len(whole) == 24
    for limit in (1, 3, 7):
        found, after = [], ""
        while True:
            page = read(partner, after, limit)
            assert len(page["results"]) <= limit
            found += told(page)
            after = page["next"]
            if not page["more"]:
                break
        assert found == whole


def test_what_changes_later_follows_and_the_last_line_of_a_record_holds(town: Town, now: datetime) -> None:
    number(now)
    partner = client_of(town.partner_id)
    after = read(partner)["next"]
    posting_id = Posting.objects.get().pk
    ref = RecordRef(posting_id=posting_id, row=2)
    exclude_records(actor=SYSTEM, at=now, records=(ref,), reason=CLAWED_BACK)
    assert number(now) == 1
    page = read(partner, after)
    assert told(page) == [("R1", "taken_back", CLAWED_BACK, 0)]
    reinstate_records(actor=SYSTEM, at=now, records=(ref,), reason="APPEAL_UPHELD")
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.078")))
    number(now + timedelta(hours=1))
    page = read(partner, page["next"])
    assert told(page)[0] == ("R1", "reinstated", "APPEAL_UPHELD", 436)
    assert sorted(told(page)[1:]) == [
        ("R1", "recalculated", "", 218),
        ("R2", "recalculated", "", 218),
        ("R4", "recalculated", "", 26),
    ]
    assert list(queries.breaches()) == []


def test_what_a_settlement_did_not_count_is_told_to_its_sender(db: None, now: datetime) -> None:
    town = compared_town()
    one, two = source(town, 1, 1), source(town, 2, 2)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    two.post(ride(two, "B1", "08:02", "08:33"), at=now - timedelta(hours=29))
    number(now)
    senders = [client_of(each.partner_id) for each in (one, two)]
    assert [told(read(each)) for each in senders] == [[], []], "what waits has no result yet"
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    number(now)
    assert told(read(senders[0])) == [("A1", "counted", "", 436)]
    assert told(read(senders[1])) == [("B1", "not_counted", "SAME_RIDE_OTHER_PARTNER", 0)]


def test_another_partner_reads_nothing_of_it_and_a_wrong_cursor_is_refused(town: Town, now: datetime) -> None:
    number(now)
    other = register_organisation(
        actor=SYSTEM, at=LONG_AGO, kind=OrganisationKind.PARTNER, name="别家", name_en="Other",
        uscc=complete_uscc("91990000", "MA000009"), area="990100",
    ).organisation_id  # fmt: skip
    assert read(client_of(other))["results"] == []
    for wrong in ("x", "0", "1.x", "-1"):
        answer = client_of(town.partner_id).get(f"/api/v1/results?after={wrong}")
        assert (answer.status_code, answer.json()["code"]) == (422, "CURSOR_INVALID")


def test_of_erased_records_nothing_is_said(town: Town, now: datetime) -> None:
    number(now)
    partner = client_of(town.partner_id)
    person = Actor(kind="user", id=str(town.users["S1"]), grants=(Grant(role=Role.CITIZEN, area="990102"),))
    withdraw_consent(actor=person, at=now, user_id=town.users["S1"], scenario="bus")
    erase_traces(actor=person, at=now, user_id=town.users["S1"], scenario="bus", idempotency_key="e")
    assert [one for one in told(read(partner)) if one[0]] == [("R2", "counted", "", 436)]


def test_a_gap_in_the_numbers_and_a_part_of_another_partner_are_found(town: Town, now: datetime) -> None:
    number(now)
    assert list(queries.breaches()) == []
    with connection.cursor() as cursor:
        cursor.execute("alter table activity_result_part disable trigger user")
        cursor.execute("update activity_result_part set number = 9 where number = 2")
        cursor.execute("update activity_result_part set partner_id = 99999 where posting_id > 0")
    names = {one.invariant for one in queries.breaches()}
    assert names == {"activity.results_have_no_gap", "activity.results_are_the_partners_own"}
    assert ResultPart.objects.count() == 2
