"""Pushes, gatherings and settlements that meet: each record one row, each row one verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.sources import rule
from tests.integration.behaviour.activity.town import CITY, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import DaySettlement, PushedRecord
from tanpuhui.behaviour.activity.operations import gather_pushed, post_batch, push_records, settle_day
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.persistence.locks import Busy

pytestmark = pytest.mark.concurrency
DAY = date(2026, 11, 18)
THEN = datetime(2026, 11, 19, 16, 10, tzinfo=UTC)


@pytest.fixture
def town(committed_database: CommittedDatabase) -> Town:
    return build(subjects=("S1",))


def ride(record_id: str) -> dict[str, object]:
    return {
        "record_id": record_id, "subject": "S1", "scenario": "bus", "started_at": "2026-11-18T08:00:00+08:00",
        "area": CITY, "distance_km": "8.4",
    }  # fmt: skip


def test_one_push_sent_twice_at_once_and_gathered_twice_at_once_counts_once(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    def push(key: str, *records: str) -> Any:
        return push_records(
            actor=town.partner, at=now, idempotency_key=key, partner_id=town.partner_id,
            records=[ride(one) for one in records],
        )  # fmt: skip

    results = committed_database.run_together(
        lambda: push("k1", "P1", "P2"), lambda: push("k1", "P1", "P2"), lambda: push("k2", "P2", "P3")
    )
    assert not [one for one in results if isinstance(one, BaseException)], results
    assert PushedRecord.objects.count() == 3

    def gather() -> Any:
        return gather_pushed(actor=SYSTEM, at=now, partner_id=town.partner_id)

    gathered = committed_database.run_together(gather, gather)
    assert sorted(one.records for one in gathered) == [0, 3]
    (batch_id,) = {one.batch_id for one in gathered} - {None}
    post_batch(actor=SYSTEM, at=now, batch_id=batch_id)
    assert ledger.balance(town.accounts["S1"]).grams == Grams(3 * 436)
    assert list(queries.breaches()) == []


def test_a_day_settled_twice_at_once_beside_a_late_file_ends_with_one_credit_a_record(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    rule("intake.settle_days", "2", "bus")
    town.post(csv(bus("R1"), bus("R2")), at=now - timedelta(hours=30))
    late = town.receive(csv(bus("R2"), bus("R3")), at=THEN, key="late")

    def settle() -> Any:
        return settle_day(actor=SYSTEM, at=THEN, day=DAY)

    results = committed_database.run_together(
        settle, settle, lambda: post_batch(actor=SYSTEM, at=THEN, batch_id=late)
    )
    assert not [one for one in results if isinstance(one, BaseException) and not isinstance(one, Busy)]
    for _ in range(2):  # whoever was too busy is tried again, as its task would be
        post_batch(actor=SYSTEM, at=THEN, batch_id=late)
        settle()
    assert ledger.balance(town.accounts["S1"]).grams == Grams(3 * 436)
    assert sum(one.counted for one in DaySettlement.objects.all()) == 3
    assert list(queries.breaches()) == []
