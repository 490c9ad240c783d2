"""Assess what a scenario does with personal data (个人信息保护影响评估): a maker writes it, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.domain.assessments import (
    PROCESS,
    SUBJECT_TYPE,
    WORDS_CHARACTERS_MAX,
    AssessmentNotDecided,
    AssessmentOpen,
    AssessmentState,
)
from tanpuhui.behaviour.activity.models import ImpactAssessment, Scenario
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssessmentProposed:
    """An assessment waits for the checker."""

    assessment_id: int
    case_id: int
    case_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AssessmentSettled:
    """What a decision made of an assessment."""

    assessment_id: int
    state: str


@operation(roles={Role.MAKER}, subject="impact_assessment:{assessment_id}")
def propose_assessment(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    scenario: str,
    necessity: str,
    impact: str,
    measures: str,
    assessed_on: date,
) -> AssessmentProposed:
    """Open the case of an assessment and sign it as its maker; the report itself is attached to the case.

    By a maker of the scenario's area. `necessity`, `impact` and `measures` are the three points of 个人信息保护法 article 56.
    Raises NotFound, NotPermitted, Invalid, AssessmentOpen, and what opening and deciding a case raises.
    """
    row = Scenario.objects.select_for_update().filter(code=scenario).first()
    if row is None:
        raise NotFound(what="场景 / scenario", id=scenario)
    actor.require(Role.MAKER, operation="activity.propose_assessment", area=row.area)
    for name, words in (("necessity", necessity), ("impact", impact), ("measures", measures)):
        if not words.strip() or len(words) > WORDS_CHARACTERS_MAX:
            raise Invalid(field=name, why=f"必填，不超过 {WORDS_CHARACTERS_MAX} 字 / required, and brief")
    if assessed_on > business_day(at):
        raise Invalid(field="assessed_on", why="评估日期还没有到 / the day is still to come")
    if ImpactAssessment.objects.filter(scenario=row, state=AssessmentState.PROPOSED).exists():
        raise AssessmentOpen(scenario=row.name_zh)
    made = ImpactAssessment.objects.create(
        scenario=row,
        necessity=necessity.strip(),
        impact=impact.strip(),
        measures=measures.strip(),
        assessed_on=assessed_on,
        state=AssessmentState.PROPOSED,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(made.pk),
        title=row.name_zh,
        area=row.area,
    )
    made.case_id = opened.case_id
    made.save(update_fields=["case_id"])
    opinion = f"{row.name_zh} {assessed_on:%Y-%m-%d}"
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=opinion)
    return AssessmentProposed(assessment_id=made.pk, case_id=opened.case_id, case_number=opened.number)


@operation(roles=set(), subject="impact_assessment:{assessment_id}")
def approve_assessment(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AssessmentSettled:
    """Effect of `approve`: the assessment stands."""
    return _settle(case_id, subject_id, "approve", AssessmentState.APPROVED)


@operation(roles=set(), subject="impact_assessment:{assessment_id}")
def reject_assessment(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AssessmentSettled:
    """Effect of `reject`: it has to be made again."""
    return _settle(case_id, subject_id, "reject", AssessmentState.REJECTED)


@operation(roles=set(), subject="impact_assessment:{assessment_id}")
def withdraw_assessment(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AssessmentSettled:
    """Effect of `withdraw`: the maker takes it back."""
    return _settle(case_id, subject_id, "withdraw", AssessmentState.WITHDRAWN)


@operation(roles=set(), subject="impact_assessment:{assessment_id}")
def restore_assessment(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AssessmentSettled:
    """Undo of a decision that is rescinded: the assessment waits again. Raises AssessmentOpen."""
    made = ImpactAssessment.objects.select_related("scenario").filter(pk=int(subject_id)).first()
    if made is None or made.case_id != case_id or workflow.latest_outcome(case_id) != workflow.RESCIND:
        raise AssessmentNotDecided(case_id=case_id, outcome=workflow.RESCIND)
    if ImpactAssessment.objects.filter(scenario=made.scenario, state=AssessmentState.PROPOSED).exists():
        raise AssessmentOpen(scenario=made.scenario.name_zh)
    made.state = AssessmentState.PROPOSED
    made.save(update_fields=["state"])
    return AssessmentSettled(assessment_id=made.pk, state=made.state)


def _settle(case_id: int, subject_id: str, outcome: str, state: AssessmentState) -> AssessmentSettled:
    """Settle the assessment, locked, if its case's latest decision is this outcome on it."""
    made = ImpactAssessment.objects.select_for_update().filter(pk=int(subject_id)).first()
    if (
        made is None
        or made.case_id != case_id
        or made.state != AssessmentState.PROPOSED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise AssessmentNotDecided(case_id=case_id, outcome=outcome)
    made.state = state
    made.save(update_fields=["state"])
    return AssessmentSettled(assessment_id=made.pk, state=state.value)
