"""Grams that were pooled and are recalculated: the next pool is smaller or larger, nothing pooled is cut again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.integration.behaviour.activity.revision import (
    MAKER,
    adjust_all,
    approved,
    bus_version,
    key,
    revised_bus,
)
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries
from tanpuhui.behaviour.carbon_accounts.operations import MonthPooled, pool_month
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes

pytestmark = pytest.mark.django_db
DECEMBER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
JANUARY = datetime(2027, 1, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def town(settings: Any, invented_jurisdiction: Path, now: datetime) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    made = build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))
    made.post(csv(bus("R1"), bus("R2", distance="1")), at=now)
    return made


def pool(month: str, at: datetime) -> MonthPooled:
    return pool_month(actor=MAKER, at=at, idempotency_key=key(), scenario="bus", month=month)


def sound() -> bool:
    return list(queries.breaches()) == []


def test_a_loss_of_pooled_grams_makes_the_next_pool_smaller(town: Town, now: datetime) -> None:
    first = pool("2026-11", DECEMBER)
    assert first.grams == Grams(488)
    old, new = bus_version(now), revised_bus("0.078")
    adjust_all(DECEMBER, approved(DECEMBER, old, new))
    town.post(csv(bus("R3", started="2026-12-02T08:00:00+08:00")), at=JANUARY, key="k2")
    second = pool("2026-12", JANUARY)
    # 488 g became 218 + 26 g; the new ride of December gives 218 g by the new version.
    assert (second.grams, second.carried_in) == (Grams(218 - 244), Grams(488))
    assert (second.tonnes, second.remainder) == (Tonnes(0), Grams(462))
    assert queries.pool(first.pool_id).grams == Grams(488)
    assert queries.pool(second.pool_id).adjusted == Grams(-244)
    assert sound()


def test_a_gain_is_counted_once_by_the_next_pool_even_without_new_postings(town: Town, now: datetime) -> None:
    pool("2026-11", DECEMBER)
    adjust_all(DECEMBER, approved(DECEMBER, bus_version(now), revised_bus("0.110")))
    second = pool("2026-12", JANUARY)
    assert (second.grams, second.carried_in) == (Grams(51 + 6), Grams(488))
    assert sound()
    with pytest.raises(Refusal, match="NOTHING_TO_POOL"):
        pool("2027-01", datetime(2027, 2, 2, 1, 0, tzinfo=UTC))


def test_postings_that_were_in_no_pool_come_in_with_what_they_are_worth_now(
    town: Town, now: datetime
) -> None:
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    first = pool("2026-11", DECEMBER)
    assert first.grams == Grams(487 + 58)
    assert sound()


def test_a_recalculation_that_is_not_finished_waits_for_the_pool_after(town: Town, now: datetime) -> None:
    number = approved(now, bus_version(now), revised_bus("0.110"))
    assert pool("2026-11", DECEMBER).grams == Grams(488)
    adjust_all(JANUARY, number)
    assert pool("2026-12", JANUARY).grams == Grams(57)
    assert sound()


@pytest.mark.parametrize("column", ["grams = grams + 1", "results_sha256 = sha256('x')"])
def test_an_adjustment_that_is_not_what_was_recalculated_is_found(
    town: Town, now: datetime, column: str
) -> None:
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.110")))
    pool("2026-11", DECEMBER)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(f"update carbon_pool_adjustment set {column}")
        cursor.execute("set local session_replication_role = origin")
    found = {breach.invariant for breach in queries.breaches()}
    assert "carbon_accounts.adjusted_as_recalculated" in found
    assert list(activity.breaches()) == []
