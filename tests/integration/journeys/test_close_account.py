"""Who closes their account leaves books that balance, and no byte that says who they were or where they went."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.journeys import leaver as one
from tests.integration.journeys.leaver import Leaver

from tanpuhui.behaviour.carbon_accounts.queries import pool_inclusion
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.books.transparency.queries import verify_pool_inclusion
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.keys.queries import published_key_set
from tanpuhui.interfaces.commands.invariants import CHECKS, breaches
from tanpuhui.journeys import AccountClosureTried, ask_to_close_account, close_account

pytestmark = pytest.mark.django_db
LATER = one.AFTER_THE_MONTH
ROOMS = tuple(room for room in CHECKS if room != "methodology")
"""The made-up town files its methodologies without a committee, which that room rightly reports."""


@pytest.fixture
def folder(settings: Settings, tmp_path: Path, invented_jurisdiction: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DEMO = True
    return tmp_path


@pytest.fixture
def leaver(db: None, now: datetime, folder: Path) -> Leaver:
    return one.arrive(now, folder / "outbox" / "sms.log")


def ask(leaver: Leaver, at: datetime, key: str = "ask") -> int:
    asked = ask_to_close_account(actor=leaver.actor(at), at=at, user_id=leaver.user_id, idempotency_key=key)
    return asked.closure_id


def close(closure_id: int, at: datetime) -> AccountClosureTried:
    return close_account(actor=SYSTEM, at=at, closure_id=closure_id)


def test_after_the_closure_no_table_and_no_file_holds_the_person_and_every_book_balances(
    leaver: Leaver,
    folder: Path,
    now: datetime,
    invented_jurisdiction: Path,
    django_capture_on_commit_callbacks: object,
) -> None:
    pool = one.live(leaver, now, templates=invented_jurisdiction)
    assert one.left_of(one.OWN, one.everything_kept(folder)) == [
        value for value in one.OWN if value not in {one.CARD, one.MAIL}
    ], "partner's number and mail address are kept as a keyed hash and sealed"
    proof = pool_inclusion(leaver.user_id, pool_id=pool)
    before = ledger.balance(leaver.ledger_account_id)
    assert before.points.value > 0
    phone_index = identity.phone_index(one.PHONE).hex()
    assert phone_index in one.everything_kept(folder)

    closure = ask(leaver, LATER)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        done = close(closure, LATER)

    assert (done.closed, done.points, done.records) == (True, before.points, 3)
    kept = one.everything_kept(folder)
    assert one.left_of((*one.OWN, phone_index), kept) == []
    sequence_leaves(at=LATER)
    assert [str(breach) for breach in breaches(ROOMS)] == []
    after = ledger.balance(leaver.ledger_account_id)
    assert (after.grams, after.points) == (before.grams, Points(0))
    assert verify_pool_inclusion(proof, published_key_set()).valid
