from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Grant
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, Refusal
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    CaseFacts,
    CaseMoved,
    NotYourDecision,
    OutcomeNotOpen,
    acting_grant,
    checked_opinion,
    leaving,
    two_person_refusal,
)
from tanpuhui.foundation.workflow.events import CaseDecided
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.operations._effects import effect_of
from tanpuhui.foundation.workflow.operations._open_case import deadline
from tanpuhui.foundation.workflow.queries import actor_name, facts_of

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
) -> Decided:
    """Move a case along one transition of its pinned process version, and set off what the outcome means.

    The opinion is mandatory. `evidence` are SHA-256 (hex) of stored documents. `seen_step` is the step the person
    had on the screen: when the case has moved since, the decision is refused even where the outcome is open again.
    Raises NotFound, CaseMoved, OutcomeNotOpen, NotYourDecision, SamePerson, GuardUnproven, OpinionMissing,
    OpinionTooLong, Invalid, and whatever the effect refuses; then nothing at all is written.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    version = rulebook.process_by_id(case.process_version_id)
    facts = facts_of(case)
    if seen_step is not None and seen_step != case.step:
        raise _moved(facts, version=version, opinion=opinion)
    transition, grant = _permitted(facts, version=version, outcome=outcome, actor=actor, opinion=opinion)
    text = checked_opinion(opinion)
    if any(_SHA256.match(sha256) is None for sha256 in evidence):
        raise Invalid(field="evidence", why="SHA-256 (hex) expected")
    decision = Decision.objects.create(
        case=case,
        step=case.step + 1,
        outcome=outcome,
        from_state=case.state,
        to_state=transition.target,
        actor_kind=actor.kind,
        actor_id=actor.id,
        role=transition.role,
        organisation_id=grant.organisation_id,
        opinion=text,
        evidence=list(evidence),
        at=at,
    )
    _move(case, version=version, state=transition.target, at=at)
    effect = effect_of(subject_type=case.subject_type, outcome=outcome)
    effect(actor=actor, at=at, case_id=case.pk, subject_id=case.subject_id, opinion=text)
    publish(
        CaseDecided(
            case_id=case.pk,
            number=case.number,
            process=case.process,
            subject_type=case.subject_type,
            subject_id=case.subject_id,
            outcome=outcome,
            state=case.state,
            decision_id=decision.pk,
        )
    )
    return Decided(case_id=case.pk, number=case.number, outcome=outcome, state=case.state)


def _permitted(
    case: CaseFacts, *, version: rulebook.ProcessVersion, outcome: str, actor: Actor, opinion: str
) -> tuple[rulebook.Transition, Grant]:
    """Return the transition and the grant that allows it, or refuse with the most telling reason."""
    ways_out = leaving(version.transitions, case.state)
    candidates = [transition for transition in ways_out if transition.outcome == outcome]
    if not candidates:
        known = any(transition.outcome == outcome for transition in version.transitions)
        if known and case.decisions:
            raise _moved(case, version=version, opinion=opinion)
        names = ", ".join(sorted({transition.outcome for transition in ways_out})) or "—"
        raise OutcomeNotOpen(number=case.number, state=case.state, outcome=outcome, open=names)
    refusal: Refusal | None = None
    for transition in candidates:
        grant = acting_grant(transition=transition, case=case, actor=actor)
        if grant is None:
            continue
        refusal = two_person_refusal(transition=transition, case=case, actor=actor)
        if refusal is None:
            return transition, grant
    raise refusal or NotYourDecision(
        number=case.number,
        outcome=outcome,
        role=" / ".join(transition.role for transition in candidates),
        area=case.area,
    )


def _move(case: Case, *, version: rulebook.ProcessVersion, state: str, at: datetime) -> None:
    case.step += 1
    case.state = state
    case.entered_at = at
    case.deadline_working_days, case.deadline_day = deadline(version=version, state=state, at=at)
    case.closed_at = None if leaving(version.transitions, state) else at
    case.save(
        update_fields=["step", "state", "entered_at", "deadline_working_days", "deadline_day", "closed_at"]
    )


def _moved(case: CaseFacts, *, version: rulebook.ProcessVersion, opinion: str) -> Refusal:
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
