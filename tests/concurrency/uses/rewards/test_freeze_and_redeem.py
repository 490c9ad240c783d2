"""A redemption races the freeze of its account: it is done before, or refused after, and never half."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.carbon_accounts.test_freezes import decided, frozen, propose
from tests.rewards_market import Market, open_market

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.config.wiring import install
from tanpuhui.uses.rewards import queries

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
    install()
    return open_market(at=now, folder=invented_jurisdiction)


def test_a_redemption_that_races_a_freeze_is_whole_or_refused(
    committed_database: CommittedDatabase, market: Market
) -> None:
    good_id = market.good()
    case_id = propose(market).case_id
    results = committed_database.run_together(
        lambda: decided(case_id, "approve", market.at),
        *[lambda n=n: market.reserve(good_id, key=f"k{n}") for n in range(2)],
    )
    done = [type(result).__name__ for result in results[1:]]
    assert results[0] is None
    assert set(done) <= {"CouponReserved", "AccountFrozen"}
    coupons = done.count("CouponReserved")
    assert ledger.balance(market.accounts[0]).points.value == 250 - 100 * coupons
    assert queries.good(good_id).stock == 10 - coupons
    assert frozen(market)
    assert [*queries.breaches(), *ledger.breaches(), *accounts.breaches()] == []
