"""Propose a recalculation to the checker, and what each outcome of its case does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.domain.recalculations import (
    PROCESS,
    SUBJECT_TYPE,
    PreviewOutdated,
    RecalculationNotDecided,
    RecalculationOpen,
    RecalculationState,
    VersionNotFiled,
    WrongRecalculationState,
)
from tanpuhui.behaviour.activity.events import RecalculationApproved
from tanpuhui.behaviour.activity.models import Recalculation, Scenario
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case
from tanpuhui.science.methodology import queries as methodology

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationProposed:
    """A recalculation waits for the checker (等待复核)."""

    recalculation_id: int
    case_id: int
    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationSettled:
    """What a decision made of a recalculation."""

    recalculation_id: int
    state: str


def locked(recalculation_id: int) -> Recalculation:
    """Return the recalculation, locked until the transaction ends. Raises NotFound."""
    row = Recalculation.objects.select_for_update().filter(pk=recalculation_id).first()
    if row is None:
        raise NotFound(what="重算 / recalculation", id=recalculation_id)
    return row


@operation(roles={Role.MAKER}, subject="recalculation:{recalculation_id}")
def propose_recalculation(
    *, actor: Actor, at: datetime, idempotency_key: str, recalculation_id: int, opinion: str
) -> RecalculationProposed:
    """Open the case of a previewed recalculation and sign it as its maker; another person checks it.

    Raises NotFound, WrongRecalculationState, VersionNotFiled, RecalculationOpen, PreviewOutdated, and what opening and
    deciding a case raises (OpinionMissing).
    """
    area = jurisdiction().area
    actor.require(Role.MAKER, operation="activity.propose_recalculation", area=area)
    run = locked(recalculation_id)
    _require_state(run, RecalculationState.PREVIEWED)
    lock_names(f"activity:recalculation:{run.scenario}")
    version = methodology.version(run.to_version_id)
    if version.filed_at is None:
        raise VersionNotFiled(code=version.code, version=version.version)
    _check_others(run)
    scenario = Scenario.objects.get(code=run.scenario)
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(run.pk),
        title=f"{scenario.name_zh} {run.months[0]}—{run.months[-1]} {version.code} {version.version}",
        area=area,
    )
    run.case_id = opened.case_id
    run.state = RecalculationState.PROPOSED
    run.save(update_fields=["case_id", "state"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=opinion)
    return RecalculationProposed(recalculation_id=run.pk, case_id=opened.case_id, number=opened.number)


@operation(roles=set(), subject="recalculation:{recalculation_id}")
def approve_recalculation(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> RecalculationSettled:
    """Effect of `approve`: the differences are posted from now on, step by step (复核通过，开始调整)."""
    run = _decided(case_id=case_id, subject_id=subject_id, outcome="approve")
    run.state = RecalculationState.ADJUSTING
    run.approved_at = at
    run.save(update_fields=["state", "approved_at"])
    publish(RecalculationApproved(recalculation_id=run.pk))
    return RecalculationSettled(recalculation_id=run.pk, state=run.state)


@operation(roles=set(), subject="recalculation:{recalculation_id}")
def reject_recalculation(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> RecalculationSettled:
    """Effect of `reject`: nothing is posted (不予重算)."""
    run = _decided(case_id=case_id, subject_id=subject_id, outcome="reject")
    run.state = RecalculationState.REJECTED
    run.save(update_fields=["state"])
    return RecalculationSettled(recalculation_id=run.pk, state=run.state)


def _check_others(run: Recalculation) -> None:
    """Refuse where another recalculation of the scenario is open, or was posted after this preview."""
    others = Recalculation.objects.filter(scenario=run.scenario).exclude(pk=run.pk)
    still_open = others.filter(state__in=[RecalculationState.PROPOSED, RecalculationState.ADJUSTING]).first()
    if still_open is not None:
        raise RecalculationOpen(scenario=run.scenario, id=still_open.pk)
    later = (
        others.filter(pk__gt=run.pk, state=RecalculationState.DONE).first()
        or others.filter(state=RecalculationState.DONE, finished_at__gt=run.prepared_at)
        .order_by("id")
        .first()
    )
    if later is not None:
        raise PreviewOutdated(scenario=run.scenario, id=later.pk)


def _decided(*, case_id: int, subject_id: str, outcome: str) -> Recalculation:
    """Return the locked recalculation, if its case's latest decision is this outcome on it."""
    run = locked(int(subject_id))
    case = workflow.case(case_id)
    about = (case.subject_type, case.subject_id, case.case_id)
    if about != (SUBJECT_TYPE, subject_id, run.case_id) or workflow.latest_outcome(case_id) != outcome:
        raise RecalculationNotDecided(case_id=case_id, id=run.pk, outcome=outcome)
    _require_state(run, RecalculationState.PROPOSED)
    return run


def _require_state(run: Recalculation, state: RecalculationState) -> None:
    if run.state != state:
        raise WrongRecalculationState(id=run.pk, state=run.state)
