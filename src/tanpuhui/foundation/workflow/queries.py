"""Reads of cases: inbox, one case, its timeline, what is open to whom, the diagram, the invariants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Concat

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    APPLICANT_ROLES,
    NAMED_ROLES,
    CaseFacts,
    PastDecision,
    acting_grant,
    area_prefix,
    leaving,
    two_person_refusal,
)
from tanpuhui.foundation.workflow.models import Case, CaseParty, Decision

INBOX_LINES_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case as a page shows it."""

    case_id: int
    number: str
    process: str
    process_version_id: int
    subject_type: str
    subject_id: str
    title: str
    area: str
    organisation_id: int | None
    parties: Mapping[str, int]
    state: str
    state_zh: str
    state_en: str
    step: int
    opened_at: datetime
    entered_at: datetime
    deadline_working_days: int | None
    deadline_day: date | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableOutcome:
    """One button: the outcome, where it leads, what it is called."""

    outcome: str
    target: str
    role: str
    label_zh: str
    label_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """A case that waits; `days_left` as rulebook counts them, None where the rules set no deadline."""

    case: CaseView
    outcomes: tuple[AvailableOutcome, ...]
    days_waiting: int
    days_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One decision with its opinion; step 0 is the opening."""

    step: int
    at: datetime
    who: str
    actor_kind: str
    actor_id: str
    role: str
    organisation_id: int | None
    outcome: str
    label_zh: str
    label_en: str
    from_state: str
    to_state: str
    opinion: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramState:
    """One state of a process, as a box."""

    code: str
    label_zh: str
    label_en: str
    initial: bool
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramEdge:
    """One transition of a process, as an arrow."""

    source: str
    target: str
    outcome: str
    role: str
    label_zh: str
    label_en: str
    two_person: str | None
    deadline_working_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessDiagram:
    """States and transitions of one process version, as rows and as Mermaid text."""

    process: str
    version: str
    states: tuple[DiagramState, ...]
    edges: tuple[DiagramEdge, ...]
    mermaid: str


def actor_name(*, kind: str, id: str) -> str:  # noqa: A002  the pair is the actor's own
    """Return how an actor is shown: a person's name, else kind and identifier."""
    return _names([(kind, id)])[kind, id]


def facts_of(case: Case) -> CaseFacts:
    """Return what a verdict on the case depends on (two queries: parties, decisions)."""
    return CaseFacts(
        number=case.number,
        state=case.state,
        step=case.step,
        area=case.area,
        opened_by=(case.opened_by_kind, case.opened_by_id),
        organisation_id=case.organisation_id,
        parties=_parties(case),
        decisions=tuple(
            PastDecision(
                step=d.step, outcome=d.outcome, actor_kind=d.actor_kind, actor_id=d.actor_id, at=d.at
            )
            for d in sorted(case.decisions.all(), key=lambda d: d.step)
        ),
    )


def case(case_id: int) -> CaseView:
    """Return one case. Raises NotFound."""
    return _view(_row(case_id), versions=_Versions())


def cases_of(subject_type: str, subject_id: str) -> tuple[CaseView, ...]:
    """Return every case about a subject, newest first."""
    versions = _Versions()
    rows = Case.objects.filter(subject_type=subject_type, subject_id=subject_id).order_by("-id")
    return tuple(_view(row, versions=versions) for row in rows.prefetch_related("parties"))


def cases(
    *,
    text: str = "",
    areas: Sequence[str] = (),
    organisation_ids: Sequence[int] = (),
    process: str = "",
    limit: int = 50,
) -> tuple[CaseView, ...]:
    """Return the newest cases that lie in one of the areas or name one of the organisations, of none where both are empty.

    `text` stands in number or title. Who may see which is for the caller to say, by areas and organisations.
    """
    seen = Q(pk__in=())
    for area in areas:
        seen |= Q(area__startswith=area_prefix(area))
    if organisation_ids:
        named = CaseParty.objects.filter(organisation_id__in=organisation_ids)
        seen |= Q(organisation_id__in=organisation_ids) | Q(pk__in=named.values("case_id"))
    rows = Case.objects.filter(seen).order_by("-id")
    if text:
        rows = rows.filter(Q(number__icontains=text) | Q(title__icontains=text))
    if process:
        rows = rows.filter(process=process)
    versions = _Versions()
    found = rows.prefetch_related("parties")[: min(limit, INBOX_LINES_MAX)]
    return tuple(_view(row, versions=versions) for row in found)


def available_outcomes(*, actor: Actor, case_id: int) -> tuple[AvailableOutcome, ...]:
    """Return what the actor may decide on the case now, by the same rows and rules as `decide`. Raises NotFound."""
    row = _row(case_id)
    return _outcomes(row, version=rulebook.process_by_id(row.process_version_id), actor=actor)


def latest_outcome(case_id: int) -> str | None:
    """Return the outcome of the case's latest decision, None while there is none."""
    return (
        Decision.objects.filter(case_id=case_id).order_by("-step").values_list("outcome", flat=True).first()
    )


def inbox(*, actor: Actor, at: datetime, limit: int = 50) -> tuple[InboxLine, ...]:
    """Return the running cases that the actor can move, nearest deadline first; the number of queries is bounded."""
    versions = _Versions()
    running = Case.objects.filter(closed_at__isnull=True)
    mine, latest = Q(pk__in=()), set[str]()
    for version_id in _running_versions():
        for transition in versions[version_id].transitions:
            condition = _waits_for(actor, version_id=version_id, transition=transition)
            if condition is not None:
                mine |= condition
                latest |= {transition.two_person} if transition.two_person else set()
    for outcome in sorted(latest):
        running = running.annotate(**{_latest_name(outcome): _latest_decider(outcome)})
    rows = running.filter(mine).order_by(F("deadline_day").asc(nulls_last=True), "entered_at", "id")
    today = business_day(at)
    found = list(rows.prefetch_related("parties", "decisions")[: min(limit, INBOX_LINES_MAX)])
    left = rulebook.days_left([row.deadline_day for row in found if row.deadline_day], today=today)
    return tuple(
        InboxLine(
            case=_view(row, versions=versions),
            outcomes=_outcomes(row, version=versions[row.process_version_id], actor=actor),
            days_waiting=(today - business_day(row.entered_at)).days,
            days_left=None if row.deadline_day is None else left[row.deadline_day],
        )
        for row in found
    )


def timeline(case_id: int) -> tuple[TimelineLine, ...]:
    """Return the opening and every decision of a case, oldest first. Raises NotFound."""
    row = _row(case_id)
    transitions = rulebook.process_by_id(row.process_version_id).transitions
    labels = {(t.source, t.target, t.outcome): t for t in transitions}
    decisions = sorted(row.decisions.all(), key=lambda d: d.step)
    names = _names([(row.opened_by_kind, row.opened_by_id), *((d.actor_kind, d.actor_id) for d in decisions)])
    first = decisions[0].from_state if decisions else row.state
    lines = [
        TimelineLine(
            step=0,
            at=row.opened_at,
            who=names[row.opened_by_kind, row.opened_by_id],
            actor_kind=row.opened_by_kind,
            actor_id=row.opened_by_id,
            role="",
            organisation_id=row.organisation_id,
            outcome="open",
            label_zh="立案",
            label_en="Opened",
            from_state="",
            to_state=first,
            opinion="",
            evidence=(),
        )
    ]
    for d in decisions:
        label = labels.get((d.from_state, d.to_state, d.outcome))
        lines.append(
            TimelineLine(
                step=d.step,
                at=d.at,
                who=names[d.actor_kind, d.actor_id],
                actor_kind=d.actor_kind,
                actor_id=d.actor_id,
                role=d.role,
                organisation_id=d.organisation_id,
                outcome=d.outcome,
                label_zh=label.label_zh if label else d.outcome,
                label_en=label.label_en if label else d.outcome,
                from_state=d.from_state,
                to_state=d.to_state,
                opinion=d.opinion,
                evidence=tuple(d.evidence),
            )
        )
    return tuple(lines)


def process_diagram(version: rulebook.ProcessVersion) -> ProcessDiagram:
    """Return the diagram of a process version from the rows that also decide, trigger and offer buttons."""
    states = tuple(
        DiagramState(
            code=state.code,
            label_zh=state.label_zh,
            label_en=state.label_en,
            initial=state.code == version.initial_state,
            final=not leaving(version.transitions, state.code),
        )
        for state in version.states
    )
    edges = tuple(
        DiagramEdge(
            source=t.source,
            target=t.target,
            outcome=t.outcome,
            role=t.role,
            label_zh=t.label_zh,
            label_en=t.label_en,
            two_person=t.two_person or None,
            deadline_working_days=t.deadline_working_days,
        )
        for t in version.transitions
    )
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state.label_zh}" as {state.code}' for state in states]
    lines += [f"    [*] --> {state.code}" for state in states if state.initial]
    lines += [f"    {edge.source} --> {edge.target}: {edge.label_zh}（{edge.role}）" for edge in edges]
    lines += [f"    {state.code} --> [*]" for state in states if state.final]
    return ProcessDiagram(
        process=version.process,
        version=str(version.version),
        states=states,
        edges=edges,
        mermaid="\n".join(lines) + "\n",
    )


def breaches() -> Iterator[Breach]:
    """Find every case whose state is not what its decisions, replayed over its pinned process, lead to."""
    versions = _Versions()
    for row in Case.objects.order_by("id").prefetch_related("decisions").iterator(chunk_size=1000):
        version = versions[row.process_version_id]
        state = version.initial_state
        for number, decision in enumerate(sorted(row.decisions.all(), key=lambda d: d.step), start=1):
            known = any(
                (t.source, t.target, t.outcome, t.role)
                == (state, decision.to_state, decision.outcome, decision.role)
                for t in version.transitions
            )
            if decision.step != number or decision.from_state != state or not known:
                detail = (
                    f"step {decision.step}: {decision.from_state} → {decision.to_state} by {decision.outcome}"
                )
                yield Breach(
                    invariant="workflow.decisions_follow_the_process",
                    subject=f"case:{row.number}",
                    detail=detail,
                )
            state = decision.to_state
        taken = len(row.decisions.all())
        if (row.state, row.step) != (state, taken):
            detail = f"{row.state} at step {row.step}; its decisions lead to {state} at step {taken}"
            yield Breach(
                invariant="workflow.state_is_what_was_decided", subject=f"case:{row.number}", detail=detail
            )


class _Versions(dict[int, rulebook.ProcessVersion]):
    """The process versions of one read, each loaded once."""

    def __missing__(self, version_id: int) -> rulebook.ProcessVersion:
        self[version_id] = rulebook.process_by_id(version_id)
        return self[version_id]


def _running_versions() -> list[int]:
    """Return the process versions of running cases: one step in the index each, however many cases there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with recursive found (id) as ("
            " (select process_version_id from workflow_case where closed_at is null order by 1 limit 1)"
            " union all select (select process_version_id from workflow_case"
            " where closed_at is null and process_version_id > found.id order by 1 limit 1)"
            " from found where found.id is not null) select id from found where id is not null"
        )
        return [row[0] for row in cursor.fetchall()]


def _row(case_id: int) -> Case:
    row = Case.objects.filter(pk=case_id).prefetch_related("parties", "decisions").first()
    if row is None:
        raise NotFound(what="案件 / case", id=case_id)
    return row


def _parties(row: Case) -> dict[str, int]:
    return {party.role: party.organisation_id for party in row.parties.all()}


def _view(row: Case, *, versions: _Versions) -> CaseView:
    version = versions[row.process_version_id]
    state = next((state for state in version.states if state.code == row.state), None)
    return CaseView(
        case_id=row.pk,
        number=row.number,
        process=row.process,
        process_version_id=row.process_version_id,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        title=row.title,
        area=row.area,
        organisation_id=row.organisation_id,
        parties=_parties(row),
        state=row.state,
        state_zh=state.label_zh if state else row.state,
        state_en=state.label_en if state else row.state,
        step=row.step,
        opened_at=row.opened_at,
        entered_at=row.entered_at,
        deadline_working_days=row.deadline_working_days,
        deadline_day=row.deadline_day,
        closed_at=row.closed_at,
    )


def _outcomes(row: Case, *, version: rulebook.ProcessVersion, actor: Actor) -> tuple[AvailableOutcome, ...]:
    facts = facts_of(row)
    found: dict[str, AvailableOutcome] = {}
    for transition in leaving(version.transitions, row.state):
        if acting_grant(transition=transition, case=facts, actor=actor) is None:
            continue
        if two_person_refusal(transition=transition, case=facts, actor=actor) is not None:
            continue
        found.setdefault(
            transition.outcome,
            AvailableOutcome(
                outcome=transition.outcome,
                target=transition.target,
                role=transition.role,
                label_zh=transition.label_zh,
                label_en=transition.label_en,
            ),
        )
    return tuple(found.values())


def _waits_for(actor: Actor, *, version_id: int, transition: rulebook.Transition) -> Q | None:
    """Return which cases of a version the actor can move by this transition: the SQL twin of `acting_grant`."""
    allowed = Q(pk__in=())
    for grant in actor.grants:
        if grant.role != transition.role:
            continue
        if grant.role == Role.SYSTEM:
            allowed |= Q(pk__isnull=False)
            continue
        where = Q(area__startswith=area_prefix(grant.area))
        if grant.role == Role.CITIZEN:
            where &= Q(opened_by_kind=actor.kind, opened_by_id=actor.id)
        elif grant.role in APPLICANT_ROLES | NAMED_ROLES:
            if grant.organisation_id is None:
                continue
            where &= _party_is(grant.role, grant.organisation_id)
        allowed |= where
    if not allowed or allowed == Q(pk__in=()):
        return None
    waits = Q(process_version_id=version_id, state=transition.source) & allowed
    if transition.two_person:
        name = _latest_name(transition.two_person)
        waits &= Q(**{f"{name}__isnull": False}) & ~Q(**{name: f"{actor.kind}:{actor.id}"})
    return waits


def _party_is(role: Role, organisation_id: int) -> Q:
    named = CaseParty.objects.filter(role=role.value)
    is_named = Q(pk__in=named.filter(organisation_id=organisation_id).values("case_id"))
    if role in NAMED_ROLES:
        return is_named
    return is_named | (Q(organisation_id=organisation_id) & ~Q(pk__in=named.values("case_id")))


def _latest_name(outcome: str) -> str:
    return f"latest_{outcome}"


def _latest_decider(outcome: str) -> Subquery:
    decisions = Decision.objects.filter(case=OuterRef("pk"), outcome=outcome).order_by("-step")
    return Subquery(
        decisions.values(who=Concat("actor_kind", Value(":", output_field=TextField()), "actor_id"))[:1]
    )


def _names(actors: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return names of actors, all persons in one query."""
    users = {int(id_) for kind, id_ in actors if kind == "user" and id_.isdigit()}
    people = identity.people(sorted(users)) if users else {}
    names = {("user", str(user_id)): person.display_name for user_id, person in people.items()}
    return {pair: names.get(pair, ":".join(pair)) for pair in actors}
