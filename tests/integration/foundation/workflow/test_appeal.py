"""A party appeals; somebody who decided nothing in the case decides; what was wrong is then corrected or rescinded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.foundation.workflow.amending import Amending, amending
from tests.integration.foundation.workflow.conftest import organisation
from tests.integration.foundation.workflow.made_up_province import PACK

from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import CaseRelation
from tanpuhui.foundation.workflow.operations import (
    AppealTooLate,
    CaseAlreadyOpen,
    NothingToAppeal,
    NotIndependent,
    OpinionMissing,
    file_appeal,
    uphold_appeal,
)

__all__ = ["amending"]
pytestmark = pytest.mark.django_db


def returned(amending: Amending) -> int:
    """Return a case that the centre's checker sent back: prepared by one, turned down by another."""
    province = amending.province
    case_id = amending.verified()
    province.decide(case_id, "prepare", province.actor(Role.MAKER, user_id=71))
    province.decide(case_id, "reject", province.actor(Role.CHECKER, user_id=72))
    return case_id


def appeal(
    amending: Amending, case_id: int, *, actor: Actor | None = None, reason: str = "数据没有错误"
) -> int:
    return file_appeal(
        actor=actor or amending.province.actor(Role.OWNER),
        at=amending.province.at,
        idempotency_key=None,
        case_id=case_id,
        reason=reason,
    ).case_id


def waiting(amending: Amending, actor: Actor) -> list[int]:
    return [line.case.case_id for line in queries.inbox(actor=actor, at=amending.province.at)]


def test_an_appeal_is_upheld_by_somebody_else_and_the_decision_then_rescinded(amending: Amending) -> None:
    province, case_id = amending.province, returned(amending)
    appealed = appeal(amending, case_id)
    other = province.actor(Role.CHECKER, user_id=73)
    province.decide(appealed, "admit", other)
    province.decide(appealed, "uphold", other, opinion="原决定依据有误")
    (amendment,) = [one for one in queries.case_file(case_id).related if one.process == "decision_amendment"]
    assert (amendment.state_zh, amendment.closed) == ("待提出", False)
    maker = province.actor(Role.MAKER, user_id=74)
    assert amendment.case_id in waiting(amending, maker)
    province.decide(amendment.case_id, "propose_rescission", maker, opinion="申诉成立")
    province.decide(amendment.case_id, "confirm_rescission", other)
    assert queries.case(case_id).state == "prepared"
    assert list(queries.breaches()) == []


def test_the_three_cases_know_each_other(amending: Amending) -> None:
    case_id = returned(amending)
    appealed = appeal(amending, case_id)
    other = amending.province.actor(Role.CHECKER, user_id=73)
    amending.province.decide(appealed, "admit", other)
    amending.province.decide(appealed, "uphold", other)
    relations = set(CaseRelation.objects.values_list("case__process", "other__process", "kind"))
    assert relations == {
        ("appeal", "issuance", "appeals"),
        ("decision_amendment", "issuance", "amends"),
        ("decision_amendment", "appeal", "follows"),
    }


@pytest.mark.parametrize("user_id", [71, 72], ids=["who prepared", "who rejected"])
def test_who_decided_in_the_case_decides_nothing_in_the_appeal(amending: Amending, user_id: int) -> None:
    province = amending.province
    appealed = appeal(amending, returned(amending))
    own = province.actor(Role.CHECKER, user_id=user_id)
    behalf = Actor(
        kind="user",
        id="90",
        grants=(
            Grant(
                role=Role.CHECKER,
                organisation_id=province.owner_id,
                area=province.area,
                on_behalf_of=str(user_id),
            ),
        ),
    )
    for actor in (own, behalf):
        assert queries.available_outcomes(actor=actor, case_id=appealed, at=province.at) == ()
        assert appealed not in waiting(amending, actor)
        with pytest.raises(NotIndependent):
            province.decide(appealed, "admit", actor)
    assert appealed in waiting(amending, province.actor(Role.CHECKER, user_id=73))


def test_a_dismissed_appeal_leaves_the_decision_as_it_was(amending: Amending) -> None:
    province, case_id = amending.province, returned(amending)
    appealed = appeal(amending, case_id)
    regulator = province.actor(Role.REGULATOR)
    province.decide(appealed, "admit", regulator)
    with pytest.raises(OpinionMissing):
        province.decide(appealed, "dismiss", regulator, opinion=" ")
    province.decide(appealed, "dismiss", regulator, opinion="原决定无误")
    assert queries.case(case_id).state == "rejected"
    assert {one.process for one in queries.case_file(case_id).related} == {"appeal"}


def test_where_no_rule_sets_a_time_a_person_decides_whether_it_is_admitted_and_says_why(
    amending: Amending,
) -> None:
    case_id = returned(amending)
    amending.province.at += timedelta(days=400)
    appealed = appeal(amending, case_id)
    regulator = amending.province.actor(Role.REGULATOR)
    done = amending.province.decide(appealed, "refuse_admission", regulator, opinion="已过一年，不予受理")
    assert done.state == "not_admitted"
    assert queries.timeline(appealed)[-1].opinion == "已过一年，不予受理"


def test_where_a_rule_sets_a_time_a_late_appeal_is_refused_and_says_until_when_it_was_open(
    amending: Amending,
) -> None:
    province = amending.province
    line = '  - {key: workflow.appeal_working_days, scope: "issuance", value: "5", unit: working day, basis: 试验规则, confidence: DEMO}\n'
    (amending.folder / "rules" / "base.yaml").write_text(PACK + line, encoding="utf-8")
    load_jurisdiction(actor=SYSTEM, at=province.at - timedelta(days=4000), folder=amending.folder)
    case_id = returned(amending)
    province.at += timedelta(days=8)  # 28 November, the fifth working day
    appeal(amending, case_id)
    other = amending.province.open("issuance", subject_id="2").case_id
    province.decide(other, "submit", Role.OWNER)
    province.decide(other, "return", Role.VERIFIER)
    province.at += timedelta(days=30)
    with pytest.raises(AppealTooLate) as refused:
        appeal(amending, other)
    assert refused.value.data["last_day"] == "2026-12-04"


def test_an_appeal_is_withdrawn_by_who_filed_it(amending: Amending) -> None:
    appealed = appeal(amending, returned(amending))
    owner = amending.province.actor(Role.OWNER)
    assert appealed in waiting(amending, owner)
    assert amending.province.decide(appealed, "withdraw", owner).state == "withdrawn"


def test_the_verifier_appeals_as_the_party_that_it_is(amending: Amending) -> None:
    verifier = amending.province.actor(Role.VERIFIER)
    appealed = appeal(amending, returned(amending), actor=verifier)
    assert amending.province.decide(appealed, "withdraw", verifier).state == "withdrawn"


def test_only_a_party_appeals_and_only_against_a_decision_of_another(amending: Amending) -> None:
    province = amending.province
    fresh = province.open("issuance").case_id
    with pytest.raises(NothingToAppeal):
        appeal(amending, fresh)
    province.decide(fresh, "submit", Role.OWNER)
    with pytest.raises(NothingToAppeal) as refused:
        appeal(amending, fresh)
    assert "你方自己" in refused.value.message("zh")
    province.decide(fresh, "return", Role.VERIFIER)
    stranger = province.actor(
        Role.BUYER, organisation_id=organisation("buyer", 8, at=province.at, area=province.area)
    )
    with pytest.raises(NothingToAppeal):
        appeal(amending, fresh, actor=stranger)
    with pytest.raises(NotPermitted):
        appeal(amending, fresh, actor=province.actor(Role.CHECKER))
    with pytest.raises(NotFound):
        appeal(amending, 10**9)
    with pytest.raises(OpinionMissing):
        appeal(amending, fresh, reason=" ")
    assert queries.cases_of("case", str(fresh)) == ()


def test_one_appeal_at_a_time_and_none_against_its_result(amending: Amending) -> None:
    case_id = returned(amending)
    appealed = appeal(amending, case_id)
    with pytest.raises(CaseAlreadyOpen):
        appeal(amending, case_id)
    amending.province.decide(appealed, "refuse_admission", Role.REGULATOR)
    with pytest.raises(NothingToAppeal):
        appeal(amending, appealed)


def test_nobody_upholds_past_the_case(amending: Amending) -> None:
    case_id = returned(amending)
    appealed = appeal(amending, case_id)
    with pytest.raises(NotPermitted):
        uphold_appeal(
            actor=amending.province.actor(Role.REGULATOR),
            at=amending.province.at,
            case_id=appealed,
            subject_id=str(case_id),
            opinion="同意",
        )
