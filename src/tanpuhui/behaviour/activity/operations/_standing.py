"""Suspend, resume or close a scenario (暂停、恢复、关闭): a maker proposes with the reason, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.domain.applications import ScenarioNotDecided
from tanpuhui.behaviour.activity.domain.standing import (
    CHANGE_PROCESS,
    CHANGE_SUBJECT,
    MAY_FOLLOW,
    ChangeState,
    DayPassed,
    Standing,
    StandingCannotFollow,
    StandingChangeOpen,
)
from tanpuhui.behaviour.activity.models import Scenario, ScenarioStatus, StandingChange
from tanpuhui.behaviour.activity.queries._standing import standing_now
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingProposed:
    """A change waits for the checker."""

    scenario: str
    change_id: int
    case_id: int
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingSettled:
    """What a decision made of a change; `from_day` is the day it holds from, None where it does not."""

    scenario: str
    change_id: int
    state: str
    from_day: date | None


@operation(roles={Role.MAKER}, subject="scenario:{scenario}")
def propose_standing(
    *,
    actor: Actor,
    at: datetime,
    scenario: str,
    standing: str,
    from_day: date,
    reason: str,
    idempotency_key: str,
) -> StandingProposed:
    """Open the case of a change and sign it as its maker; the reason is the opinion.

    By a maker of the scenario's area. Raises NotFound, NotPermitted, DayPassed, StandingCannotFollow,
    StandingChangeOpen, and what opening and deciding a case raises (OpinionMissing).
    """
    row = Scenario.objects.select_for_update().filter(code=scenario).first()
    if row is None:
        raise NotFound(what="场景 / scenario", id=scenario)
    actor.require(Role.MAKER, operation="activity.propose_standing", area=row.area)
    today = business_day(at)
    if from_day < today:
        raise DayPassed(day=from_day.isoformat())
    _check_follows(row, Standing(standing), today)
    if StandingChange.objects.filter(scenario=row, state=ChangeState.PROPOSED).exists():
        raise StandingChangeOpen(scenario=row.name_zh)
    change = StandingChange.objects.create(
        scenario=row,
        standing=standing,
        from_day=from_day,
        reason=reason.strip(),
        state=ChangeState.PROPOSED,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=CHANGE_PROCESS,
        subject_type=CHANGE_SUBJECT,
        subject_id=str(change.pk),
        title=row.name_zh,
        area=row.area,
    )
    change.case_id = opened.case_id
    change.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=reason)
    return StandingProposed(
        scenario=scenario, change_id=change.pk, case_id=opened.case_id, number=opened.number
    )


@operation(roles=set(), subject="scenario:{scenario}")
def approve_standing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StandingSettled:
    """Effect of `approve`: the scenario stands so from the day proposed, and never before the day of the decision."""
    change = _decided(case_id=case_id, subject_id=subject_id, outcome="approve")
    today = business_day(at)
    _check_follows(change.scenario, Standing(change.standing), today)
    row = ScenarioStatus.objects.create(
        scenario=change.scenario,
        standing=change.standing,
        from_day=max(change.from_day, today),
        reason=change.reason,
        case_id=case_id,
        at=at,
    )
    return _settle(change, ChangeState.DONE, row.from_day)


@operation(roles=set(), subject="scenario:{scenario}")
def reject_standing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StandingSettled:
    """Effect of `reject`: the scenario stands as before."""
    change = _decided(case_id=case_id, subject_id=subject_id, outcome="reject")
    return _settle(change, ChangeState.REJECTED, None)


@operation(roles=set(), subject="scenario:{scenario}")
def withdraw_standing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StandingSettled:
    """Effect of `withdraw`: the maker takes the proposal back."""
    change = _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw")
    return _settle(change, ChangeState.WITHDRAWN, None)


def _check_follows(row: Scenario, wanted: Standing, today: date) -> None:
    now = standing_now(row.pk, today)
    if wanted not in MAY_FOLLOW[now]:
        raise StandingCannotFollow(scenario=row.name_zh, now=now.value, wanted=wanted.value)


def _decided(*, case_id: int, subject_id: str, outcome: str) -> StandingChange:
    """Return the change and its scenario, locked, if its case's latest decision is this outcome on it."""
    change = (
        StandingChange.objects.select_for_update()
        .select_related("scenario")
        .filter(pk=int(subject_id))
        .first()
    )
    if (
        change is None
        or change.case_id != case_id
        or change.state != ChangeState.PROPOSED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise ScenarioNotDecided(case_id=case_id, outcome=outcome)
    return change


def _settle(change: StandingChange, state: ChangeState, from_day: date | None) -> StandingSettled:
    change.state = state
    change.save(update_fields=["state"])
    return StandingSettled(
        scenario=change.scenario.code, change_id=change.pk, state=state.value, from_day=from_day
    )
