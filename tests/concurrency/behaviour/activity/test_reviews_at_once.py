"""Two makers who review the same held records at once: one decides, and the records count once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.sources import rule
from tests.integration.behaviour.activity.town import build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import HeldDecided
from tanpuhui.behaviour.activity.operations import decide_held, settle_day
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.quantities import Grams

pytestmark = pytest.mark.concurrency
DAY = date(2026, 11, 18)


def test_of_two_reviews_at_once_one_decides_and_the_records_count_once(
    committed_database: CommittedDatabase, now: datetime
) -> None:
    town = build(subjects=("S1",))
    rule("intake.distance_km_max", "5", "bus")
    town.post(csv(bus("R1"), bus("R2")), at=now)
    (held,) = queries.held_sets()

    def decide(person: str) -> Any:
        decided = decide_held(
            actor=Actor(kind="user", id=person, grants=(Grant(role=Role.MAKER, area="990000"),)), at=now,
            waiting_ids=(held.id,), refuse_all=False, opinion="核实", idempotency_key=person,
        )  # fmt: skip
        settle_day(actor=SYSTEM, at=now, day=DAY)
        return decided

    results = committed_database.run_together(lambda: decide("7"), lambda: decide("8"))
    assert sorted(type(one).__name__ for one in results) == [HeldDecided.__name__, "HeldReviewed"]
    settle_day(actor=SYSTEM, at=now, day=DAY)
    assert ledger.balance(town.accounts["S1"]).grams == Grams(2 * 436)
    assert list(queries.breaches()) == []
