"""A partner reconciles a day: totals and a line a record agree with the books, now and after something was taken back."""

from __future__ import annotations

import csv as csv_format
import io
import json
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.integration.behaviour.activity.sources import rule
from tests.integration.behaviour.activity.town import CITY, LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.exceptions import RecordRef
from tanpuhui.behaviour.activity.operations import exclude_records, gather_pushed, post_batch, push_records
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import OrganisationKind, issue_api_key, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.identifiers import complete_uscc

pytestmark = pytest.mark.django_db
SENT = date(2026, 11, 20)


@pytest.fixture
def town(db: None, own_folder: object, now: datetime) -> Town:
    """A town whose partner sent a file and pushed a record on one day, and another file on the next."""
    town = build(subjects=("S1", "S2"))
    rule("intake.settle_days", "9", "bike")
    bike = f"B1,S1,bike,2026-11-19T08:00:00+08:00,2026-11-19T08:10:00+08:00,{CITY},2.5,600,bike"
    town.post(csv(bus("R1"), bus("R2", "S2"), bus("R3", distance="-1"), bike), at=now)
    record: dict[str, object] = {
        "record_id": "P1", "subject": "S1", "scenario": "bus", "started_at": "2026-11-18T09:00:00+08:00",
        "area": CITY, "distance_km": "8.4",
    }  # fmt: skip
    push_records(
        actor=town.partner, at=now, idempotency_key="p", partner_id=town.partner_id, records=[record]
    )
    gathered = gather_pushed(actor=SYSTEM, at=now, partner_id=town.partner_id)
    assert gathered.batch_id is not None
    post_batch(actor=SYSTEM, at=now, batch_id=gathered.batch_id)
    town.post(csv(bus("R9")), at=now + timedelta(days=1), key="k9")
    return town


def lines(town: Town, day: date = SENT) -> list[dict[str, str]]:
    text = "".join(queries.reconciliation_csv(partner_id=town.partner_id, day=day))
    return list(csv_format.DictReader(io.StringIO(text)))


def test_every_row_of_the_day_has_one_line_and_the_totals_are_those_of_the_lines(town: Town) -> None:
    found = queries.reconciliation(partner_id=town.partner_id, day=SENT)
    rows = lines(town)
    assert (found.rows, len(found.batches), len(rows)) == (5, 2, 5)
    assert Counter(row["verdict"] for row in rows) == Counter({k: n for k, n in found.verdicts.items() if n})
    assert sum(int(row["grams"]) for row in rows) == found.grams.value
    assert {row["record_id"]: row["verdict"] for row in rows} == {
        "R1": "counted", "R2": "counted", "P1": "counted", "B1": "waiting", "": "rejected",
    }  # fmt: skip
    assert [row["reason"] for row in rows if row["verdict"] == "rejected"] == ["NEGATIVE_DISTANCE"]
    assert [row["record_id"] for row in lines(town, SENT + timedelta(days=1))] == ["R9"]


def test_what_was_taken_back_since_gives_nothing_now(town: Town, now: datetime) -> None:
    before = {row["record_id"]: int(row["grams"]) for row in lines(town)}
    (record,) = (
        one
        for one in queries.records_of_account(
            account_id=town.accounts["S2"], first_day=date(2026, 11, 1), last_day=SENT
        )
        if one.record_id == "R2"
    )
    ref = RecordRef(posting_id=record.posting_id, row=record.row)
    exclude_records(actor=SYSTEM, at=now, records=(ref,), reason="DUPLICATE_ACROSS_DAYS")
    after = {row["record_id"]: (row["verdict"], int(row["grams"])) for row in lines(town)}
    assert after["R2"] == ("taken_back", 0)
    assert after["R1"] == ("counted", before["R1"])
    held = ledger.balance(town.accounts["S1"]).grams + ledger.balance(town.accounts["S2"]).grams
    assert sum(grams for _, grams in after.values()) == held.value - before["R1"], "the file of the next day"


def get(client: Client, partner_id: int, path: str) -> Any:
    key = issue_api_key(actor=SYSTEM, at=LONG_AGO, organisation_id=partner_id, name="系统").key
    return client.get(f"/api/v1/reconciliation/{path}", headers={"Authorization": f"Bearer {key}"})


def test_a_partner_reads_its_own_day_over_the_interface(town: Town, client: Client) -> None:
    said = get(client, town.partner_id, f"{SENT}").json()
    assert (said["rows"], len(said["batches"])) == (5, 2)
    assert said["records_csv_url"].endswith(f"/api/v1/reconciliation/{SENT}/records.csv")
    sent = get(client, town.partner_id, f"{SENT}/records.csv")
    assert sent["Content-Type"].startswith("text/csv")
    assert b"".join(sent.streaming_content).decode().count("\r\n") == 6
    assert get(client, town.partner_id, "yesterday").status_code == 422


def test_another_partner_reads_nothing_of_it(town: Town, client: Client) -> None:
    other = register_organisation(
        actor=SYSTEM, at=LONG_AGO, kind=OrganisationKind.PARTNER, name="别家", name_en="Another",
        uscc=complete_uscc("91990000", "MA000777"), area="990100",
    ).organisation_id  # fmt: skip
    said = get(client, other, f"{SENT}")
    assert json.loads(said.content)["rows"] == 0


def test_days_on_which_something_was_sent_are_listed_newest_first(town: Town) -> None:
    last = SENT + timedelta(days=2)
    found = queries.reconciliations(partner_id=town.partner_id, last_day=last, days=62)
    assert [(one.day, one.rows) for one in found] == [(SENT + timedelta(days=1), 1), (SENT, 5)]
    assert found[1] == queries.reconciliation(partner_id=town.partner_id, day=SENT)
    (newest,) = queries.reconciliations(partner_id=town.partner_id, last_day=last, days=2)
    assert newest.day == SENT + timedelta(days=1)
