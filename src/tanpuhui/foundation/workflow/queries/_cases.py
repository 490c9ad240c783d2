"""One case, the cases of a subject or of an area, and what is open to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Grant
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    APPEAL_PARAMETER,
    APPLICANT_ROLES,
    CASE_SUBJECT,
    DECISION_SUBJECT,
    NAMED_ROLES,
    NOTICE_WORKING_DAYS,
    AssignedToOther,
    NothingToAppeal,
    acting_grants,
    assignment_refusal,
    leaving,
    standing,
    step_grants,
    two_person_refusal,
)
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.queries._guards import check_evidence, check_guard
from tanpuhui.foundation.workflow.queries._notice_terms import notice_terms
from tanpuhui.foundation.workflow.queries._views import (
    AvailableOutcome,
    CaseView,
    Versions,
    actor_name,
    case_row,
    facts_of,
    view_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """One decision as an effect reads it: who, on whose behalf, which opinion, which values."""

    decision_id: int
    step: int
    outcome: str
    actor_kind: str
    actor_id: str
    on_behalf_of: str
    role: str
    organisation_id: int | None
    opinion: str
    evidence: tuple[str, ...]
    values: Mapping[str, str]
    at: datetime


def case(case_id: int) -> CaseView:
    """Return one case. Raises NotFound."""
    return view_of(case_row(case_id), versions=Versions())


def open_cases_by(user_id: int) -> tuple[CaseView, ...]:
    """Return the running cases that a person opened: applications, appeals; newest first."""
    versions = Versions()
    rows = Case.objects.filter(opened_by_kind="user", opened_by_id=str(user_id), closed_at__isnull=True)
    return tuple(view_of(row, versions=versions) for row in rows.order_by("-id").prefetch_related("parties"))


def cases_of(subject_type: str, subject_id: str) -> tuple[CaseView, ...]:
    """Return every case about a subject, newest first."""
    versions = Versions()
    rows = Case.objects.filter(subject_type=subject_type, subject_id=subject_id).order_by("-id")
    return tuple(view_of(row, versions=versions) for row in rows.prefetch_related("parties"))


def available_outcomes(*, actor: Actor, case_id: int, at: datetime) -> tuple[AvailableOutcome, ...]:
    """Return what the actor may decide on the case, by the same rows and rules as `decide`. Raises NotFound.

    Guards and attachments are looked at, so that a button can say why it would be refused.
    """
    row = case_row(case_id)
    return outcomes_of(row, version=rulebook.process_by_id(row.process_version_id), actor=actor, at=at)


def step_takers(*, actor: Actor, case_id: int, at: datetime) -> tuple[tuple[int, str], ...]:
    """Return the people, with their names, to whom the actor may assign the present step (转办). Raises NotFound.

    They may take the step in a role that the actor has here too; nobody for an actor who may not take it.
    """
    row = case_row(case_id)
    facts, version = facts_of(row), rulebook.process_by_id(row.process_version_id)
    own = {g.role for g in step_grants(transitions=version.transitions, case=facts, actor=actor)}
    if not own or row.closed_at is not None:
        return ()
    found = []
    for user_id in identity.holders_of(own, at=at):
        other = identity.actor_of(user_id=user_id, at=at)
        theirs = step_grants(transitions=version.transitions, case=facts, actor=other)
        if any(grant.role in own for grant in theirs):
            found.append(user_id)
    people = identity.people(found)
    return tuple((user_id, people[user_id].display_name) for user_id in found)


def appealable(*, actor: Actor, case_id: int) -> tuple[int, Grant]:
    """Return the step against which the actor may appeal, and as which party. Raises NotFound, NothingToAppeal.

    A party appeals against the last decision that stands, unless it took that decision itself.
    """
    row = case_row(case_id)
    facts = facts_of(row)
    parties = {row.organisation_id, *facts.parties.values()} - {None}
    grant = next(
        (
            grant
            for grant in actor.grants
            if grant.role in APPLICANT_ROLES | NAMED_ROLES and grant.organisation_id in parties
        ),
        None,
    )
    if grant is None:
        raise NothingToAppeal(number=row.number, why_zh="你不是当事方", why_en="you are no party of it")
    step = last_standing_step(case_id)
    decider = Decision.objects.values_list("organisation_id", flat=True).get(case=row, step=step)
    if decider == grant.organisation_id:
        raise NothingToAppeal(
            number=row.number, why_zh="最后一项决定是你方自己作出的", why_en="the last decision is your own"
        )
    return step, grant


def last_standing_step(case_id: int) -> int:
    """Return the step of the last decision that stands, against which an appeal is. Raises NotFound, NothingToAppeal.

    The result of an appeal or amendment is final.
    """
    row = case_row(case_id)
    if row.subject_type in {CASE_SUBJECT, DECISION_SUBJECT}:
        raise NothingToAppeal(
            number=row.number,
            why_zh="申诉和更正的结果是最终的",
            why_en="the result of an appeal or amendment is final",
        )
    last = next(reversed(standing(facts_of(row).decisions)), None)
    if last is None:
        raise NothingToAppeal(number=row.number, why_zh="还没有作出决定", why_en="nothing has been decided")
    return last.step


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealTerm:
    """Until when an appeal can be filed: so many working days after the decision, and by which rule."""

    working_days: int
    last_day: date
    basis: str


def appeal_term(*, process: str, decided_at: datetime, at: datetime) -> AppealTerm | None:
    """Return until when a decision of a process can be appealed against; None where no rule sets a time. Raises HolidaysUnset."""
    limit = rulebook.parameter(key=APPEAL_PARAMETER, at=at, scope=process)
    if limit.value is None:
        return None
    last = rulebook.add_working_days(business_day(decided_at), int(limit.value))
    return AppealTerm(working_days=int(limit.value), last_day=last, basis=limit.basis)


def case_of_decision(decision_id: int) -> int:
    """Return the case in which a decision was taken. Raises NotFound."""
    found = Decision.objects.filter(pk=decision_id).values_list("case_id", flat=True).first()
    if found is None:
        raise NotFound(what="决定 / decision", id=decision_id)
    return found


def decision_label(decision_id: int) -> str:
    """Return what a decision is called in its process, in Chinese; its outcome where the process has no such way."""
    row = Decision.objects.select_related("case").get(pk=decision_id)
    transitions = rulebook.process_by_id(row.case.process_version_id).transitions
    ways = {(t.source, t.target, t.outcome): t.label_zh for t in transitions}
    return ways.get((row.from_state, row.to_state, row.outcome), row.outcome)


def standing_outcomes(case_id: int) -> tuple[str, ...]:
    """Return the outcomes of the decisions that stand, in their order. Raises NotFound."""
    return tuple(decision.outcome for decision in standing(facts_of(case_row(case_id)).decisions))


def outcomes_taken(case_id: int) -> tuple[str, ...]:
    """Return the outcomes of every decision of a case in their order, rescissions and what they took back included."""
    return tuple(Decision.objects.filter(case_id=case_id).order_by("step").values_list("outcome", flat=True))


def latest_outcome(case_id: int) -> str | None:
    """Return the outcome of the case's latest decision, None while there is none."""
    return (
        Decision.objects.filter(case_id=case_id).order_by("-step").values_list("outcome", flat=True).first()
    )


def latest_decision(case_id: int) -> DecisionView | None:
    """Return the case's latest decision with the values entered, None while there is none. Effects read it."""
    row = Decision.objects.filter(case_id=case_id).order_by("-step").first()
    if row is None:
        return None
    return DecisionView(
        decision_id=row.pk,
        step=row.step,
        outcome=row.outcome,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        on_behalf_of=row.on_behalf_of,
        role=row.role,
        organisation_id=row.organisation_id,
        opinion=row.opinion,
        evidence=tuple(row.evidence),
        values=dict(row.values),
        at=row.at,
    )


def outcomes_of(
    row: Case, *, version: rulebook.ProcessVersion, actor: Actor, at: datetime | None = None
) -> tuple[AvailableOutcome, ...]:
    """Return what the actor may decide; with `at`, also what stands in the way of each (guards, evidence).

    Like `decide`, every grant and every way by the same outcome is tried before one is called blocked.
    """
    facts = facts_of(row)
    found: dict[str, AvailableOutcome] = {}
    for transition in leaving(version.transitions, row.state):
        for grant in acting_grants(transition=transition, case=facts, actor=actor):
            if two_person_refusal(transition=transition, case=facts, actor=actor, grant=grant) is not None:
                continue
            known = found.get(transition.outcome)
            if known is not None and known.blocked is None:
                break
            blocked = assignment_refusal(transition=transition, case=facts, actor=actor, grant=grant)
            if blocked is None and at is not None:
                blocked = _in_the_way(row, transition=transition, at=at)
            if known is None or blocked is None:
                found[transition.outcome] = _button(
                    transition, version=version, grant=grant, blocked=blocked, at=at
                )
    return tuple(found.values())


def _button(
    transition: rulebook.Transition,
    *,
    version: rulebook.ProcessVersion,
    grant: Grant,
    blocked: Refusal | None,
    at: datetime | None,
) -> AvailableOutcome:
    return AvailableOutcome(
        outcome=transition.outcome,
        target=transition.target,
        role=transition.role,
        label_zh=transition.label_zh,
        label_en=transition.label_en,
        asks=asks_of(transition, version=version, at=at),
        evidence=transition.evidence,
        blocked=_named(blocked),
        on_behalf_of=grant.on_behalf_of,
    )


def asks_of(
    transition: rulebook.Transition, *, version: rulebook.ProcessVersion, at: datetime | None = None
) -> tuple[rulebook.Ask, ...]:
    """Return what the decider enters: what the process asks for, and the days of a notice that no rule sets.

    Without `at` (lists) the days count as set where a parameter holds them.
    """
    target = version.state(transition.target)
    if not target.notice:
        return transition.asks
    if at is None:
        chosen = not target.notice_parameter and target.notice_working_days is None
    else:
        chosen = notice_terms(target, process=version.process, at=at).working_days is None
    if not chosen:
        return transition.asks
    return (
        *transition.asks,
        rulebook.Ask(
            name=NOTICE_WORKING_DAYS,
            label_zh="公示期（工作日；规则未定，由你决定，意见作为理由一并公开）",
            label_en="Working days of public notice (no rule sets them; you decide, and your opinion is published as the reason)",
            kind="number",
            required=True,
        ),
    )


def _in_the_way(row: Case, *, transition: rulebook.Transition, at: datetime) -> Refusal | None:
    try:
        check_evidence(case=row, kinds=transition.evidence, outcome=transition.outcome)
        for guard in transition.guards:
            check_guard(
                guard, subject_type=row.subject_type, at=at, case_id=row.pk, subject_id=row.subject_id
            )
    except Refusal as refusal:
        return refusal
    return None


def _named(refusal: Refusal | None) -> Refusal | None:
    """Give the person's name where a pure rule knew only the identifier."""
    if isinstance(refusal, AssignedToOther):
        return AssignedToOther(
            number=refusal.data["number"], who=actor_name(kind="user", id=str(refusal.data["who"]))
        )
    return refusal
