"""What waits for an actor: the rules of `decide`, said in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Concat

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import APPLICANT_ROLES, NAMED_ROLES, area_prefix, persons_of
from tanpuhui.foundation.workflow.models import Case, CaseParty, Decision
from tanpuhui.foundation.workflow.queries._cases import outcomes_of
from tanpuhui.foundation.workflow.queries._views import InboxLine, Versions, view_of

INBOX_LINES_MAX = 200


def inbox(*, actor: Actor, at: datetime, limit: int = 50) -> tuple[InboxLine, ...]:
    """Return the running cases that the actor can move, nearest deadline first; the number of queries is bounded."""
    versions = Versions()
    running = Case.objects.filter(closed_at__isnull=True)
    mine, latest = Q(pk__in=()), set[str]()
    for version_id in _running_versions():
        for transition in versions[version_id].transitions:
            condition = _waits_for(actor, version_id=version_id, transition=transition)
            if condition is not None:
                mine |= condition
                latest |= {transition.two_person} if transition.two_person else set()
    for outcome in sorted(latest):
        running = running.annotate(
            **{
                latest_name(outcome, behalf=behalf): _latest_decider(outcome, behalf=behalf)
                for behalf in (False, True)
            }
        )
    rows = running.filter(mine).order_by(F("deadline_day").asc(nulls_last=True), "entered_at", "id")
    today = business_day(at)
    found = list(rows.prefetch_related("parties", "decisions")[: min(limit, INBOX_LINES_MAX)])
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
    decider, principal = latest_name(first), latest_name(first, behalf=True)
    return (
        Q(**{f"{decider}__isnull": False})
        & ~Q(**{f"{decider}__in": persons})
        & ~Q(**{f"{principal}__in": persons})
    )


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


def latest_name(outcome: str, *, behalf: bool = False) -> str:
    """Return the name of the annotation that says who decided an outcome last, or who delegated it."""
    return f"latest_{outcome}_behalf" if behalf else f"latest_{outcome}"


def _latest_decider(outcome: str, *, behalf: bool) -> Subquery:
    """Return who took the latest decision of an outcome that still stands, as kind:id."""
    decisions = Decision.objects.filter(
        case=OuterRef("pk"), outcome=outcome, rescinds__isnull=True, rescinded_by__isnull=True
    ).order_by("-step")
    who = (
        Concat(Value("user:", output_field=TextField()), "on_behalf_of")
        if behalf
        else Concat("actor_kind", Value(":", output_field=TextField()), "actor_id")
    )
    return Subquery(decisions.values(who=who)[:1])
