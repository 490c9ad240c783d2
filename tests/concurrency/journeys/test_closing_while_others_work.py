"""An account that is closed while a file with its person's rides is posted, or while they redeem: each order ends right."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.journeys import leaver as one
from tests.integration.journeys.leaver import Leaver

from tanpuhui.behaviour.activity.models import RowOutcome
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.behaviour.activity.operations._post_batch import _post
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.operations import (
    AccountClosed,
    _bind_partner_subjects,
    bind_partner_subject,
)
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.interfaces.commands.invariants import CHECKS, breaches
from tanpuhui.journeys import AccountClosureTried, ask_to_close_account, close_account
from tanpuhui.uses.rewards.models import Coupon
from tanpuhui.uses.rewards.operations import reserve_coupon

pytestmark = pytest.mark.concurrency
ROOMS = tuple(room for room in CHECKS if room != "methodology")
WAIT_SECONDS = 30


@pytest.fixture
def leaver(
    committed_database: CommittedDatabase,
    now: datetime,
    settings: Settings,
    tmp_path: Path,
    invented_jurisdiction: Path,
) -> Leaver:
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DEMO = True
    return one.arrive(now, tmp_path / "outbox" / "sms.log")


def ask(leaver: Leaver, now: datetime) -> int:
    return ask_to_close_account(
        actor=leaver.actor(now), at=now, user_id=leaver.user_id, idempotency_key="ask"
    ).closure_id


def close(closure_id: int, now: datetime) -> AccountClosureTried:
    return close_account(actor=SYSTEM, at=now, closure_id=closure_id)


def nothing_is_left(folder: Path) -> None:
    own = tuple(value for value in one.OWN if value not in one.RECORDS)
    assert one.left_of(own, one.everything_kept(folder)) == []
    assert [str(breach) for breach in breaches(ROOMS)] == []


def test_a_file_whose_people_were_looked_up_before_somebody_left_is_read_again(
    committed_database: CommittedDatabase,
    leaver: Leaver,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch_id = leaver.town.receive(one.file_of(one.ride("R1")), at=now)
    closure = ask(leaver, now)
    looked_up, left = threading.Event(), threading.Event()
    plain = _post.lock_names

    def later(*names: str) -> None:
        looked_up.set()
        assert left.wait(WAIT_SECONDS)
        plain(*names)

    def leave() -> AccountClosureTried:
        assert looked_up.wait(WAIT_SECONDS)
        try:
            return close(closure, now)
        finally:
            left.set()

    monkeypatch.setattr(_post, "lock_names", later)
    posted, closed = committed_database.run_together(
        lambda: post_batch(actor=SYSTEM, at=now, batch_id=batch_id), leave
    )
    assert isinstance(posted, Busy), posted
    assert closed.closed, closed
    again = post_batch(actor=SYSTEM, at=now, batch_id=batch_id)
    assert again.counted == 0
    assert RowOutcome.objects.get(batch_id=batch_id).reason == "PERSON_UNKNOWN"
    assert ledger.balance(leaver.ledger_account_id).grams == Grams(0)
    nothing_is_left(tmp_path)


def test_a_closure_that_comes_while_a_file_is_posted_waits_and_erases_what_it_posted(
    committed_database: CommittedDatabase,
    leaver: Leaver,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch_id = leaver.town.receive(one.file_of(one.ride("R1")), at=now)
    closure = ask(leaver, now)
    holding = threading.Event()
    plain = _post.drop_repeats

    def slowly(desk: Any) -> None:
        holding.set()
        threading.Event().wait(1.0)
        plain(desk)

    def leave() -> AccountClosureTried:
        assert holding.wait(WAIT_SECONDS)
        return close(closure, now)

    monkeypatch.setattr(_post, "drop_repeats", slowly)
    posted, closed = committed_database.run_together(
        lambda: post_batch(actor=SYSTEM, at=now, batch_id=batch_id), leave
    )
    assert posted.counted == 1, posted
    assert (closed.closed, closed.records, closed.points) == (True, 1, posted.points)
    balance = ledger.balance(leaver.ledger_account_id)
    assert (balance.grams, balance.points) == (posted.grams, Points(0))
    nothing_is_left(tmp_path)


def test_of_a_redemption_and_a_closure_at_once_one_comes_first_and_the_other_knows(
    committed_database: CommittedDatabase, leaver: Leaver, now: datetime
) -> None:
    leaver.town.post(one.file_of(one.ride("R1")), at=now)
    actor, closure = leaver.actor(now), ask(leaver, now)
    redeemed, closed = committed_database.run_together(
        lambda: reserve_coupon(
            actor=actor, at=now, idempotency_key="c", good_id=leaver.good_id, user_id=leaver.user_id
        ),
        lambda: close(closure, now),
    )
    if isinstance(redeemed, AccountClosed):
        assert closed.closed
        assert not Coupon.objects.exists()
    else:
        assert Coupon.objects.get().code == redeemed.code
        assert (closed.closed, closed.put_off_for) == (False, ("coupon",))
    assert [str(breach) for breach in breaches(ROOMS)] == []


def test_a_binding_that_is_being_made_is_waited_for_and_taken_away_with_the_rest(
    committed_database: CommittedDatabase, leaver: Leaver, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, closure = leaver.actor(now), ask(leaver, now)
    looked_up, left = threading.Event(), threading.Event()
    plain = _bind_partner_subjects.users_of_subjects

    def slowly(**asked: Any) -> dict[str, int]:
        found = plain(**asked)
        looked_up.set()
        left.wait(1.5)  # the closure waits for this binding, so it is not over by then
        return found

    def leave() -> AccountClosureTried:
        assert looked_up.wait(WAIT_SECONDS)
        try:
            return close(closure, now)
        finally:
            left.set()

    monkeypatch.setattr(_bind_partner_subjects, "users_of_subjects", slowly)
    bound, closed = committed_database.run_together(
        lambda: bind_partner_subject(
            actor=actor, at=now, partner_id=leaver.town.partner_id, subject="SECOND", user_id=leaver.user_id
        ),
        leave,
    )
    assert bound.new, bound
    assert closed.closed, closed
    assert [str(breach) for breach in breaches(ROOMS)] == []
