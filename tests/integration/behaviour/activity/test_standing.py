"""A suspended or closed scenario: refused by day with its own reason, and what lay before counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from tests.integration.behaviour.activity.test_admission import CHECKER, MAKER, decided
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain.standing import (
    DayPassed,
    Standing,
    StandingCannotFollow,
    StandingChangeOpen,
)
from tanpuhui.behaviour.activity.models import RowOutcome, ScenarioStatus
from tanpuhui.behaviour.activity.operations import StandingProposed, approve_standing, propose_standing
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))


def propose(at: datetime, standing: str, day: date, key: str = "p") -> StandingProposed:
    return propose_standing(
        actor=MAKER, at=at, scenario="bus", standing=standing, from_day=day, reason="数据异常，核查中",
        idempotency_key=key,
    )  # fmt: skip


def change(at: datetime, standing: str, day: date) -> None:
    found = propose(at, standing, day, key=f"{standing}{day}")
    assert decided(CHECKER, found.case_id, "approve", at) == "approved"


def ride(record_id: str, day: str) -> str:
    return bus(record_id, started=f"2026-11-{day}T08:00:00+08:00")


def test_days_of_a_suspension_are_refused_and_days_before_and_after_count(town: Town, now: datetime) -> None:
    change(now, "suspended", date(2026, 11, 21))
    change(now + timedelta(days=3), "live", date(2026, 11, 24))
    later = now + timedelta(days=6)
    lines = [ride(f"R{day}", day) for day in ("19", "20", "21", "23", "24", "25")]
    posted = town.post(csv(*lines), at=later)
    assert posted.counted == 4
    assert list(RowOutcome.objects.order_by("row_number").values_list("row_number", "reason", "field")) == [
        (4, "SCENARIO_SUSPENDED", "started_at"),
        (5, "SCENARIO_SUSPENDED", "started_at"),
    ]
    assert "暂停" in queries.reason_text("SCENARIO_SUSPENDED")
    assert list(queries.breaches()) == []


def test_a_closed_scenario_takes_late_records_of_its_days_and_none_after(town: Town, now: datetime) -> None:
    change(now, "closed", date(2026, 11, 21))
    posted = town.post(csv(ride("R20", "20"), ride("R21", "21")), at=now + timedelta(days=2))
    assert posted.counted == 1
    assert RowOutcome.objects.get().reason == "SCENARIO_CLOSED"
    with pytest.raises(StandingCannotFollow):
        propose(now + timedelta(days=2), "live", date(2026, 11, 30), key="again")


def test_a_change_takes_two_people_a_reason_and_a_day_to_come(town: Town, now: datetime) -> None:
    with pytest.raises(DayPassed):
        propose(now, "suspended", date(2026, 11, 19))
    with pytest.raises(Refusal) as silent:
        propose_standing(
            actor=MAKER, at=now, scenario="bus", standing="suspended", from_day=date(2026, 11, 21), reason=" ",
            idempotency_key="x",
        )  # fmt: skip
    assert silent.value.code == "OPINION_MISSING"
    found = propose(now, "suspended", date(2026, 11, 21))
    assert queries.scenario("bus").standing == "live"
    with pytest.raises(StandingChangeOpen):
        propose(now, "closed", date(2026, 11, 21), key="q")
    with pytest.raises(Refusal):
        decided(MAKER, found.case_id, "approve", now)
    with pytest.raises(Refusal):
        approve_standing(
            actor=SYSTEM, at=now, case_id=found.case_id, subject_id=str(found.change_id), opinion="x"
        )
    assert ScenarioStatus.objects.count() == 0


def test_a_late_approval_does_not_reach_back(town: Town, now: datetime) -> None:
    found = propose(now, "suspended", date(2026, 11, 21))
    decided(CHECKER, found.case_id, "approve", now + timedelta(days=5))
    (status,) = queries.statuses("bus")
    assert (status.from_day, status.standing) == (date(2026, 11, 25), "suspended")


@pytest.mark.parametrize(("outcome", "actor"), [("reject", CHECKER), ("withdraw", MAKER)])
def test_a_change_that_is_not_approved_changes_nothing(
    town: Town, now: datetime, outcome: str, actor: object
) -> None:
    found = propose(now, "suspended", date(2026, 11, 21))
    decided(actor, found.case_id, outcome, now)  # type: ignore[arg-type]
    assert queries.statuses("bus") == ()
    assert queries.standing_change(found.change_id).state in {"rejected", "withdrawn"}
    propose(now, "suspended", date(2026, 11, 22), key="anew")


def test_what_was_decided_stays_on_record(town: Town, now: datetime) -> None:
    change(now, "suspended", date(2026, 11, 21))
    with pytest.raises(DatabaseError), transaction.atomic():
        ScenarioStatus.objects.update(standing=Standing.LIVE.value)
    assert {view.standing for view in queries.scenarios(on=date(2026, 11, 20))} == {"live"}
    assert [(view.standing, view.since) for view in queries.scenarios(on=date(2026, 11, 22))] == [
        ("suspended", date(2026, 11, 21))
    ]
