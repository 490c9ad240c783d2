"""One activity, once: a day's records of several partners are compared, one counts, the others keep their reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from tests.integration.behaviour.activity.sources import (
    DAY,
    SETTLES,
    THEN,
    bike_ride,
    compared_town,
    ride,
    rule,
    source,
)
from tests.integration.behaviour.activity.town import (
    CITY,
    DEMONSTRATION,
    LONG_AGO,
    METHODOLOGIES,
    Town,
    build,
    file_methodology,
)

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch, RowOutcome, SetAside, WaitingChunk
from tanpuhui.behaviour.activity.operations import (
    RecordsStillWait,
    erase_traces,
    open_scenario,
    settle_day,
)
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import (
    give_consents,
    withdraw_consent,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.rulebook.queries import ParameterUnset

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(db: None) -> Town:
    return compared_town()


def reasons(batch_id: int) -> list[tuple[int, str, str]]:
    rows = RowOutcome.objects.filter(batch_id=batch_id).order_by("row_number")
    return list(rows.values_list("row_number", "verdict", "reason"))


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)], ids=["best first", "best last", "worst first"]
)
def test_one_ride_through_three_partners_is_one_credit_and_two_losers_with_reasons(
    town: Town, now: datetime, order: tuple[int, ...]
) -> None:
    operator, app, check_in = source(town, 1, 1), source(town, 2, 2), source(town, 3, 4)
    sends = [
        (operator, ride(operator, "A1", "08:00", "08:30")),
        (app, ride(app, "B1", "08:02", "08:33")),
        (check_in, ride(check_in, "C1", "08:28", "08:29")),
    ]
    batch = {}
    for step, n in enumerate(order):
        sender, line = sends[n]
        batch[n] = sender.post(line, at=now - timedelta(hours=30) + timedelta(minutes=step))
    assert ledger.balance(town.accounts["S1"]).grams == Grams(0)
    waiting = queries.waiting_of_account(town.accounts["S1"])
    assert [(one.scenario, one.settles_on) for one in waiting] == [("bus", SETTLES)] * 3
    assert Batch.objects.get(pk=batch[0]).report["settles_on"] == {str(SETTLES): 1}
    assert list(queries.breaches()) == []

    settled = settle_day(actor=SYSTEM, at=THEN, day=DAY)

    assert (settled.rows, settled.counted, settled.grams) == (3, 1, Grams(436))
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436)
    assert reasons(batch[0]) == []
    assert reasons(batch[1]) == [(2, "duplicate", "SAME_RIDE_OTHER_PARTNER")]
    assert reasons(batch[2]) == [(2, "duplicate", "SAME_RIDE_OTHER_PARTNER")]
    lost = queries.set_aside_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    assert {(one.batch_id, one.winner_batch_id, one.winner_row) for one in lost} == {
        (batch[1], batch[0], 2),
        (batch[2], batch[0], 2),
    }
    assert queries.waiting_of_account(town.accounts["S1"]) == ()
    assert not WaitingChunk.objects.exists()
    report = Batch.objects.get(pk=batch[1]).report
    assert (report["verdicts"]["waiting"], report["verdicts"]["duplicate"], report["settles_on"]) == (
        0,
        1,
        {},
    )
    assert list(queries.breaches()) == []


def test_two_rides_one_after_the_other_count_both(town: Town, now: datetime) -> None:
    one, two = source(town, 1, 1), source(town, 2, 2)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    two.post(ride(two, "B1", "08:40", "09:00"), at=now - timedelta(hours=30))
    settled = settle_day(actor=SYSTEM, at=THEN, day=DAY)
    assert (settled.rows, settled.counted) == (2, 2)


def test_nobody_rides_a_bus_and_a_bicycle_at_once(town: Town, now: datetime) -> None:
    one = source(town, 1, 1, ("bus",))
    two = source(town, 2, 2, ("bike",))
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    batch = two.post(
        bike_ride(two, "B1", "08:10", "08:20"),
        bike_ride(two, "B2", "08:28", "08:50"),
        at=now - timedelta(hours=31),
    )
    settled = settle_day(actor=SYSTEM, at=THEN, day=DAY)
    # The second bicycle ride overlaps by two minutes, less than clocks may be apart.
    assert reasons(batch) == [(2, "excluded", "EXCLUSIVE_IN_TIME")]
    assert (settled.rows, settled.counted) == (3, 2)
    assert list(queries.breaches()) == []


def test_what_is_settled_stands_and_a_late_record_of_better_evidence_loses_to_it(
    town: Town, now: datetime
) -> None:
    app, operator = source(town, 1, 2), source(town, 2, 1)
    app.post(ride(app, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    late = operator.post(
        ride(operator, "B1", "08:01", "08:30"),
        ride(operator, "B2", "18:00", "18:30"),
        at=THEN + timedelta(days=1),
    )
    assert queries.days_to_settle(today=SETTLES + timedelta(days=1)) == (DAY,)
    settled = settle_day(actor=SYSTEM, at=THEN + timedelta(days=1), day=DAY)
    assert (settled.rows, settled.counted) == (2, 1)
    assert reasons(late) == [(2, "duplicate", "SAME_RIDE_OTHER_PARTNER")]
    assert ledger.balance(town.accounts["S1"]).grams == Grams(872)
    assert list(queries.breaches()) == []


def test_a_waiting_record_sent_again_is_a_repeat_and_a_second_settlement_does_nothing(
    town: Town, now: datetime
) -> None:
    one = source(town, 1, 1)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    again = one.post(
        ride(one, "A1", "08:00", "08:30"), ride(one, "A2", "12:00", "12:30"), at=now - timedelta(hours=29)
    )
    assert reasons(again) == [(2, "duplicate", "DUPLICATE_POSTED")]
    assert settle_day(actor=SYSTEM, at=THEN - timedelta(hours=1), day=DAY).rows == 0  # not yet due
    assert settle_day(actor=SYSTEM, at=THEN, day=DAY).counted == 2
    assert settle_day(actor=SYSTEM, at=THEN, day=DAY).day_settlement_id is None
    assert list(queries.breaches()) == []


def test_caps_are_used_in_the_order_of_settling_and_losers_use_none(town: Town, now: datetime) -> None:
    one, two = source(town, 1, 1), source(town, 2, 2)
    rides = [ride(one, f"A{n}", f"{6 + n:02}:00", f"{6 + n:02}:20") for n in range(12)]
    same = [ride(two, f"B{n}", f"{6 + n:02}:01", f"{6 + n:02}:20") for n in range(12)]
    two.post(*same, at=now - timedelta(hours=31))
    one.post(*rides, at=now - timedelta(hours=30))
    settled = settle_day(actor=SYSTEM, at=THEN, day=DAY)
    assert (settled.rows, settled.counted) == (24, 12)
    assert list(queries.breaches()) == []


def test_a_kind_without_a_tolerance_stops_the_settling_by_name_and_everything_waits_on(
    town: Town, now: datetime
) -> None:
    Parameter.objects.filter(key="intake.clock_tolerance_s").delete()
    one = source(town, 1, 1)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    with pytest.raises(ParameterUnset, match=r"intake\.clock_tolerance_s"):
        settle_day(actor=SYSTEM, at=THEN, day=DAY)
    assert len(queries.waiting_of_account(town.accounts["S1"])) == 1


def test_of_an_exclusion_group_the_side_with_more_grams_counts_and_what_is_settled_stands(
    db: None, now: datetime
) -> None:
    town = build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))
    folder = METHODOLOGIES / "a03-bike" / "1.0"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    other_side = files["methodology.yaml"].replace(b"side: trips", b"side: other")
    assert other_side != files["methodology.yaml"]
    file_methodology("a03-bike", parameter_set=DEMONSTRATION, files=files | {"methodology.yaml": other_side})
    open_scenario(actor=SYSTEM, at=LONG_AGO, code="bike", name_zh="骑行", name_en="Bike", area="990000")
    give_consents(
        actor=SYSTEM, at=LONG_AGO, user_ids=list(town.users.values()), scenario="bike", text_version="1"
    )
    for scenario in ("bus", "bike"):
        rule("intake.settle_days", "2", scenario)
    one, two = source(town, 1, 1), source(town, 2, 1, ("bike",))
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    batch = two.post(bike_ride(two, "B1", "10:00", "10:10"), at=now - timedelta(hours=31))
    settled = settle_day(actor=SYSTEM, at=THEN, day=DAY)
    assert (settled.rows, settled.counted, settled.grams) == (2, 1, Grams(436))
    assert reasons(batch) == [(2, "excluded", "EXCLUDED")]
    late = two.post(bike_ride(two, "B2", "12:00", "12:10"), at=THEN)
    assert settle_day(actor=SYSTEM, at=THEN, day=DAY).counted == 0
    assert reasons(late) == [(2, "excluded", "EXCLUDED")]
    assert list(queries.breaches()) == []


def test_weaker_evidence_has_a_rate_of_its_own(town: Town, now: datetime) -> None:
    Parameter.objects.filter(key="intake.settle_days").delete()
    rule("points.per_gram", "1/20", "bus/tier-4")
    check_in, app = source(town, 3, 4), source(town, 2, 2)
    check_in.post(ride(check_in, "C1", "08:00", "08:30"), at=now)
    assert ledger.balance(town.accounts["S1"]).points == Points(21)
    app.post(ride(app, "B1", "10:00", "10:30"), at=now)
    assert ledger.balance(town.accounts["S1"]).points == Points(21 + 43)
    assert list(queries.breaches()) == []


def test_a_waiting_row_that_vanishes_and_a_settlement_that_lost_one_are_found(
    town: Town, now: datetime
) -> None:
    one = source(town, 1, 1)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    with connection.cursor() as cursor:
        cursor.execute("create temp table kept as select * from activity_waiting_chunk")
        cursor.execute("delete from activity_waiting_chunk")
        assert [b.invariant for b in queries.breaches()] == ["activity.waiting_rows_are_there_until_settled"]
        cursor.execute("insert into activity_waiting_chunk select * from kept")
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    with connection.cursor() as cursor:
        cursor.execute("alter table activity_day_settlement disable trigger user")
        cursor.execute("update activity_day_settlement set counted = 0")
    assert [b.invariant for b in queries.breaches()] == ["activity.settlement_accounts_for_every_row"]


def test_a_lost_ride_waits_for_its_settlement_and_then_loses_its_traces_too(
    town: Town, now: datetime
) -> None:
    operator, check_in = source(town, 1, 1), source(town, 3, 4)
    operator.post(ride(operator, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    check_in.post(ride(check_in, "C1-LOST", "08:28", "08:29"), at=now - timedelta(hours=29))
    user = Actor(kind="user", id=str(town.users["S1"]), grants=(Grant(role=Role.CITIZEN, area=CITY),))
    withdraw_consent(actor=user, at=THEN, user_id=town.users["S1"], scenario="bus")

    def erase() -> int:
        return erase_traces(
            actor=user, at=THEN, user_id=town.users["S1"], scenario="bus", idempotency_key="e"
        ).records

    with pytest.raises(RecordsStillWait) as refused:
        erase()
    assert refused.value.data == {"records": 2, "day": DAY.isoformat()}
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    assert erase() == 2
    (lost,) = queries.set_aside_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    assert (lost.started_at, lost.reason) == (None, "SAME_RIDE_OTHER_PARTNER")
    assert not any(
        b"C1-LOST" in bytes(rows) or b"8.4" in bytes(rows)
        for rows in SetAside.objects.values_list("rows", flat=True)
    )
    assert list(queries.breaches()) == []
