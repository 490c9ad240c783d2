"""An impact assessment is submitted by one person and decided by another; each is kept, and a rescinded one waits again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from tests.integration.behaviour.activity.town import build
from tests.integration.foundation.workflow.amending import rescind_last

from tanpuhui.behaviour.activity import operations, queries
from tanpuhui.behaviour.activity.domain.assessments import kept_until
from tanpuhui.behaviour.activity.models import ImpactAssessment
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted, Refusal
from tanpuhui.foundation.workflow.operations import SamePerson, decide

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))
ELSEWHERE = Actor(kind="user", id="9011", grants=(Grant(role=Role.MAKER, area="990200"),))


@pytest.fixture(autouse=True)
def _town(db: None) -> None:
    build(subjects=())


def proposed(
    now: datetime, *, actor: Actor = MAKER, key: str = "k", **given: object
) -> operations.AssessmentProposed:
    said: dict[str, object] = {
        "necessity": "只处理核算所需的刷卡时间和站点", "impact": "可能推知出行习惯", "measures": "加密、按同意、到期删除",
        "assessed_on": now.date(), "scenario": "bus",
    }  # fmt: skip
    return operations.propose_assessment(actor=actor, at=now, idempotency_key=key, **{**said, **given})  # type: ignore[arg-type]


def decided(case_id: int, outcome: str, actor: Actor, at: datetime) -> None:
    decide(actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion="同意")


def test_it_stands_once_another_person_decided_and_is_kept_three_years(now: datetime) -> None:
    made = proposed(now)
    both = Actor(kind="user", id=MAKER.id, grants=(*MAKER.grants, *CHECKER.grants))
    with pytest.raises(SamePerson):
        decided(made.case_id, "approve", both, now)
    with pytest.raises(Refusal) as refused:
        proposed(now, key="again")
    assert refused.value.code == "ASSESSMENT_OPEN"
    decided(made.case_id, "approve", CHECKER, now)
    (view,) = queries.assessments("bus")
    assert (view.state, view.kept_until) == ("approved", date(2029, 11, 20))
    later = proposed(now, key="later")
    decided(later.case_id, "reject", CHECKER, now)
    assert [one.state for one in queries.assessments("bus")] == ["rejected", "approved"]
    assert list(queries.breaches()) == []


def test_what_is_missing_early_or_elsewhere_is_refused(now: datetime) -> None:
    for given in (
        {"necessity": " "},
        {"impact": ""},
        {"measures": "x" * 2_001},
        {"assessed_on": now.date() + timedelta(days=1)},
    ):
        with pytest.raises(Invalid):
            proposed(now, **given)
    with pytest.raises(NotPermitted):
        proposed(now, actor=ELSEWHERE)


def test_a_rescinded_approval_leaves_it_waiting(now: datetime) -> None:
    made = proposed(now)
    decided(made.case_id, "approve", CHECKER, now)
    rescind_last(made.case_id, at=now, area="990000")
    assert queries.assessment(made.assessment_id).state == "proposed"
    decided(made.case_id, "reject", CHECKER, now)
    assert queries.assessment(made.assessment_id).state == "rejected"


def test_the_leap_day_has_an_end_too() -> None:
    assert kept_until(date(2028, 2, 29)) == date(2031, 3, 1)


def test_one_that_stands_without_a_decision_is_found(now: datetime) -> None:
    made = proposed(now)
    ImpactAssessment.objects.filter(pk=made.assessment_id).update(state="approved")
    assert [one.invariant for one in queries.breaches()] == ["activity.assessments_are_decided"]
