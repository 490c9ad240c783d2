"""Whoever is frozen is told why and until when to appeal; an appeal that is upheld leads to a free account."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.integration.behaviour.carbon_accounts.test_freezes import (
    CHECKER,
    REASON,
    decided,
    frozen,
    market,
    number_of,
    propose,
    sound,
)
from tests.integration.foundation.workflow.amending import rescind_last
from tests.rewards_market import Market

from tanpuhui.behaviour.carbon_accounts import operations, queries
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.messages import queries as messages
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import (
    AppealTooLate,
    CaseAlreadyOpen,
    NotIndependent,
    OpinionMissing,
    decide,
    tell_of_decision,
)

__all__ = ["market"]
pytestmark = pytest.mark.django_db
OTHER = Actor(kind="user", id="9020", grants=(Grant(role=Role.CHECKER, area="990000"),))
RULE = '  - {key: workflow.appeal_working_days, scope: account_freeze, value: "5", unit: working day, basis: 虚构, confidence: DEMO}\n'


def told(market: Market, person: int = 0) -> list[tuple[str, str]]:
    """Return title and body of what a person was told of freezes and appeals, the latest first."""
    user_id = int(market.people[person].id)
    views = [messages.view_of(row) for row in messages.messages_of(user_id)]
    return [(view.title_zh, view.body_zh) for view in views]


def appeal(market: Market, *, at: datetime | None = None, person: int = 0) -> operations.FreezeAppealed:
    return operations.appeal_freeze(
        actor=market.people[person], at=at or market.at, reason="记录是我本人的", idempotency_key="a1"
    )


def test_the_person_is_told_of_the_freeze_with_its_reason_and_of_the_release(market: Market) -> None:
    case_id = propose(market).case_id
    assert told(market) == []
    decided(case_id, "approve", market.at)
    ((title, body),) = told(market)
    assert title == "碳账户已冻结"
    assert REASON in body
    assert "规则没有规定期限" in body
    later = market.at + timedelta(days=3)
    decided(propose(market, "release", at=later, key="f2").case_id, "approve", later)
    assert told(market)[0][0] == "碳账户已解冻"
    assert told(market, person=1) == []


def test_an_urgent_freeze_says_when_it_ends_and_its_end_is_told(market: Market) -> None:
    case_id = propose(market, urgent=True).case_id
    ((_, body),) = told(market)
    assert "自行解除" in body
    decided(case_id, "reject", market.at + timedelta(hours=1))
    assert [title for title, _ in told(market)] == ["碳账户已解冻", "碳账户已冻结"]


def test_where_a_rule_sets_a_time_the_person_is_told_until_when(
    market: Market, invented_jurisdiction: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "province"
    shutil.copytree(invented_jurisdiction, folder)
    pack = folder / "rules" / "base.yaml"
    pack.write_text(pack.read_text(encoding="utf-8") + RULE, encoding="utf-8")
    load_jurisdiction(actor=SYSTEM, at=market.at - timedelta(days=4000), folder=folder)
    decided(propose(market).case_id, "approve", market.at)
    (view,) = queries.freezes(at=market.at)
    can, last = queries.freeze_appeal_until(view)
    assert can
    assert last is not None
    assert f"{last:%Y-%m-%d} 前（含当日）申诉" in told(market)[0][1]
    with pytest.raises(AppealTooLate):
        appeal(market, at=market.at + timedelta(days=30))
    appeal(market, at=market.at + timedelta(days=1))


def test_an_upheld_appeal_leads_to_a_free_account_and_the_proposal_waits_again(market: Market) -> None:
    proposed = propose(market)
    decided(proposed.case_id, "approve", market.at)
    filed = appeal(market)
    with pytest.raises(NotIndependent):
        decided(filed.case_id, "admit", market.at)
    for outcome in ("admit", "uphold"):
        decided(filed.case_id, outcome, market.at, actor=OTHER)
    assert frozen(market), "an upheld appeal alone frees nothing: two persons rescind the decision"
    (amendment,) = [
        one for one in workflow.case_file(proposed.case_id).related if one.process == "decision_amendment"
    ]
    maker = Actor(kind="user", id="9030", grants=(Grant(role=Role.MAKER, area="990000"),))
    decided(amendment.case_id, "propose_rescission", market.at, actor=maker)
    decided(amendment.case_id, "confirm_rescission", market.at, actor=OTHER)
    assert not frozen(market)
    assert queries.freeze_change(proposed.change_id).state == "proposed"
    assert told(market)[0][0] == "碳账户已解冻"
    market.reserve(market.good(), key="free again")
    assert sound()
    decided(proposed.case_id, "reject", market.at)
    assert not frozen(market)
    assert sound()


def test_the_person_reads_how_the_appeal_goes_and_may_take_it_back(market: Market) -> None:
    decided(propose(market).case_id, "approve", market.at)
    user_id = int(market.people[0].id)
    assert queries.freeze_appeal(user_id, at=market.at) is None
    filed = appeal(market)
    with pytest.raises(CaseAlreadyOpen):
        operations.appeal_freeze(
            actor=market.people[0], at=market.at, reason="再来一次", idempotency_key="a2"
        )
    decided(filed.case_id, "admit", market.at, actor=OTHER)
    decision = workflow.latest_decision(filed.case_id)
    assert decision is not None
    tell_of_decision(actor=SYSTEM, at=market.at, case_id=filed.case_id, decision_id=decision.decision_id)
    assert told(market)[0][0] == "您的办件：已受理"
    assert len(told(market)) == 2, "no message of the desk, which is closed to them"
    decide(
        actor=OTHER, at=market.at, idempotency_key=None, case_id=filed.case_id, outcome="dismiss",
        opinion="冻结的理由成立",
    )  # fmt: skip
    seen = queries.freeze_appeal(user_id, at=market.at)
    assert seen is not None
    assert (seen.state_zh, seen.closed, seen.reasons) == ("驳回申诉", True, "冻结的理由成立")
    again = operations.appeal_freeze(
        actor=market.people[0], at=market.at, reason="有新的材料", idempotency_key="a3"
    )
    decided(again.case_id, "withdraw", market.at, actor=market.people[0])
    assert frozen(market)
    assert sound()


def test_only_whoever_is_frozen_by_a_decision_can_appeal(market: Market) -> None:
    proposed = propose(market, urgent=True)
    for person in (0, 1):
        with pytest.raises(operations.FreezeNotAppealable):
            appeal(market, person=person)
    decided(proposed.case_id, "approve", market.at)
    with pytest.raises(OpinionMissing):
        operations.appeal_freeze(actor=market.people[0], at=market.at, reason=" ", idempotency_key="a0")
    with pytest.raises(operations.FreezeNotAppealable):
        appeal(market, person=1)
    assert appeal(market).number == number_of(market)


def test_rescinding_an_older_freeze_leaves_a_later_one(market: Market) -> None:
    first = propose(market)
    decided(first.case_id, "approve", market.at)
    decided(propose(market, "release", key="f2").case_id, "approve", market.at)
    decided(propose(market, key="f3").case_id, "approve", market.at)
    rescind_last(first.case_id, at=market.at, area="990000")
    assert frozen(market)
    assert sound()


def test_a_rescinded_release_freezes_again_for_the_first_reason_and_can_be_appealed(market: Market) -> None:
    first = propose(market)
    decided(first.case_id, "approve", market.at)
    release = operations.propose_freeze(
        actor=market.maker, at=market.at, number=number_of(market), kind="release", reason="已经核实", urgent=False,
        idempotency_key="f2",
    )  # fmt: skip
    decided(release.case_id, "approve", market.at, actor=CHECKER)
    rescind_last(release.case_id, at=market.at, area="990000")
    (view,) = queries.freezes(at=market.at)
    assert (view.reason, view.case_id) == (REASON, first.case_id)
    assert REASON in told(market)[0][1]
    assert appeal(market).number == number_of(market)
    assert sound()


def test_an_undoing_that_nobody_decided_is_refused_and_one_that_was_lost_is_found(market: Market) -> None:
    proposed = propose(market)
    decided(proposed.case_id, "approve", market.at)
    with pytest.raises(operations.FreezeNotDecided):
        operations.restore_freeze(
            actor=CHECKER,
            at=market.at,
            case_id=proposed.case_id,
            subject_id=str(proposed.change_id),
            opinion="x",
        )
    with connection.cursor() as cursor:
        cursor.execute("insert into carbon_account_freeze (account_id, change_id, frozen, reason, at) "
            "select account_id, id, false, '', now() from carbon_freeze_change where id = %s", [proposed.change_id])  # fmt: skip
    assert [breach.invariant for breach in queries.breaches()] == ["carbon_accounts.frozen_as_decided"]
