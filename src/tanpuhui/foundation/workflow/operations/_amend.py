"""Correct or rescind a decision (更正、撤销): a case of its own, proposed by one person and confirmed by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    DEADLINE_ROLES,
    DECISION_SUBJECT,
    RESCIND,
    CannotRescind,
    NotCaseMember,
    standing,
)
from tanpuhui.foundation.workflow.models import Case, CaseRelation, Decision, DecisionCorrection
from tanpuhui.foundation.workflow.operations._decide import announce, decide, move, sign
from tanpuhui.foundation.workflow.operations._notices import close_notice
from tanpuhui.foundation.workflow.operations._open_case import CaseOpened, open_case
from tanpuhui.foundation.workflow.operations._undo import Instead, undo_of
from tanpuhui.foundation.workflow.queries import decision_label, facts_of, latest_decision

PROCESS = "decision_amendment"
AMENDS = "amends"


class Amendment(StrEnum):
    """What is proposed: another wording, or that the decision no longer stands."""

    CORRECTION = "correction"
    RESCISSION = "rescission"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentProposed:
    """The case in which somebody else confirms or rejects the proposal."""

    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAmended:
    """The decision that was corrected or rescinded, and where its case stands now."""

    case_id: int
    decision_id: int
    state: str


@operation(roles=set(DEADLINE_ROLES), subject="case:{case_id}")
def propose_amendment(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    decision_id: int,
    kind: Amendment,
    reason: str,
    wording: str = "",
) -> AmendmentProposed:
    """Propose that a decision be corrected to another wording, or rescinded; somebody else confirms it.

    The reason is the opinion of the proposal. Raises NotFound, NotCaseMember, CannotRescind, CaseAlreadyOpen, ValueMissing,
    OpinionMissing.
    """
    decision = _decision(decision_id)
    if not actor.has(*DEADLINE_ROLES, area=decision.case.area):
        raise NotCaseMember(
            number=decision.case.number, act_zh="提出更正或撤销", act_en="propose to amend its decision"
        )
    opened = open_amendment(actor=actor, at=at, decision=decision)
    decide(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=opened.case_id,
        outcome=f"propose_{kind.value}",
        opinion=reason,
        values={"wording": wording} if kind == Amendment.CORRECTION else {},
    )
    return AmendmentProposed(case_id=opened.case_id, number=opened.number)


def open_amendment(*, actor: Actor, at: datetime, decision: Decision) -> CaseOpened:
    """Open the case in which a decision is corrected or rescinded, bound to the case of the decision.

    It lies with the staff of the area: the parties learn of the result on their own case.
    """
    label = decision_label(decision.pk)
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=DECISION_SUBJECT,
        subject_id=str(decision.pk),
        title=f"{decision.case.number} 第 {decision.step} 步“{label}”",
        area=decision.case.area,
    )
    CaseRelation.objects.create(case_id=opened.case_id, other_id=decision.case_id, kind=AMENDS, at=at)
    return opened


@operation(roles=set(), subject="case:{case_id}")
def correct_decision(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> DecisionAmended:
    """Effect of `confirm_correction`: the proposed wording stands beside the first one, which stays. Raises NotPermitted."""
    proposal = _proposal(case_id, subject_id, kind=Amendment.CORRECTION)
    decision = _decision(int(subject_id))
    DecisionCorrection.objects.create(
        decision=decision,
        version=decision.corrections.count() + 2,
        opinion=proposal.values["wording"],
        reason=proposal.opinion,
        amendment_id=case_id,
        at=at,
    )
    return DecisionAmended(case_id=decision.case_id, decision_id=decision.pk, state=decision.case.state)


@operation(roles=set(), subject="case:{case_id}")
def rescind_decision(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> DecisionAmended:
    """Effect of `confirm_rescission`: the decision no longer stands, its case is where it came from, its effect is undone.

    The case's deadline is reckoned anew; a public notice that the decision opened is closed. Raises NotPermitted,
    CannotRescind, and whatever the undoing refuses; then nothing at all is written.
    """
    proposal = _proposal(case_id, subject_id, kind=Amendment.RESCISSION)
    confirmed = latest_decision(case_id)
    gone = _decision(int(subject_id))
    case = Case.objects.select_for_update(of=("self",)).get(pk=gone.case_id)
    check_rescindable(gone)
    version = rulebook.process_by_id(case.process_version_id)
    label = decision_label(gone.pk)
    if confirmed is None:
        raise NotPermitted(operation="workflow.rescind_decision")
    row = sign(
        Decision(
            case=case,
            step=case.step + 1,
            outcome=RESCIND,
            from_state=gone.to_state,
            to_state=gone.from_state,
            actor_kind=confirmed.actor_kind,
            actor_id=confirmed.actor_id,
            on_behalf_of=confirmed.on_behalf_of,
            role=confirmed.role,
            organisation_id=confirmed.organisation_id,
            opinion=proposal.opinion,
            at=at,
            rescinds=gone,
        )
    )
    close_notice(case, at=at, result=f"“{label}”已撤销", result_en="The decision was rescinded")
    move(case, version=version, state=gone.from_state, at=at)
    undo = undo_of(subject_type=case.subject_type, outcome=gone.outcome)
    if not isinstance(undo, Instead):
        undo(actor=actor, at=at, case_id=case.pk, subject_id=case.subject_id, opinion=opinion)
    announce(case, decision=row)
    return DecisionAmended(case_id=case.pk, decision_id=gone.pk, state=case.state)


def rescindable(*, at: datetime, case_id: int, subject_id: str) -> None:
    """Guard: refuse while the decision that the case is about cannot be rescinded. Raises NotFound, CannotRescind."""
    check_rescindable(_decision(int(subject_id)))


def check_rescindable(decision: Decision) -> None:
    """Refuse unless the decision is the last that stands, and its effect can be undone. Raises CannotRescind."""
    case = decision.case
    why = _obstacle(decision, case)
    if why is not None:
        raise CannotRescind(number=case.number, step=decision.step, why_zh=why.zh, why_en=why.en)


def _obstacle(decision: Decision, case: Case) -> Instead | None:
    last = next(reversed(standing(facts_of(case).decisions)), None)
    if last is None or last.step != decision.step:
        return Instead(
            zh="它不是本案现在有效的最后一项决定，请从最后一项开始，逐项撤销",
            en="it is not the last decision that stands; rescind from the last one backwards",
        )
    version = rulebook.process_by_id(case.process_version_id)
    if version.state(decision.from_state).notice:
        return Instead(
            zh="撤销后案件要回到已经结束的公示，公示不能倒回；请退回补正后重新公示",
            en="the case would return into a public notice that is over; return it for correction and give notice anew",
        )
    other = Case.objects.filter(
        process=case.process,
        subject_type=case.subject_type,
        subject_id=case.subject_id,
        closed_at__isnull=True,
    ).exclude(pk=case.pk)
    if case.closed_at is not None and (running := other.first()) is not None:
        return Instead(
            zh=f"同一事项已另有在办案件 {running.number}，请在该案件中办理",
            en=f"the matter has another running case {running.number}; continue there",
        )
    undo = undo_of(subject_type=case.subject_type, outcome=decision.outcome)
    return undo if isinstance(undo, Instead) else None


def _decision(decision_id: int) -> Decision:
    row = Decision.objects.select_related("case").filter(pk=decision_id).first()
    if row is None:
        raise NotFound(what="决定 / decision", id=decision_id)
    return row


def _proposal(case_id: int, subject_id: str, *, kind: Amendment) -> Decision:
    """Return what was proposed, if the amendment's latest decision confirms it. Raises NotPermitted otherwise."""
    case = Case.objects.filter(pk=case_id, subject_type=DECISION_SUBJECT, subject_id=subject_id).first()
    confirmed = latest_decision(case_id)
    proposed = (
        Decision.objects.filter(case_id=case_id, outcome=f"propose_{kind.value}").order_by("-step").first()
    )
    if case is None or confirmed is None or proposed is None or confirmed.outcome != f"confirm_{kind.value}":
        raise NotPermitted(operation=f"workflow.confirm_{kind.value}")
    return proposed
