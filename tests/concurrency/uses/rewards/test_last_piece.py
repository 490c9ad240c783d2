"""Two people want the last piece, and one coupon is shown at two tills: exactly one effect each."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.rewards_market import Market, open_market

from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.uses.rewards import operations, queries

pytestmark = pytest.mark.concurrency


@pytest.fixture
def market(
    committed_database: CommittedDatabase,
    now: datetime,
    invented_jurisdiction: Path,
    settings: Settings,
    tmp_path: Path,
) -> Market:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    return open_market(at=now, folder=invented_jurisdiction)


def names(results: object) -> list[str]:
    return sorted(type(result).__name__ for result in results)  # type: ignore[attr-defined]


def sound() -> bool:
    return [*queries.breaches(), *ledger.breaches()] == []


def test_two_people_redeem_the_last_piece(committed_database: CommittedDatabase, market: Market) -> None:
    good_id = market.good(stock=1)
    results = committed_database.run_together(
        lambda: market.reserve(good_id, person=0), lambda: market.reserve(good_id, person=1)
    )
    assert names(results) == ["CouponReserved", "OutOfStock"]
    assert queries.good(good_id).stock == 0
    assert sum(ledger.balance(account).points.value for account in market.accounts) == 400
    assert sound()


def test_one_person_spends_the_same_points_on_two_goods(
    committed_database: CommittedDatabase, market: Market
) -> None:
    goods = [market.good(), market.good(), market.good()]
    results = committed_database.run_together(
        *[lambda good=good, n=n: market.reserve(good, key=f"k{n}") for n, good in enumerate(goods)]
    )
    assert names(results) == ["CouponReserved", "CouponReserved", "NotEnoughPoints"]
    assert ledger.balance(market.accounts[0]).points == Points(50)
    assert sound()


def test_the_same_request_sent_five_times_is_one_coupon(
    committed_database: CommittedDatabase, market: Market
) -> None:
    good_id = market.good()
    results = committed_database.run_together(*[lambda: market.reserve(good_id) for _ in range(5)])
    assert len({result.code for result in results}) == 1
    assert queries.good(good_id).stock == 9
    assert sound()


def test_one_coupon_at_two_tills_is_honoured_once(
    committed_database: CommittedDatabase, market: Market
) -> None:
    code = market.reserve(market.good()).code

    def honour(key: str) -> operations.CouponHonoured:
        return operations.honour_coupon(
            actor=market.merchant, at=market.at, idempotency_key=key, code=code, place=key
        )

    results = committed_database.run_together(lambda: honour("till 1"), lambda: honour("till 2"))
    assert names(results) == ["CouponHonoured", "CouponUsed"]
    assert len(queries.settlement_lines(merchant_id=market.merchant_id)) == 1
    assert sound()


def test_honouring_cancelling_and_expiring_at_once_have_one_effect(
    committed_database: CommittedDatabase, market: Market
) -> None:
    good_id = market.good()
    code = market.reserve(good_id).code
    overdue = market.at + timedelta(days=31)
    results = committed_database.run_together(
        lambda: operations.honour_coupon(actor=market.merchant, at=market.at, idempotency_key="h", code=code),
        lambda: operations.cancel_coupon(
            actor=market.people[0], at=market.at, idempotency_key="c", code=code
        ),
        lambda: operations.expire_coupons(actor=SYSTEM, at=overdue),
    )
    assert not [
        result
        for result in results
        if isinstance(result, Exception)
        and not isinstance(
            result, operations.CouponUsed | operations.CouponCancelled | operations.CouponExpired
        )
    ]
    state = queries.coupon(code).state
    assert state in {"honoured", "cancelled", "expired"}
    assert queries.good(good_id).stock == (9 if state == "honoured" else 10)
    assert sound()
