"""What pages know of a case, and how a row becomes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import CASE_SUBJECT, CaseFacts, PastDecision
from tanpuhui.foundation.workflow.models import Case, Decision


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
    assigned_to: int | None
    clock_stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableOutcome:
    """One button: the outcome, where it leads, what it is called, what it asks for.

    `blocked` is the refusal that it would meet now (a guard, a missing attachment, another's assignment); None in lists,
    where that is not looked at. `on_behalf_of` is the person whose delegated role would be used.
    """

    outcome: str
    target: str
    role: str
    label_zh: str
    label_en: str
    asks: tuple[rulebook.Ask, ...] = ()
    evidence: tuple[str, ...] = ()
    blocked: Refusal | None = None
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLine:
    """A case that waits; `days_left` as rulebook counts them, None where the rules set no deadline."""

    case: CaseView
    outcomes: tuple[AvailableOutcome, ...]
    days_waiting: int
    days_left: int | None


def actor_name(*, kind: str, id: str) -> str:  # noqa: A002  the pair is the actor's own
    """Return how an actor is shown: a person's name, else kind and identifier."""
    return names_of([(kind, id)])[kind, id]


def facts_of(case: Case) -> CaseFacts:
    """Return what a verdict on the case depends on (two queries: parties, decisions)."""
    decisions = sorted(case.decisions.all(), key=lambda d: d.step)
    steps = {d.pk: d.step for d in decisions}
    return CaseFacts(
        number=case.number,
        state=case.state,
        step=case.step,
        area=case.area,
        opened_by=(case.opened_by_kind, case.opened_by_id),
        organisation_id=case.organisation_id,
        parties=parties_of(case),
        decisions=tuple(
            PastDecision(
                step=d.step,
                outcome=d.outcome,
                actor_kind=d.actor_kind,
                actor_id=d.actor_id,
                at=d.at,
                to_state=d.to_state,
                on_behalf_of=d.on_behalf_of,
                rescinds=steps.get(d.rescinds_id) if d.rescinds_id is not None else None,
            )
            for d in decisions
        ),
        opened_at=case.opened_at,
        assigned_to="" if case.assigned_to_id is None else str(case.assigned_to_id),
        assigned_role=case.assigned_role,
        decided_original=_decided_original(case),
    )


def _decided_original(case: Case) -> frozenset[tuple[str, str]]:
    """Return the persons behind every decision of the case that this one is about; nobody where it is about none."""
    if case.subject_type != CASE_SUBJECT:
        return frozenset()
    found: set[tuple[str, str]] = set()
    rows = Decision.objects.filter(case_id=int(case.subject_id))
    for kind, id_, behalf in rows.values_list("actor_kind", "actor_id", "on_behalf_of"):
        found |= {(kind, id_)} | ({("user", behalf)} if behalf else set())
    return frozenset(found)


class Versions(dict[int, rulebook.ProcessVersion]):
    """The process versions of one read, each loaded once."""

    @classmethod
    def of(cls, version_ids: Collection[int]) -> Versions:
        """Return these versions, loaded together."""
        return cls(rulebook.processes_by_ids(version_ids))

    def __missing__(self, version_id: int) -> rulebook.ProcessVersion:
        self[version_id] = rulebook.process_by_id(version_id)
        return self[version_id]


def case_row(case_id: int) -> Case:
    row = Case.objects.filter(pk=case_id).prefetch_related("parties", "decisions").first()
    if row is None:
        raise NotFound(what="案件 / case", id=case_id)
    return row


def parties_of(row: Case) -> dict[str, int]:
    return {party.role: party.organisation_id for party in row.parties.all()}


def view_of(row: Case, *, versions: Versions) -> CaseView:
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
        parties=parties_of(row),
        state=row.state,
        state_zh=state.label_zh if state else row.state,
        state_en=state.label_en if state else row.state,
        step=row.step,
        opened_at=row.opened_at,
        entered_at=row.entered_at,
        deadline_working_days=row.deadline_working_days,
        deadline_day=row.deadline_day,
        closed_at=row.closed_at,
        assigned_to=row.assigned_to_id,
        clock_stopped=bool(state and state.clock_stops),
    )


def names_of(actors: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return names of actors, all persons in one query."""
    users = {int(id_) for kind, id_ in actors if kind == "user" and id_.isdigit()}
    people = identity.people(sorted(users)) if users else {}
    names = {("user", str(user_id)): person.display_name for user_id, person in people.items()}
    return {pair: names.get(pair, ":".join(pair)) for pair in actors}
