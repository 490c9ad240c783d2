"""A frozen account gets what it earns and gives nothing; two people freeze it, one for some hours where it is urgent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings
from tests.rewards_market import AREA, Market, open_market

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.config.wiring import install
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.workflow.operations import SamePerson, decide
from tanpuhui.uses.rewards.operations import cancel_coupon

CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
REASON = "记录来源待核实"


@pytest.fixture
def market(
    db: None, now: datetime, invented_jurisdiction: Path, settings: Settings, tmp_path: Path
) -> Market:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    install()
    return open_market(at=now, folder=invented_jurisdiction)


def number_of(market: Market) -> str:
    return queries.account_of_user(int(market.people[0].id)).number


def propose(
    market: Market, kind: str = "freeze", *, urgent: bool = False, at: datetime | None = None, key: str = "f1"
) -> operations.FreezeProposed:
    return operations.propose_freeze(
        actor=market.maker, at=at or market.at, number=number_of(market), kind=kind, reason=REASON, urgent=urgent,
        idempotency_key=key,
    )  # fmt: skip


def decided(case_id: int, outcome: str, at: datetime, *, actor: Actor = CHECKER) -> None:
    decide(actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="已核对")


def frozen(market: Market, at: datetime | None = None) -> bool:
    return queries.freeze_of_user(int(market.people[0].id), at=at or market.at) is not None


def sound() -> bool:
    return [*queries.breaches(), *ledger.breaches()] == []


def test_two_people_freeze_and_release_and_nothing_is_redeemed_meanwhile(market: Market) -> None:
    good_id = market.good()
    held = market.reserve(good_id, key="before")
    proposed = propose(market)
    assert not frozen(market)
    decided(proposed.case_id, "approve", market.at)
    with pytest.raises(operations.AccountFrozen) as refused:
        market.reserve(good_id, key="during")
    assert REASON in refused.value.message("zh")
    with pytest.raises(operations.AccountFrozen):
        market.reserve(good_id, key="asked before, done after", at=market.at - timedelta(seconds=1))
    cancel_coupon(actor=market.people[0], at=market.at, code=held.code, idempotency_key="c")
    assert ledger.balance(market.accounts[0]).points == Points(250)
    market.reserve(good_id, key="other", person=1)
    later = market.at + timedelta(days=30)
    assert [one.number for one in queries.freezes(at=later)] == [number_of(market)]
    decided(propose(market, "release", at=later, key="f2").case_id, "approve", later)
    market.reserve(good_id, key="after", at=later)
    assert sound()


def test_an_urgent_freeze_holds_at_once_and_ends_by_itself(market: Market) -> None:
    proposed = propose(market, urgent=True)
    assert proposed.until == market.at + timedelta(hours=24)
    assert frozen(market)
    assert frozen(market, market.at + timedelta(hours=23, minutes=59))
    assert not frozen(market, market.at + timedelta(hours=24))
    decided(proposed.case_id, "approve", market.at + timedelta(hours=30))
    assert frozen(market, market.at + timedelta(days=300))
    assert sound()


@pytest.mark.parametrize(("outcome", "who"), [("reject", "checker"), ("withdraw", "maker")])
def test_an_urgent_freeze_ends_when_it_is_not_confirmed(market: Market, outcome: str, who: str) -> None:
    proposed = propose(market, urgent=True)
    decided(proposed.case_id, outcome, market.at, actor=CHECKER if who == "checker" else market.maker)
    assert not frozen(market)
    assert sound()


def test_the_same_person_may_not_decide_and_one_proposal_is_open_at_a_time(market: Market) -> None:
    proposed = propose(market)
    both = Actor(
        kind="user",
        id=market.maker.id,
        grants=(*market.maker.grants, Grant(role=Role.CHECKER, area="990000")),
    )
    with pytest.raises(SamePerson):
        decided(proposed.case_id, "approve", market.at, actor=both)
    with pytest.raises(operations.FreezeChangeOpen):
        propose(market, key="f2")
    with pytest.raises(operations.FreezeCannotFollow):
        propose(market, "release", key="f3")
    elsewhere = Actor(kind="user", id="9", grants=(Grant(role=Role.MAKER, area="990200"),))
    with pytest.raises(NotPermitted):
        operations.propose_freeze(
            actor=elsewhere, at=market.at, number=number_of(market), kind="freeze", reason=REASON, urgent=False,
            idempotency_key="x",
        )  # fmt: skip
    with pytest.raises(NotFound):
        operations.propose_freeze(
            actor=market.maker, at=market.at, number="nobody", kind="freeze", reason=REASON, urgent=False,
            idempotency_key="y",
        )  # fmt: skip


def test_an_effect_without_its_decision_changes_nothing(market: Market) -> None:
    proposed = propose(market)
    with pytest.raises(operations.FreezeNotDecided):
        operations.approve_freeze(
            actor=CHECKER,
            at=market.at,
            case_id=proposed.case_id,
            subject_id=str(proposed.change_id),
            opinion="x",
        )
    assert not frozen(market)


def test_a_freeze_that_nobody_decided_is_found_and_history_stays(market: Market) -> None:
    proposed = propose(market)
    decided(proposed.case_id, "approve", market.at)
    with connection.cursor() as cursor:
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("update carbon_account_freeze set frozen = false")
        cursor.execute(
            "update carbon_freeze_change set state = 'rejected' where id = %s", [proposed.change_id]
        )
    assert [breach.invariant for breach in queries.breaches()] == ["carbon_accounts.frozen_as_decided"]
    assert queries.freeze_change(proposed.change_id).number.startswith(AREA)
