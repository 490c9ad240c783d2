from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import delegation_over
from tanpuhui.foundation.kernel.actors import Actor, Grant
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    AssignedToOther,
    CaseFacts,
    CaseMoved,
    NotYourDecision,
    OutcomeNotOpen,
    acting_grants,
    assignment_refusal,
    checked_opinion,
    checked_values,
    leaving,
    two_person_refusal,
)
from tanpuhui.foundation.workflow.events import CaseDecided
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.operations._deadlines import reckon
from tanpuhui.foundation.workflow.operations._effects import effect_of
from tanpuhui.foundation.workflow.operations._letters import number_letter
from tanpuhui.foundation.workflow.operations._notices import close_notice, open_notice
from tanpuhui.foundation.workflow.queries import (
    actor_name,
    asks_of,
    check_evidence,
    check_guard,
    decision_sha256,
    facts_of,
)

_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A case has moved; `state` is the new one."""

    case_id: int
    number: str
    outcome: str
    state: str


@operation(roles=set(), subject="case:{case_id}")
def decide(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    outcome: str,
    opinion: str,
    evidence: Sequence[str] = (),
    seen_step: int | None = None,
    values: Mapping[str, str] | None = None,
) -> Decided:
    """Move a case along one transition of its pinned process version, and set off what the outcome means.

    The opinion is mandatory. `evidence` are SHA-256 (hex) of stored documents; `values` what the process asks for,
    and the days of a notice that no rule sets. `seen_step` is the step the person had on the screen: when the case
    has moved since, the decision is refused even where the outcome is open again. A state with a notice opens it.
    Raises NotFound, CaseMoved, OutcomeNotOpen, NotYourDecision, SamePerson, AssignedToOther, DelegationOver, GuardUnproven,
    OpinionMissing, OpinionTooLong, ValueMissing, ValueWrong, EvidenceMissing, Invalid, and whatever a guard or the
    effect refuses; then nothing at all is written.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    version = rulebook.process_by_id(case.process_version_id)
    facts = facts_of(case)
    if seen_step is not None and seen_step != case.step:
        raise moved(facts, version=version, opinion=opinion)
    transition, grant = _permitted(
        facts, version=version, outcome=outcome, actor=actor, opinion=opinion, at=at
    )
    decision = _checked(
        case,
        version=version,
        transition=transition,
        opinion=opinion,
        evidence=evidence,
        values=values or {},
        at=at,
    )
    decision.actor_kind, decision.actor_id = actor.kind, actor.id
    decision.on_behalf_of, decision.organisation_id = grant.on_behalf_of, grant.organisation_id
    sign(decision)
    if transition.document:
        number_letter(decision, kind=transition.document)
    close_notice(case, at=at, result=transition.label_zh, result_en=transition.label_en)
    move(case, version=version, state=transition.target, at=at)
    if version.state(case.state).notice:
        open_notice(case, version=version, decision=decision)
    effect = effect_of(subject_type=case.subject_type, outcome=outcome)
    effect(actor=actor, at=at, case_id=case.pk, subject_id=case.subject_id, opinion=decision.opinion)
    announce(case, decision=decision)
    return Decided(case_id=case.pk, number=case.number, outcome=outcome, state=case.state)


def _checked(
    case: Case,
    *,
    version: rulebook.ProcessVersion,
    transition: rulebook.Transition,
    opinion: str,
    evidence: Sequence[str],
    values: Mapping[str, str],
    at: datetime,
) -> Decision:
    """Return the decision, not yet written, once everything that the process demands of it is there."""
    text = checked_opinion(opinion)
    if any(_SHA256.match(sha256) is None for sha256 in evidence):
        raise Invalid(field="evidence", why="SHA-256 (hex) expected")
    given = checked_values(
        asks_of(transition, version=version, at=at), values, number=case.number, outcome=transition.outcome
    )
    check_evidence(case=case, kinds=transition.evidence, outcome=transition.outcome)
    for guard in transition.guards:
        check_guard(guard, subject_type=case.subject_type, at=at, case_id=case.pk, subject_id=case.subject_id)
    return Decision(
        case=case,
        step=case.step + 1,
        outcome=transition.outcome,
        from_state=case.state,
        to_state=transition.target,
        role=transition.role,
        opinion=text,
        evidence=list(evidence),
        values=given,
        at=at,
    )


def _permitted(
    case: CaseFacts,
    *,
    version: rulebook.ProcessVersion,
    outcome: str,
    actor: Actor,
    opinion: str,
    at: datetime,
) -> tuple[rulebook.Transition, Grant]:
    """Return the transition and the grant that allows it, or refuse with the most telling reason."""
    ways_out = leaving(version.transitions, case.state)
    candidates = [transition for transition in ways_out if transition.outcome == outcome]
    if not candidates:
        known = any(transition.outcome == outcome for transition in version.transitions)
        if known and case.decisions:
            raise moved(case, version=version, opinion=opinion)
        names = ", ".join(sorted({transition.outcome for transition in ways_out})) or "—"
        raise OutcomeNotOpen(number=case.number, state=case.state, outcome=outcome, open=names)
    refusal: Refusal | None = None
    for transition in candidates:
        for grant in acting_grants(transition=transition, case=case, actor=actor):
            refusal = two_person_refusal(
                transition=transition, case=case, actor=actor, grant=grant
            ) or assignment_refusal(transition=transition, case=case, actor=actor, grant=grant)
            if refusal is None:
                return transition, grant
    if isinstance(refusal, AssignedToOther):
        refusal = AssignedToOther(number=case.number, who=actor_name(kind="user", id=case.assigned_to))
    over = delegation_over(
        actor=actor, roles=[transition.role for transition in candidates], area=case.area, at=at
    )
    raise (
        refusal
        or over
        or NotYourDecision(
            number=case.number,
            outcome=outcome,
            role=" / ".join(transition.role for transition in candidates),
            area=case.area,
        )
    )


def sign(decision: Decision) -> Decision:
    """Write a decision with its signature, chained to the step before."""
    previous = (
        Decision.objects.filter(case_id=decision.case_id, step=decision.step - 1)
        .values_list("sha256", flat=True)
        .first()
    )
    decision.sha256 = decision_sha256(decision, number=decision.case.number, previous=previous or "")
    decision.save(force_insert=True)
    return decision


def announce(case: Case, *, decision: Decision) -> None:
    """Tell the other rooms that a decision has moved a case."""
    publish(
        CaseDecided(
            case_id=case.pk,
            number=case.number,
            process=case.process,
            subject_type=case.subject_type,
            subject_id=case.subject_id,
            outcome=decision.outcome,
            state=case.state,
            decision_id=decision.pk,
        )
    )


def move(case: Case, *, version: rulebook.ProcessVersion, state: str, at: datetime) -> None:
    """Bring a case to a state for which a decision was written; nobody holds the new step yet."""
    case.step += 1
    case.state = state
    case.entered_at = at
    case.closed_at = None if leaving(version.transitions, state) else at
    case.assigned_to_id, case.assigned_role = None, ""
    facts = facts_of(Case.objects.prefetch_related("parties", "decisions").get(pk=case.pk))
    case.deadline_working_days, case.deadline_day = reckon(
        replace(facts, state=state, step=case.step),
        version=version,
        entered_on=business_day(at),
        chosen=None,
        closed=case.closed_at is not None,
    )
    case.save()


def moved(case: CaseFacts, *, version: rulebook.ProcessVersion, opinion: str) -> Refusal:
    """Say who moved the case, when and how; a case that never moved was wrongly remembered."""
    if not case.decisions:
        return Invalid(field="seen_step", why=f"{case.number}: 0")
    last = case.decisions[-1]
    label = next(
        (t.label_zh for t in version.transitions if t.outcome == last.outcome and t.target == case.state),
        last.outcome,
    )
    return CaseMoved(
        number=case.number,
        who=actor_name(kind=last.actor_kind, id=last.actor_id),
        when=last.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        outcome=last.outcome,
        outcome_zh=label,
        state=case.state,
        step=case.step,
        opinion=opinion,
    )
