"""What waits for an actor: the rules of `decide`, said in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Count, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left
from django.db.models.lookups import Exact

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import APPLICANT_ROLES, NAMED_ROLES, area_prefix, persons_of
from tanpuhui.foundation.workflow.models import Case, CaseParty
from tanpuhui.foundation.workflow.queries._cases import outcomes_of
from tanpuhui.foundation.workflow.queries._criteria import ORDERS, Criteria, Sort, found_by, narrowed
from tanpuhui.foundation.workflow.queries._independence import independent_of
from tanpuhui.foundation.workflow.queries._views import InboxLine, Versions, view_of

INBOX_LINES_MAX = 200
CITY_DIGITS = 4

_LATEST_STANDING_BY = """
(select array[d.actor_kind || ':' || d.actor_id, 'user:' || d.on_behalf_of] && %s::text[] from workflow_decision d
 where d.case_id = workflow_case.id and d.outcome = %s and d.rescinds_id is null
 and not exists (select 1 from workflow_decision r where r.rescinds_id = d.id)
 order by d.step desc limit 1)
"""
"""Whether the latest decision of an outcome that still stands has one of these persons behind it; NULL where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxCounts:
    """How many cases wait, in all and by what they can be narrowed to; `cities` by the first four digits of the area."""

    total: int
    overdue: int
    due_today: int
    mine: int
    by_process: Mapping[str, int]
    by_state: Mapping[tuple[str, str], int]
    by_city: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One page of the inbox: its lines, what waits in all, how many the criteria leave, and what the states are called."""

    lines: tuple[InboxLine, ...]
    counts: InboxCounts
    found: int
    state_labels: Mapping[tuple[str, str], tuple[str, str]]


def inbox(
    *,
    actor: Actor,
    at: datetime,
    criteria: Criteria | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[InboxLine, ...]:
    """Return the running cases that the actor can move, nearest deadline first; the number of queries is bounded."""
    versions = running_versions()
    return _lines(versions, criteria or Criteria(), actor=actor, at=at, offset=offset, limit=limit)


def inbox_page(*, actor: Actor, at: datetime, criteria: Criteria, offset: int, limit: int) -> InboxPage:
    """Return a page of the inbox with the counts by which it can be narrowed; the rules are read once for all of it."""
    versions = running_versions()
    counts = _counts(waiting_for(actor, versions), actor=actor, at=at)
    narrows = criteria != Criteria(sort=criteria.sort)
    narrowed_to = _narrowed(waiting_for(actor, versions), criteria, actor=actor, at=at)
    return InboxPage(
        lines=_lines(versions, criteria, actor=actor, at=at, offset=offset, limit=limit),
        counts=counts,
        found=narrowed_to.count() if narrows else counts.total,
        state_labels=_state_labels(counts.by_state, versions),
    )


def inbox_counts(*, actor: Actor, at: datetime, criteria: Criteria | None = None) -> InboxCounts:
    """Return how many cases wait for the actor, narrowed where asked, in one query beside the rules."""
    waiting = waiting_for(actor, running_versions())
    return _counts(_narrowed(waiting, criteria or Criteria(), actor=actor, at=at), actor=actor, at=at)


def _lines(
    versions: Versions, criteria: Criteria, *, actor: Actor, at: datetime, offset: int, limit: int
) -> tuple[InboxLine, ...]:
    rows = _narrowed(waiting_for(actor, versions), criteria, actor=actor, at=at).order_by(
        *(
            F("deadline_day").asc(nulls_last=True) if column == "deadline_day" else column
            for column in ORDERS[Sort(criteria.sort or Sort.DEADLINE)]
        )
    )
    today = business_day(at)
    size = min(limit, INBOX_LINES_MAX)
    found = list(rows.prefetch_related("parties", "decisions")[offset : offset + size])
    left = rulebook.days_left([row.deadline_day for row in found if row.deadline_day], today=today)
    return tuple(
        InboxLine(
            case=view_of(row, versions=versions),
            outcomes=outcomes_of(row, version=versions[row.process_version_id], actor=actor),
            days_waiting=(today - business_day(row.entered_at)).days,
            days_left=None if row.deadline_day is None else left[row.deadline_day],
        )
        for row in found
    )


def _counts(waiting: QuerySet[Case], *, actor: Actor, at: datetime) -> InboxCounts:
    today = business_day(at)
    own = int(actor.id) if actor.kind == "user" else 0
    groups = (
        waiting.annotate(city=Left("area", CITY_DIGITS))
        .values_list("process", "state", "city")
        .annotate(
            total=Count("id"),
            overdue=Count("id", filter=Q(deadline_day__lt=today)),
            due_today=Count("id", filter=Q(deadline_day=today)),
            mine=Count("id", filter=Q(assigned_to=own)),
        )
    )
    by_process: dict[str, int] = {}
    by_state: dict[tuple[str, str], int] = {}
    by_city: dict[str, int] = {}
    sums = [0, 0, 0, 0]
    for process, state, city, *numbers in groups:
        sums = [have + more for have, more in zip(sums, numbers, strict=True)]
        by_process[process] = by_process.get(process, 0) + numbers[0]
        by_state[process, state] = by_state.get((process, state), 0) + numbers[0]
        by_city[city] = by_city.get(city, 0) + numbers[0]
    return InboxCounts(
        total=sums[0],
        overdue=sums[1],
        due_today=sums[2],
        mine=sums[3],
        by_process=by_process,
        by_state=by_state,
        by_city=by_city,
    )


def _state_labels(
    states: Collection[tuple[str, str]], versions: Versions
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what each (process, state) is called, in Chinese and English, by the newest running version that has it."""
    labels = {
        (version.process, state.code): (state.label_zh, state.label_en)
        for version in sorted(versions.values(), key=lambda version: version.version)
        for state in version.states
    }
    return {pair: labels.get(pair, (pair[1], pair[1])) for pair in states}


def state_labels(states: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what each (process, state) is called, in Chinese and English, by the newest version in use that has it."""
    return _state_labels(states, Versions(rulebook.processes_named({process for process, _ in states})))


def count_inbox(actor: Actor) -> int:
    """Return how many cases the actor can move: what `inbox` would list without end."""
    return waiting_for(actor, running_versions()).count()


def waiting_for(actor: Actor, versions: Versions) -> QuerySet[Case]:
    """Return the running cases that the actor can move, of the process versions that have running cases."""
    mine = Q(pk__in=())
    for version_id, version in versions.items():
        for transition in version.transitions:
            condition = _waits_for(actor, version_id=version_id, transition=transition)
            if condition is not None:
                mine |= condition
    return Case.objects.filter(mine, closed_at__isnull=True)


def _narrowed(rows: QuerySet[Case], criteria: Criteria, *, actor: Actor, at: datetime) -> QuerySet[Case]:
    rows = rows.filter(narrowed(criteria, actor=actor, at=at))
    return rows.filter(found_by(criteria.text)) if criteria.text else rows


def running_versions() -> Versions:
    """Return the process versions of running cases: one step in the index each, however many cases there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with recursive found (id) as ("
            " (select process_version_id from workflow_case where closed_at is null order by 1 limit 1)"
            " union all select (select process_version_id from workflow_case"
            " where closed_at is null and process_version_id > found.id order by 1 limit 1)"
            " from found where found.id is not null) select id from found where id is not null"
        )
        return Versions.of([row[0] for row in cursor.fetchall()])


def _waits_for(actor: Actor, *, version_id: int, transition: rulebook.Transition) -> Q | None:
    """Return which cases of a version the actor can move by this transition: the SQL twin of `acting_grant`."""
    allowed = Q(pk__in=())
    for grant in actor.grants:
        if grant.role != transition.role:
            continue
        persons = sorted(f"{kind}:{id_}" for kind, id_ in persons_of(actor, grant))
        where = _two_persons(transition.two_person, persons)
        if grant.role == Role.SYSTEM:
            allowed |= where if transition.two_person else Q(pk__isnull=False)
            continue
        if transition.independent:
            where &= independent_of(persons)
        where &= _not_assigned_to_others(transition.role, persons)
        if grant.role == Role.CITIZEN:
            where &= Q(opened_by_kind=actor.kind, opened_by_id=actor.id)
        else:
            where &= Q(area__startswith=area_prefix(grant.area))
        if grant.role in APPLICANT_ROLES | NAMED_ROLES:
            if grant.organisation_id is None:
                continue
            where &= _party_is(grant.role, grant.organisation_id)
        allowed |= where
    if not allowed or allowed == Q(pk__in=()):
        return None
    return Q(process_version_id=version_id, state=transition.source) & allowed


def _two_persons(first: str | None, persons: Sequence[str]) -> Q:
    """Return the SQL twin of `two_person_refusal` for those who would stand behind the decision."""
    if not first:
        return Q()
    behind = RawSQL(_LATEST_STANDING_BY, [list(persons), first], output_field=BooleanField())  # noqa: S611  a constant
    return Q(Exact(behind, False))


def _not_assigned_to_others(role: str, persons: Sequence[str]) -> Q:
    """Return the SQL twin of `assignment_refusal`."""
    own = [int(person.removeprefix("user:")) for person in persons if person.removeprefix("user:").isdigit()]
    return Q(assigned_to__isnull=True) | ~Q(assigned_role=role) | Q(assigned_to__in=own)


def _party_is(role: Role, organisation_id: int) -> Q:
    named = CaseParty.objects.filter(role=role.value)
    is_named = Q(pk__in=named.filter(organisation_id=organisation_id).values("case_id"))
    if role in NAMED_ROLES:
        return is_named
    return is_named | (Q(organisation_id=organisation_id) & ~Q(pk__in=named.values("case_id")))
