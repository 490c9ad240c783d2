"""The report of a batch names every row that was not counted in full, the clipped ones with asked and granted."""

from __future__ import annotations

import csv as comma
import json
from datetime import datetime
from decimal import Decimal

import pytest
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))


def test_clipped_rows_stand_among_the_others_in_csv_and_json(town: Town, now: datetime) -> None:
    rides = [bus(f"R{hour}", started=f"2026-11-18T{hour:02d}:00:00+08:00") for hour in range(8, 16)]
    rides.insert(7, bus("=cmd()", started="2026-11-18T14:30:00+08:00"))
    batch_id = town.post(csv(*rides), at=now).batch_id
    found = [(row.row_number, row.verdict, row.asked, row.granted) for row in queries.batch_rows(batch_id)]
    assert [(number, verdict) for number, verdict, _, _ in found] == [
        (8, "clipped"),
        (9, "rejected"),
        (10, "clipped"),
    ]
    assert [(asked, Decimal(granted)) for _, verdict, asked, granted in found if verdict == "clipped"] == [
        ("1", Decimal(0)),
        ("1", Decimal(0)),
    ]
    lines = list(comma.DictReader(queries.batch_report_csv(batch_id, locale="en")))
    assert [line["reason"] for line in lines] == ["CLIPPED_BY_CAP", "FORMULA_CELL", "CLIPPED_BY_CAP"]
    assert lines[1]["value"] == "'=cmd()"
    report = json.loads("".join(queries.batch_report_json(batch_id, locale="en")))
    assert report["format"] == "tanpuhui-batch-report/1"
    assert [one["row_number"] for one in report["outcomes"]] == [8, 9, 10]
    assert sum(report["verdicts"].values()) == report["rows"] == 9


def test_a_batch_that_was_counted_in_full_has_no_rows(town: Town, now: datetime) -> None:
    batch_id = town.post(csv(bus("R1")), at=now).batch_id
    assert list(queries.batch_rows(batch_id)) == []
    assert json.loads("".join(queries.batch_report_json(batch_id)))["outcomes"] == []
