"""What happens to a case without moving it: assign, urge, follow (转办、催办、关注)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import Actor, Grant
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    AssigneeUnsuitable,
    CaseTaken,
    NotCaseMember,
    UrgedToday,
    step_grants,
    takes_part,
)
from tanpuhui.foundation.workflow.events import CaseAssigned, CaseUrged
from tanpuhui.foundation.workflow.models import Case, CaseAct, CaseSubscription
from tanpuhui.foundation.workflow.operations._decide import moved
from tanpuhui.foundation.workflow.queries import actor_name, facts_of

ASSIGN, URGE = "assign", "urge"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseActed:
    """What was written about a case that did not move."""

    case_id: int
    act_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFollowed:
    """Whether the person follows the case now."""

    case_id: int
    following: bool


@operation(roles=set(), subject="case:{case_id}")
def assign_case(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    case_id: int,
    user_id: int,
    reason: str,
    seen_step: int,
    seen_act: int | None = None,
) -> CaseActed:
    """Hold the present step of a case for one person who may take it (转办); to oneself is taking it over.

    Only somebody who may take the step themselves assigns it. The next move clears it. `seen_act` is the assignment
    that the person had on the screen (0: none): where a colleague assigned it since, the second learns of it.
    Raises NotFound, CaseMoved, CaseTaken, NotCaseMember, AssigneeUnsuitable, Invalid.
    """
    case = running_case(case_id)
    if seen_step != case.step:
        version = rulebook.process_by_id(case.process_version_id)
        raise moved(facts_of(case), version=version, opinion=reason)
    _check_not_taken(case, seen_act=seen_act, reason=reason)
    if not reason.strip():
        raise Invalid(field="reason", why="请写明理由 / give a reason")
    own = {grant.role for grant in _grants_here(case, actor)}
    if not own:
        raise NotCaseMember(number=case.number, act_zh="转办", act_en="assign it")
    assignee = identity.actor_of(user_id=user_id, at=at)
    roles = [grant.role for grant in _grants_here(case, assignee) if grant.role in own]
    if not roles:
        raise AssigneeUnsuitable(number=case.number)
    case.assigned_to_id, case.assigned_role = user_id, roles[0].value
    case.save(update_fields=["assigned_to", "assigned_role"])
    act = _write(
        case, ASSIGN, actor=actor, at=at, text=reason,
        data={"user": user_id, "name": actor_name(kind="user", id=str(user_id)), "role": roles[0].value},
    )  # fmt: skip
    publish(CaseAssigned(case_id=case.pk, number=case.number, user_id=user_id, act_id=act.pk))
    return CaseActed(case_id=case.pk, act_id=act.pk)


@operation(roles=set(), subject="case:{case_id}")
def urge_case(
    *, actor: Actor, at: datetime, idempotency_key: str | None, case_id: int, text: str
) -> CaseActed:
    """Remind those who may move a case that somebody waits (催办), once a day. Raises NotFound, NotCaseMember, UrgedToday."""
    case = running_case(case_id)
    if not takes_part(facts_of(case), actor):
        raise NotCaseMember(number=case.number, act_zh="催办", act_en="urge it")
    last = CaseAct.objects.filter(case=case, kind=URGE).order_by("-id").first()
    if last is not None and business_day(last.at) == business_day(at):
        raise UrgedToday(number=case.number)
    act = _write(case, URGE, actor=actor, at=at, text=text, data={})
    publish(CaseUrged(case_id=case.pk, number=case.number, act_id=act.pk))
    return CaseActed(case_id=case.pk, act_id=act.pk)


@operation(roles=set(), subject="case:{case_id}")
def follow_case(
    *, actor: Actor, at: datetime, idempotency_key: str | None, case_id: int, follow: bool
) -> CaseFollowed:
    """Follow a case, or no longer (关注); repeating changes nothing. Raises NotFound, NotCaseMember."""
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    if actor.kind != "user" or not takes_part(facts_of(case), actor):
        raise NotCaseMember(number=case.number, act_zh="关注", act_en="follow it")
    held = CaseSubscription.objects.filter(case=case, user_id=int(actor.id), until__isnull=True)
    if follow and not held.exists():
        CaseSubscription.objects.create(case=case, user_id=int(actor.id), since=at)
    if not follow:
        held.update(until=at)
    return CaseFollowed(case_id=case.pk, following=follow)


def running_case(case_id: int) -> Case:
    """Return a running case, its row locked. Raises NotFound."""
    case = Case.objects.select_for_update(of=("self",)).filter(pk=case_id, closed_at__isnull=True).first()
    if case is None:
        raise NotFound(what="在办案件 / running case", id=case_id)
    return case


def _check_not_taken(case: Case, *, seen_act: int | None, reason: str) -> None:
    """Refuse where the step was assigned after the person looked. Raises CaseTaken."""
    last = CaseAct.objects.filter(case=case, kind=ASSIGN, step=case.step).order_by("-id").first()
    if last is None or seen_act is None or last.pk == seen_act:
        return
    raise CaseTaken(
        number=case.number,
        who=actor_name(kind=last.actor_kind, id=last.actor_id),
        when=last.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        to=str(last.data["name"]),
        why=last.text,
        text=reason,
    )


def _grants_here(case: Case, actor: Actor) -> tuple[Grant, ...]:
    version = rulebook.process_by_id(case.process_version_id)
    return step_grants(transitions=version.transitions, case=facts_of(case), actor=actor)


def _write(
    case: Case, kind: str, *, actor: Actor, at: datetime, text: str, data: dict[str, object]
) -> CaseAct:
    return CaseAct.objects.create(
        case=case,
        kind=kind,
        step=case.step,
        actor_kind=actor.kind,
        actor_id=actor.id,
        text=text.strip(),
        data=data,
        at=at,
    )
