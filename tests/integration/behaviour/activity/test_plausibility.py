"""Records that are too fast, too far, too many or in two cities at once are held for review, or rejected, as the rule says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from tests.integration.behaviour.activity.town import CITY, DEMONSTRATION, Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import HeldDecided, HeldNotFound
from tanpuhui.behaviour.activity.models import Batch, RowOutcome
from tanpuhui.behaviour.activity.operations import decide_held, settle_day
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.rulebook.models import Parameter

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 18)
MAKER = Actor(kind="user", id="7", grants=(Grant(role=Role.MAKER, area="990000"),))
FAST = {"started": f"{DAY}T08:00:00+08:00", "ended": f"{DAY}T08:06:00+08:00", "distance": "12.0"}
"""Twelve kilometres in six minutes."""


def rule(key: str, value: str, scope: str = "bus") -> None:
    Parameter.objects.create(
        key=key, scope=scope, value=value, unit="1", basis="测试", confidence="DEMO", note="", pack="test",
        rank=9, valid_from=date(2018, 1, 1),
    )  # fmt: skip


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1", "S2"), parameter_set=DEMONSTRATION)


def bike(record_id: str, subject: str = "S1") -> str:
    return f"{record_id},{subject},bike,{DAY}T07:00:00+08:00,{DAY}T07:10:00+08:00,{CITY},2.5,600,bike"


def report(batch_id: int) -> dict[str, Any]:
    found: dict[str, Any] = Batch.objects.get(pk=batch_id).report
    return found


def grams(town: Town, subject: str = "S1") -> Grams:
    return ledger.balance(town.accounts[subject]).grams


def decide(now: datetime, waiting_id: int, *, refuse_all: bool = False, rows: tuple[int, ...] = ()) -> None:
    decide_held(
        actor=MAKER, at=now, waiting_ids=(waiting_id,), refuse_all=refuse_all, refused_rows=rows, opinion="核实",
        idempotency_key=f"{waiting_id}-{refuse_all}-{rows}",
    )  # fmt: skip
    settle_day(actor=SYSTEM, at=now, day=DAY)


def no_breach() -> None:
    assert [str(one) for one in queries.breaches()] == []
    assert [str(one) for one in ledger.breaches()] == []


def test_nothing_is_judged_while_no_limit_is_set(town: Town, now: datetime) -> None:
    posted = town.post(csv(bus("1", **FAST)), at=now)
    assert posted.counted == 1
    assert queries.held_sets() == ()


@pytest.mark.parametrize(
    ("key", "limit", "lines", "reason", "value"),
    [
        ("speed_kmh_max", "80", [bus("1", **FAST)], "IMPLAUSIBLE_SPEED", "120.0 > 80 km/h"),
        (
            "speed_kmh_max", "80", [bus("1", **{**FAST, "ended": FAST["started"]})], "IMPLAUSIBLE_SPEED",
            "∞ > 80 km/h",
        ),
        ("distance_km_max", "11.9", [bus("1", **FAST)], "IMPLAUSIBLE_DISTANCE", "12 > 11.9 km"),
        (
            "records_per_day_max", "2",
            [bus("3", started=f"{DAY}T10:00:00+08:00"), bus("1"), bus("2", started=f"{DAY}T09:00:00+08:00")],
            "IMPLAUSIBLE_FREQUENCY", "3 > 2",
        ),
        (
            "city_change_s_min", "600",
            [
                bus("2", started=f"{DAY}T08:09:59+08:00", area="990202"),
                bus("1", ended=f"{DAY}T08:05:00+08:00"),
            ],
            "IMPLAUSIBLE_PLACE", "299 < 600 s",
        ),
    ],
)  # fmt: skip
def test_what_exceeds_a_limit_is_held_with_value_and_limit(  # noqa: PLR0917  pytest names them
    town: Town, now: datetime, key: str, limit: str, lines: list[str], reason: str, value: str
) -> None:
    rule(f"intake.{key}", limit)
    posted = town.post(csv(*lines), at=now)
    assert posted.counted == len(lines) - 1
    (held,) = queries.held_sets()
    assert (held.reason, held.records) == (reason, 1)
    (row,) = queries.held_rows(held.id, limit=9)
    assert (row.row, row.doubt) == (2, value)
    assert report(posted.batch_id)["verdicts"]["waiting"] == 1
    assert report(posted.batch_id)["reasons"] == {"HELD_FOR_REVIEW": 1}
    no_breach()


@pytest.mark.parametrize(
    ("key", "limit", "lines"),
    [
        ("speed_kmh_max", "120", [bus("1", **FAST)]),
        ("speed_kmh_max", "1", [bus("1", distance="12.0")]),
        ("distance_km_max", "12", [bus("1", **FAST)]),
        ("records_per_day_max", "2", [bus("1"), bus("2"), bus("3", "S2"), bus("4", started="2026-11-17T08:00:00+08:00")]),
        ("city_change_s_min", "300", [bus("1"), bus("2", started=f"{DAY}T08:05:00+08:00", area="990202")]),
        ("city_change_s_min", "9999", [bus("1"), bus("2", "S2", area="990202")]),
    ],
    ids=["exactly as fast", "no end", "exactly as far", "two a person and day", "time enough", "another person"],
)  # fmt: skip
def test_what_is_within_its_limit_counts(
    town: Town, now: datetime, key: str, limit: str, lines: list[str]
) -> None:
    rule(f"intake.{key}", limit)
    assert town.post(csv(*lines), at=now).counted == len(lines)


def test_records_of_earlier_files_count_towards_the_number_a_day(town: Town, now: datetime) -> None:
    rule("intake.records_per_day_max", "2")
    town.post(csv(bus("1"), bus("2")), at=now)
    posted = town.post(csv(bus("3"), bus("4", "S2")), at=now, key="k2")
    assert posted.counted == 1
    (held,) = queries.held_sets()
    assert queries.held_rows(held.id, limit=9)[0].doubt == "3 > 2"


def test_a_file_without_any_record_of_the_limited_scenario_is_posted(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    assert town.post(csv(bike("1")), at=now).counted == 1


def test_each_scenario_counts_its_own_records_of_the_day(town: Town, now: datetime) -> None:
    for scenario in ("bus", "bike"):
        rule("intake.records_per_day_max", "1", scenario)
    town.post(csv(bus("1"), bike("2", "S2")), at=now)
    posted = town.post(csv(bus("3"), bus("4", "S2"), bike("5"), bike("6", "S2")), at=now, key="k2")
    assert posted.counted == 2
    held = {
        (one.scenario, row.row) for one in queries.held_sets() for row in queries.held_rows(one.id, limit=9)
    }
    assert held == {("bus", 2), ("bike", 5)}
    no_breach()


def test_the_rule_may_reject_at_once_and_the_sender_can_correct(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    rule("intake.implausible", "reject")
    posted = town.post(csv(bus("1", **FAST), bus("2")), at=now)
    outcome = RowOutcome.objects.get(batch_id=posted.batch_id)
    assert (outcome.verdict, outcome.reason, outcome.value) == (
        "rejected", "IMPLAUSIBLE_SPEED", "120.0 > 80 km/h",
    )  # fmt: skip
    again = town.post(csv(bus("1", **{**FAST, "distance": "2.0"})), at=now, key="k2")
    assert again.counted == 1
    no_breach()


def test_a_released_record_gives_what_it_had_given_at_once(town: Town, now: datetime) -> None:
    plain = town.post(csv(bus("0", "S2", **FAST)), at=now)
    rule("intake.speed_kmh_max", "80")
    posted = town.post(csv(bus("1", **FAST)), at=now, key="k2")
    assert grams(town) == Grams(0)
    (held,) = queries.held_sets()
    decide(now, held.id)
    assert grams(town) == plain.grams
    assert report(posted.batch_id)["verdicts"]["counted"] == 1
    assert report(posted.batch_id)["reasons"] == {}
    assert queries.held_sets() == ()
    resent = town.post(csv(bus("1", **FAST), ""), at=now, key="k3")
    assert report(resent.batch_id)["reasons"] == {"DUPLICATE_POSTED": 1}
    no_breach()


def test_a_refused_record_gives_nothing_and_keeps_its_reason(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    posted = town.post(csv(bus("1", **FAST)), at=now)
    (held,) = queries.held_sets()
    decide(now, held.id, refuse_all=True)
    assert grams(town) == Grams(0)
    outcome = RowOutcome.objects.get(batch_id=posted.batch_id)
    assert (outcome.verdict, outcome.reason, outcome.field) == (
        "rejected", "REFUSED_IN_REVIEW", "IMPLAUSIBLE_SPEED",
    )  # fmt: skip
    (aside,) = queries.set_aside_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    assert aside.reason == "REFUSED_IN_REVIEW"
    no_breach()


def test_of_one_set_some_rows_go_on_and_some_are_refused(town: Town, now: datetime) -> None:
    rule("intake.distance_km_max", "10")
    posted = town.post(csv(bus("1", distance="11.0"), bus("2", distance="12.0"), bus("3", "S2")), at=now)
    before = grams(town)
    (held,) = queries.held_sets()
    with pytest.raises(Invalid):
        decide(now, held.id, rows=(4,))
    decide(now, held.id, rows=(2,))
    assert grams(town) > before
    assert report(posted.batch_id)["verdicts"]["counted"] == 2
    assert report(posted.batch_id)["verdicts"]["rejected"] == 1
    assert list(RowOutcome.objects.values_list("row_number", "reason")) == [(2, "REFUSED_IN_REVIEW")]
    no_breach()


def test_a_decision_is_one_makers_of_the_area_and_stands(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    town.post(csv(bus("1", **FAST)), at=now)
    (held,) = queries.held_sets()
    terms: dict[str, Any] = {"at": now, "refuse_all": True, "idempotency_key": "x"}
    elsewhere = Actor(kind="user", id="8", grants=(Grant(role=Role.MAKER, area="110000"),))
    with pytest.raises(NotPermitted):
        decide_held(actor=elsewhere, waiting_ids=(held.id,), opinion="核实", **terms)
    with pytest.raises(Invalid):
        decide_held(actor=MAKER, waiting_ids=(held.id,), opinion=" ", **terms)
    with pytest.raises(HeldNotFound):
        decide_held(actor=MAKER, waiting_ids=(held.id + 1,), opinion="核实", **terms)
    decide_held(actor=MAKER, waiting_ids=(held.id,), opinion="核实", **terms)
    with pytest.raises(HeldDecided):
        decide_held(actor=MAKER, waiting_ids=(held.id,), opinion="核实", **{**terms, "idempotency_key": "y"})


def test_the_person_sees_what_is_held_and_why(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    town.post(csv(bus("1", **FAST)), at=now)
    (waiting,) = queries.waiting_of_account(town.accounts["S1"])
    assert (waiting.settles_on, waiting.held_for) == (None, "IMPLAUSIBLE_SPEED")


@pytest.mark.parametrize(
    ("damage", "invariant"),
    [
        ("update activity_waiting set settles_on = day where part > 0", "activity.held_rows_are_open_or_decided"),
        ("delete from activity_waiting_chunk", "activity.waiting_rows_are_there_until_settled"),
        (
            (
                "insert into activity_held_decision (waiting_id, refuse_all, refused_rows, opinion, decided_by, decided_at) "
                "select id, true, '{}', '', '', now() from activity_waiting"
            ),
            "activity.held_rows_are_open_or_decided",
        ),
    ],
)  # fmt: skip
def test_damage_to_held_rows_is_found(town: Town, now: datetime, damage: str, invariant: str) -> None:
    rule("intake.speed_kmh_max", "80")
    town.post(csv(bus("1", **FAST)), at=now)
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(damage)
        cursor.execute("set local session_replication_role = origin")
    assert invariant in {one.invariant for one in queries.breaches()}


def test_a_refused_row_that_was_not_set_aside_is_found(town: Town, now: datetime) -> None:
    rule("intake.speed_kmh_max", "80")
    town.post(csv(bus("1", **FAST)), at=now)
    (held,) = queries.held_sets()
    decide(now, held.id)
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update activity_held_decision set refuse_all = true")
        cursor.execute("set local session_replication_role = origin")
    assert "activity.refused_rows_are_set_aside" in {one.invariant for one in queries.breaches()}
