"""A posted record is taken back with entries, not deleted; it can count again; the same id on another day is found at night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
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

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import RecordNotFound
from tanpuhui.behaviour.activity.domain.exceptions import (
    CLAWED_BACK,
    RecordExcludedAlready,
    RecordNotExcluded,
    RecordRef,
)
from tanpuhui.behaviour.activity.models import RecordException
from tanpuhui.behaviour.activity.operations import (
    RecordsExcepted,
    audit_record_ids,
    exclude_records,
    reinstate_records,
)
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import MonthPooled, pool_month
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import transfer
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams, Points

pytestmark = pytest.mark.django_db
DECEMBER = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
JANUARY = datetime(2027, 1, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def town(settings: Any, invented_jurisdiction: Path, now: datetime) -> Town:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    return build(subjects=("S1", "S2"), scenarios=(("bus", "a01-bus"),))


def sound() -> bool:
    return [*queries.breaches(), *accounts.breaches(), *ledger.breaches()] == []


def exclude(posting_id: int, *rows: int, at: datetime) -> RecordsExcepted:
    refs = tuple(RecordRef(posting_id=posting_id, row=row) for row in rows)
    return exclude_records(actor=SYSTEM, at=at, records=refs, reason=CLAWED_BACK)


def reinstate(posting_id: int, *rows: int, at: datetime) -> RecordsExcepted:
    refs = tuple(RecordRef(posting_id=posting_id, row=row) for row in rows)
    return reinstate_records(actor=SYSTEM, at=at, records=refs, reason="APPEAL_UPHELD")


def held(town: Town, subject: str = "S1") -> tuple[int, int]:
    balance = ledger.balance(town.accounts[subject])
    return balance.grams.value, balance.points.value


def test_what_is_taken_back_and_given_back_leaves_the_account_as_it_was(town: Town, now: datetime) -> None:
    (posting_id,) = town.post(csv(bus("R1"), bus("R2", distance="1")), at=now).posting_ids
    assert held(town) == (488, 48)
    taken = exclude(posting_id, 3, at=now)
    # 52 g of 488: the day's points are floor(436 / 10), as if the ride had never been there.
    assert (taken.grams, taken.points, held(town)) == (Grams(-52), Points(-5), (436, 43))
    with pytest.raises(RecordExcludedAlready):
        exclude(posting_id, 3, at=now)
    given = reinstate(posting_id, 3, at=now)
    assert (given.grams, given.points, held(town)) == (Grams(52), Points(5), (488, 48))
    with pytest.raises(RecordNotExcluded):
        reinstate(posting_id, 3, at=now)
    with pytest.raises(RecordNotFound):
        exclude(posting_id, 99, at=now)
    assert [one.kind for one in queries.exceptions_of_account(
        account_id=town.accounts["S1"], first_day=date(2026, 11, 1), last_day=date(2026, 11, 30)
    )] == ["reinstated", "excluded"]  # fmt: skip
    assert sound()


def test_points_that_are_spent_become_due_and_no_balance_is_negative(town: Town, now: datetime) -> None:
    (posting_id,) = town.post(csv(bus("R1")), at=now).posting_ids
    transfer(
        kind="test", reference="spent", at=now, day=now.date(), debit_account_id=town.accounts["S1"],
        credit_account_id=town.accounts["S2"], points=Points(40),
    )  # fmt: skip
    taken = exclude(posting_id, 2, at=now)
    assert (taken.due_points, held(town)) == (Points(40), (0, 0))
    assert sound()


def test_a_recalculation_leaves_what_was_taken_back_alone_and_can_be_had_again(
    town: Town, now: datetime
) -> None:
    (posting_id,) = town.post(csv(bus("R1"), bus("R2", distance="1")), at=now).posting_ids
    exclude(posting_id, 2, at=now)
    assert held(town) == (52, 5)
    adjust_all(now, approved(now, bus_version(now), revised_bus("0.078")))
    assert held(town) == (26, 2)
    assert sound()
    reinstate(posting_id, 2, at=now)
    assert held(town)[0] == 26 + 436  # what was taken is given back; the next recalculation meets it again
    exclude(posting_id, 3, at=now)
    assert held(town)[0] == 436
    assert sound()


def test_a_pool_counts_what_was_taken_back_once_before_and_after_pooling(town: Town, now: datetime) -> None:
    def pool(month: str, at: datetime) -> MonthPooled:
        return pool_month(actor=MAKER, at=at, idempotency_key=key(), scenario="bus", month=month)

    rides = csv(bus("R1"), bus("R2", distance="1"), bus("R3", "S2"))
    (posting_id,) = town.post(rides, at=now).posting_ids
    exclude(posting_id, 3, at=now)
    first = pool("2026-11", DECEMBER)
    assert first.grams == Grams(872)
    exclude(posting_id, 4, at=DECEMBER)
    second = pool("2026-12", JANUARY)
    assert (second.grams, second.carried_in) == (Grams(-436), Grams(872))
    assert accounts.pool(first.pool_id).grams == Grams(872)
    assert sound()


def test_the_same_id_on_another_day_is_taken_back_at_night_and_only_once(town: Town, now: datetime) -> None:
    town.post(csv(bus("R1"), bus("R2", distance="1")), at=now)
    late = csv(bus("R1", started="2026-11-19T08:00:00+08:00"), bus("R9", started="2026-11-19T09:00:00+08:00"))
    (posting_id,) = town.post(late, at=now, key="k2").posting_ids
    assert held(town)[0] == 488 + 872
    assert queries.partners_to_audit() == (town.partner_id,)
    audited = audit_record_ids(actor=SYSTEM, at=now, partner_id=town.partner_id)
    assert (audited.found, audited.taken_back, held(town)[0]) == (1, 1, 488 + 436)
    row = RecordException.objects.get()
    assert (row.posting_id, row.row_number, row.day) == (posting_id, 2, date(2026, 11, 19))
    assert queries.partners_to_audit() == ()
    again = audit_record_ids(actor=SYSTEM, at=now + timedelta(days=1), partner_id=town.partner_id)
    assert (again.found, again.run_ids) == (0, ())
    assert sound()


def test_two_days_of_one_file_keep_the_earlier_record(town: Town, now: datetime) -> None:
    rides = csv(
        bus("R1", started="2026-11-19T08:00:00+08:00"),
        bus("R1"),
        bus("R1", started="2026-11-17T08:00:00+08:00"),
    )
    town.post(rides, at=now)
    audited = audit_record_ids(actor=SYSTEM, at=now, partner_id=town.partner_id)
    assert (audited.taken_back, held(town)[0]) == (2, 436)
    assert set(RecordException.objects.values_list("day", flat=True)) == {
        date(2026, 11, 18),
        date(2026, 11, 19),
    }
    assert sound()


@pytest.mark.parametrize(
    ("statement", "invariant"),
    [
        ("update activity_exception_run set grams = grams + 1", "activity.exceptions_are_their_entries"),
        (
            "update activity_record_exception set because = '', day = day - 1",
            "activity.exceptions_have_their_hash",
        ),
    ],
    ids=["sum", "record"],
)
def test_a_changed_exception_is_found(town: Town, now: datetime, statement: str, invariant: str) -> None:
    (posting_id,) = town.post(csv(bus("R1")), at=now).posting_ids
    exclude(posting_id, 2, at=now)
    with connection.cursor() as cursor:
        cursor.execute("alter table activity_exception_run disable trigger user")
        cursor.execute("alter table activity_record_exception disable trigger user")
        cursor.execute(statement)
    assert invariant in [one.invariant for one in queries.breaches()]
