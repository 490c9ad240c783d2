"""Tell the people whom a case concerns (办件消息): whose turn it is now, and who is waiting for the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.messages import queries as messages
from tanpuhui.foundation.messages.operations import tell
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    APPLICANT_ROLES,
    NAMED_ROLES,
    CaseFacts,
    leaving,
    standing,
)
from tanpuhui.foundation.workflow.models import Case, CaseAct, CaseSubscription, Decision
from tanpuhui.foundation.workflow.operations._acts import ASSIGN
from tanpuhui.foundation.workflow.queries import actor_name, facts_of

WARNING_PARAMETER = "messages.deadline_warning_working_days"
"""How many working days before its end a deadline is announced, by scope (process) or for all; unset, none is."""

WARNED_AT_ONCE_MAX = 200


class CaseNews(StrEnum):
    """The wordings that this room uses; every jurisdiction's messages folder has them."""

    WAITING = "case.waiting"
    MOVED = "case.moved"
    OWN_MOVED = "case.own_moved"
    ASSIGNED = "case.assigned"
    URGED = "case.urged"
    DUE_SOON = "case.due_soon"
    OVERDUE = "case.overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTold:
    """How many people were told of a case."""

    case_id: int
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesWarned:
    """How many cases were looked at and how many people told; `after` is where to go on, None at the end."""

    cases: int
    told: int
    after: int | None


@operation(roles={Role.SYSTEM}, subject="case:{case_id}")
def tell_of_opening(*, actor: Actor, at: datetime, case_id: int) -> CaseTold:
    """Tell those who can take the first step that a new case waits for them; who opened it knows. Raises NotFound, TemplateUnknown."""
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    if case.step != 0:
        return CaseTold(case_id=case_id, told=0)
    version = rulebook.process_by_id(case.process_version_id)
    opener = {int(case.opened_by_id)} if case.opened_by_kind == "user" else set[int]()
    told = tell(
        at=at,
        user_ids=able_to_act(facts_of(case), version=version, at=at) - opener,
        template=CaseNews.WAITING,
        data=_data(case, version=version),
        event=f"case:{case_id}:opened",
    )
    return CaseTold(case_id=case_id, told=len(told.user_ids))


@operation(roles={Role.SYSTEM}, subject="case:{case_id}")
def tell_of_act(*, actor: Actor, at: datetime, case_id: int, act_id: int) -> CaseTold:
    """Tell whom a case was passed to, or, where it was urged, those who can act. Raises NotFound, TemplateUnknown."""
    act = CaseAct.objects.select_related("case").filter(pk=act_id, case_id=case_id).first()
    if act is None:
        raise NotFound(what="办理记录 / act", id=act_id)
    case = act.case
    if case.step != act.step:
        return CaseTold(case_id=case_id, told=0)
    version = rulebook.process_by_id(case.process_version_id)
    if act.kind == ASSIGN:
        people, news = {int(act.data["user"])}, CaseNews.ASSIGNED
    else:
        people, news = able_to_act(facts_of(case), version=version, at=at), CaseNews.URGED
    own = {int(act.actor_id)} if act.actor_kind == "user" else set[int]()
    who = actor_name(kind=act.actor_kind, id=act.actor_id)
    data = {**_data(case, version=version), "who": who}
    told = tell(at=at, user_ids=people - own, template=news, data=data, event=f"act:{act_id}")
    return CaseTold(case_id=case_id, told=len(told.user_ids))


@operation(roles={Role.SYSTEM}, subject="case:{case_id}")
def tell_of_decision(*, actor: Actor, at: datetime, case_id: int, decision_id: int) -> CaseTold:
    """Tell of a decision: those who can act next that it is their turn, the applicant's people and the opener how it went.

    Who decided is not told of it, and nobody twice; a case that has moved on since is told of by its later decision.
    Raises NotFound, TemplateUnknown.
    """
    decision = Decision.objects.select_related("case").filter(pk=decision_id, case_id=case_id).first()
    if decision is None:
        raise NotFound(what="决定 / decision", id=decision_id)
    case = decision.case
    if case.step != decision.step:
        return CaseTold(case_id=case_id, told=0)
    version = rulebook.process_by_id(case.process_version_id)
    data = _data(case, version=version)
    decider = {int(decision.actor_id)} if decision.actor_kind == "user" else set[int]()
    event = f"decision:{decision_id}"
    citizen = _citizen_behind(case, at=at)
    next_ones = tell(
        at=at,
        user_ids=able_to_act(facts_of(case), version=version, at=at) - decider - citizen,
        template=CaseNews.WAITING,
        data=data,
        event=event,
    )
    label = next(
        (t for t in version.transitions if (t.source, t.outcome) == (decision.from_state, decision.outcome)),
        None,
    )
    moved = {
        "case_id": case.pk,
        "number": case.number,
        "outcome_zh": label.label_zh if label else decision.outcome,
        "outcome_en": label.label_en if label else decision.outcome,
        "state_zh": data["state_zh"],
        "state_en": data["state_en"],
    }
    concerned = _concerned(case, at=at) - decider
    own = concerned & citizen
    told = tell(at=at, user_ids=own, template=CaseNews.OWN_MOVED, data=moved, event=event)
    others = tell(
        at=at,
        user_ids=concerned - own,
        template=CaseNews.MOVED,
        data={"title": case.title, **moved},
        event=event,
    )
    return CaseTold(case_id=case_id, told=sum(len(one.user_ids) for one in (next_ones, told, others)))


@operation(roles={Role.SYSTEM}, subject="cases:deadlines")
def warn_of_deadlines(*, actor: Actor, at: datetime, after: int = 0) -> DeadlinesWarned:
    """Tell those who can act that a deadline is near or has passed, once each; a step a time, from case `after` on.

    How near is near is a rule of the jurisdiction; while it is unset only passed deadlines are told of.
    """
    today = business_day(at)
    horizon = {process: _warning_day(process, at=at) for process in _processes_with_deadlines()}
    near = Q(deadline_day__lt=today)
    for process, day in horizon.items():
        near |= Q(process=process, deadline_day__lte=day) if day is not None else Q(pk__in=())
    rows = list(
        Case.objects.filter(near, closed_at__isnull=True, pk__gt=after).order_by("pk")[:WARNED_AT_ONCE_MAX]
    )
    events = {row.pk: _deadline_event(row, today=today) for row in rows}
    known = messages.events_told([event for event, _ in events.values()])
    versions = {id_: rulebook.process_by_id(id_) for id_ in {row.process_version_id for row in rows}}
    told = 0
    for row in rows:
        event, news = events[row.pk]
        if event in known:
            continue
        version = versions[row.process_version_id]
        people = able_to_act(facts_of(row), version=version, at=at)
        done = tell(at=at, user_ids=people, template=news, data=_data(row, version=version), event=event)
        told += len(done.user_ids)
    full = len(rows) == WARNED_AT_ONCE_MAX
    return DeadlinesWarned(cases=len(rows), told=told, after=rows[-1].pk if full else None)


def able_to_act(case: CaseFacts, *, version: rulebook.ProcessVersion, at: datetime) -> set[int]:
    """Return the people who can take one of the ways out of the case's state: role, area, party, two persons, assignment."""
    people: set[int] = set()
    for transition in leaving(version.transitions, case.state):
        able = _with_role(Role(transition.role), case=case, at=at)
        if transition.two_person:
            taken = [d for d in standing(case.decisions) if d.outcome == transition.two_person]
            behind = {int(id_) for kind, id_ in taken[-1].persons if kind == "user"} if taken else able
            able = able - behind
        if case.assigned_to and transition.role == case.assigned_role:
            able = able & {int(case.assigned_to)}
        people |= able
    return people


def _with_role(role: Role, *, case: CaseFacts, at: datetime) -> set[int]:
    if role == Role.SYSTEM:
        return set()
    if role == Role.CITIZEN:
        kind, opener = case.opened_by
        return {int(opener)} if kind == "user" else set()
    if role not in APPLICANT_ROLES | NAMED_ROLES:
        return set(identity.users_with_role(role=role.value, area=case.area, at=at))
    party = case.parties.get(role.value)
    if party is None and role in APPLICANT_ROLES:
        party = case.organisation_id
    if party is None:
        return set()
    return set(identity.users_with_role(role=role.value, area=case.area, at=at, organisation_id=party))


def _concerned(case: Case, *, at: datetime) -> set[int]:
    """Return the opener, those who act for the applicant, and whoever follows the case."""
    people = {int(case.opened_by_id)} if case.opened_by_kind == "user" else set[int]()
    people |= set(
        CaseSubscription.objects.filter(case=case, until__isnull=True).values_list("user_id", flat=True)
    )
    if case.organisation_id is not None:
        for role in APPLICANT_ROLES:
            people |= identity.users_with_role(
                role=role.value, area=case.area, at=at, organisation_id=case.organisation_id
            )
    return people


def _citizen_behind(case: Case, *, at: datetime) -> set[int]:
    """Return who opened the case as a citizen: the desk is closed to them, so they are told in other words, with another link."""
    if case.opened_by_kind != "user":
        return set()
    filed = Decision.objects.filter(case=case, role=Role.CITIZEN.value, actor_id=case.opened_by_id)
    opener = int(case.opened_by_id)
    only_citizen = identity.actor_of(user_id=opener, at=at).roles == {Role.CITIZEN}
    return {opener} if only_citizen or filed.exists() else set()


def _data(case: Case, *, version: rulebook.ProcessVersion) -> Mapping[str, object]:
    state = next((state for state in version.states if state.code == case.state), None)
    due_zh, due_en = _due(case.deadline_day)
    return {
        "case_id": case.pk,
        "number": case.number,
        "title": case.title,
        "process_zh": version.label_zh,
        "process_en": version.label_en,
        "state_zh": state.label_zh if state else case.state,
        "state_en": state.label_en if state else case.state,
        "due_zh": due_zh,
        "due_en": due_en,
    }


def _due(day: date | None) -> tuple[str, str]:
    if day is None:
        return "没有设定办理期限", "no deadline is set"
    return f"办理期限 {day:%Y-%m-%d}", f"due on {day:%Y-%m-%d}"


def _deadline_event(case: Case, *, today: date) -> tuple[str, CaseNews]:
    passed = case.deadline_day is not None and case.deadline_day < today
    news = CaseNews.OVERDUE if passed else CaseNews.DUE_SOON
    return f"case:{case.pk}:step:{case.step}:{news.value}", news


def _processes_with_deadlines() -> list[str]:
    running = Case.objects.filter(closed_at__isnull=True, deadline_day__isnull=False)
    return sorted(set(running.values_list("process", flat=True).distinct()))


def _warning_day(process: str, *, at: datetime) -> date | None:
    """Return the last day whose deadline is announced today; None while the rule or the calendar is unset."""
    days = rulebook.parameter(key=WARNING_PARAMETER, at=at, scope=process).value
    if days is None:
        return None
    try:
        return rulebook.add_working_days(business_day(at), int(days))
    except rulebook.HolidaysUnset:
        return None
