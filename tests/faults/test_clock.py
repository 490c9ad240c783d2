"""The server's clock is set back, or runs ahead and is mended: nothing counts twice, nothing is lost, the log goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.integration.behaviour.activity.sources import DAY, THEN, compared_town, ride, source
from tests.integration.behaviour.activity.town import Town

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import (
    RecordRef,
    audit_record_ids,
    exclude_records,
    reinstate_records,
    settle_day,
)
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_accounts, propose_freeze
from tanpuhui.behaviour.carbon_accounts.queries import account_of_user
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import expire_points
from tanpuhui.books.transparency import queries as transparency
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.interfaces.commands.invariants import breaches

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
ROOMS = ("ledger", "activity", "carbon_accounts", "rewards", "transparency", "workflow", "registry")
SET_BACK = (timedelta(seconds=1), timedelta(hours=3), timedelta(days=2), timedelta(days=400))


@pytest.fixture
def town(db: None) -> Town:
    town = compared_town()
    open_carbon_accounts(actor=MAKER, at=THEN - timedelta(days=300), user_ids=tuple(town.users.values()))
    return town


def sound() -> list[str]:
    return [str(one) for one in breaches(ROOMS)]


@pytest.mark.parametrize("back", SET_BACK, ids=str)
def test_what_happens_on_a_clock_that_was_set_back_leaves_the_books_whole(
    town: Town, now: datetime, back: timedelta
) -> None:
    one, two = source(town, 1, 1), source(town, 2, 2)
    one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(hours=30))
    settle_day(actor=SYSTEM, at=THEN, day=DAY)
    sequence_leaves(at=THEN)
    head = transparency.head()
    assert head is not None
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436)

    early = THEN - back
    one.post(ride(one, "A1", "08:00", "08:30"), ride(one, "A2", "10:00", "10:30"), at=early)
    two.post(ride(two, "B1", "08:01", "08:30"), at=early)
    settle_day(actor=SYSTEM, at=early, day=DAY)
    (record, *_) = activity.records_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    ref = (RecordRef(posting_id=record.posting_id, row=record.row),)
    exclude_records(actor=SYSTEM, at=early, records=ref, reason="CLAWED_BACK")
    reinstate_records(actor=SYSTEM, at=early - timedelta(hours=1), records=ref, reason="APPEAL_UPHELD")
    audit_record_ids(actor=SYSTEM, at=early, partner_id=one.partner_id)
    expire_points(actor=MAKER, at=early)
    propose_freeze(
        actor=MAKER, at=early, number=account_of_user(town.users["S1"]).number, kind="freeze", reason="核对",
        urgent=False, idempotency_key="f",
    )  # fmt: skip
    sequence_leaves(at=early)

    later = transparency.head()
    assert later is not None
    assert later.head.size > head.head.size
    assert later.head.signed_at >= head.head.signed_at
    settle_day(actor=SYSTEM, at=THEN + timedelta(days=1), day=DAY)
    found = activity.records_of_account(account_id=town.accounts["S1"], first_day=DAY, last_day=DAY)
    future = back >= timedelta(
        days=2
    )  # then the second ride had not happened yet, and the partner is told so
    assert len(found) == (1 if future else 2)
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436 * len(found))
    assert sound() == []


def test_records_of_a_clock_that_runs_ahead_are_refused_by_name_and_count_once_the_time_has_come(
    town: Town, now: datetime
) -> None:
    one = source(town, 1, 1)
    ahead = one.post(ride(one, "A1", "08:00", "08:30"), at=now - timedelta(days=4))
    assert activity.batch_report(ahead).reasons == {"FUTURE_TIME": 1}
    one.post(ride(one, "A1", "08:00", "08:30") + " ", at=now - timedelta(hours=30))
    assert settle_day(actor=SYSTEM, at=THEN, day=DAY).counted == 1
    assert sound() == []
