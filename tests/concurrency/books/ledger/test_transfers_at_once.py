"""Two writers of one account at once: exactly one effect, never a negative balance, never a wait without end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from tanpuhui.books.ledger import operations, queries
from tanpuhui.foundation.kernel.quantities import Points

pytestmark = pytest.mark.concurrency
DAY = date(2026, 11, 19)


def post(accounts: list[int], now: datetime, reference: str, points: int = 100) -> operations.JournalPosted:
    size = len(accounts)
    legs = operations.AccountDayLegs(
        account_id=np.array(sorted(accounts), dtype=np.int64),
        day=np.full(size, DAY, dtype="datetime64[D]"),
        grams=np.full(size, 10, dtype=np.int64),
        points=np.full(size, points, dtype=np.int64),
        n_records=np.ones(size, dtype=np.int64),
    )
    with transaction.atomic():
        return operations.post_account_days(
            kind="posting", reference=reference, at=now, system_code="scheme:credited", legs=legs
        )


def move(now: datetime, reference: str, debit: int, to: int, points: int) -> int:
    with transaction.atomic():
        return operations.transfer(
            kind="test",
            reference=reference,
            at=now,
            day=DAY,
            debit_account_id=debit,
            credit_account_id=to,
            points=Points(points),
        )


@pytest.fixture
def accounts(committed_database: Any, now: datetime) -> list[int]:
    with transaction.atomic():
        opened = operations.open_accounts(owner_type="carbon_account", owner_ids=range(1, 41), at=now)
        operations.system_account("points:reserved")
    return sorted(opened.values())


def test_two_transfers_that_together_overspend_have_one_effect(
    committed_database: Any, accounts: list[int], now: datetime
) -> None:
    post(accounts[:1], now, "seed")
    spender, first, second = accounts[:3]
    results = committed_database.run_together(
        lambda: move(now, "a", spender, first, 70), lambda: move(now, "b", spender, second, 70)
    )
    assert sorted(type(result).__name__ for result in results) == ["InsufficientBalance", "int"]
    assert queries.balance(spender).points == Points(30)
    assert list(queries.breaches()) == []


def test_the_same_transfer_sent_eight_times_at_once_moves_once(
    committed_database: Any, accounts: list[int], now: datetime
) -> None:
    post(accounts[:1], now, "seed")
    results = committed_database.run_together(
        *[lambda: move(now, "same", accounts[0], accounts[1], 30) for _ in range(8)]
    )
    assert len(set(results)) == 1
    assert queries.balance(accounts[1]).points == Points(30)
    assert list(queries.breaches()) == []


def test_the_same_file_posted_twice_at_once_is_posted_once(
    committed_database: Any, accounts: list[int], now: datetime
) -> None:
    results = committed_database.run_together(*[lambda: post(accounts, now, "file:1") for _ in range(4)])
    assert sorted(result.repeated for result in results) == [False, True, True, True]
    assert {result.points for result in results} == {Points(100 * len(accounts))}
    assert queries.balance(accounts[5]).points == Points(100)
    assert list(queries.breaches()) == []


def test_transfers_to_and_fro_beside_postings_never_wait_for_each_other_in_a_ring(
    committed_database: Any, accounts: list[int], now: datetime
) -> None:
    post(accounts, now, "seed")

    def shuffle(seed: int) -> None:
        for step in range(25):
            debit, to = accounts[(seed * 7 + step) % 40], accounts[(seed * 11 + step * 3 + 1) % 40]
            if debit != to:
                move(now, f"{seed}:{step}", debit, to, 1)

    def bulk(seed: int) -> None:
        for step in range(5):
            post(accounts, now, f"bulk:{seed}:{step}", points=1)

    results = committed_database.run_together(
        *[lambda seed=seed: shuffle(seed) for seed in range(4)],
        *[lambda seed=seed: bulk(seed) for seed in range(2)],
    )
    assert results == [None] * 6
    assert sum(queries.balance(account).points.value for account in accounts) == 40 * 100 + 2 * 5 * 40
    assert list(queries.breaches()) == []


def test_one_system_account_opened_by_many_is_one(committed_database: Any) -> None:
    def open_it() -> int:
        with transaction.atomic():
            return operations.system_account("settlement:payable")

    assert len(set(committed_database.run_together(*[open_it] * 6))) == 1
