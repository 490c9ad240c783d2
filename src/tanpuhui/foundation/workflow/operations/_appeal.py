"""Appeal against a decision (申诉): a case about the case, decided by somebody who decided nothing in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.workflow.domain import (
    CASE_SUBJECT,
    NAMED_ROLES,
    AppealTooLate,
)
from tanpuhui.foundation.workflow.models import Case, CaseRelation, Decision
from tanpuhui.foundation.workflow.operations._amend import open_amendment
from tanpuhui.foundation.workflow.operations._decide import decide
from tanpuhui.foundation.workflow.operations._open_case import open_case
from tanpuhui.foundation.workflow.queries import (
    appeal_term,
    appealable,
    decision_label,
    last_standing_step,
    latest_decision,
)

PROCESS = "appeal"
APPEALS, FOLLOWS = "appeals", "follows"
STEP = "decision_step"
"""The value of the filing that says against which step of the case it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealFiled:
    """The case in which the appeal is decided."""

    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealUpheld:
    """The case in which the decision appealed against is now corrected or rescinded."""

    case_id: int
    amendment_id: int


@operation(
    roles={Role.OWNER, Role.PARTNER, Role.MERCHANT, Role.BUYER, Role.VERIFIER}, subject="case:{case_id}"
)
def file_appeal(
    *, actor: Actor, at: datetime, idempotency_key: str | None, case_id: int, reason: str
) -> AppealFiled:
    """Appeal, as a party, against the last decision of a case that stands and that another took.

    Where a rule sets a time limit (`workflow.appeal_working_days`), a late appeal is refused; where none does, a person
    decides whether it is admitted and says why. Raises NotFound, NothingToAppeal, AppealTooLate, CaseAlreadyOpen,
    OpinionMissing.
    """
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    step, grant = appealable(actor=actor, case_id=case_id)
    return _file(
        actor=actor,
        at=at,
        case=case,
        step=step,
        reason=reason,
        organisation_id=None if grant.role in NAMED_ROLES else grant.organisation_id,
        parties=_party(grant),
    )


@operation(roles=set(), subject="case:{case_id}")
def file_own_appeal(*, actor: Actor, at: datetime, case_id: int, reason: str) -> AppealFiled:
    """Appeal as the person whom the last decision of a case that stands concerns; the time limit is that of `file_appeal`.

    A case knows organisations only, so the room whose subject the case is about says in its own operation that it
    concerns this person, and calls this. Raises NotFound, NotPermitted, NothingToAppeal, AppealTooLate, CaseAlreadyOpen,
    OpinionMissing.
    """
    actor.require(Role.CITIZEN, operation="workflow.file_own_appeal")
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise NotFound(what="案件 / case", id=case_id)
    return _file(actor=actor, at=at, case=case, step=last_standing_step(case_id), reason=reason)


def _file(
    *,
    actor: Actor,
    at: datetime,
    case: Case,
    step: int,
    reason: str,
    organisation_id: int | None = None,
    parties: Mapping[str, int] | None = None,
) -> AppealFiled:
    decision = Decision.objects.get(case=case, step=step)
    _check_time(case, decision, at=at)
    label = decision_label(decision.pk)
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=CASE_SUBJECT,
        subject_id=str(case.pk),
        title=f"对 {case.number} 第 {step} 步“{label}”的申诉",
        area=case.area,
        organisation_id=organisation_id,
        parties=parties or {},
    )
    CaseRelation.objects.create(case_id=opened.case_id, other=case, kind=APPEALS, at=at)
    decide(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=opened.case_id,
        outcome="lodge",
        opinion=reason,
        values={STEP: str(step)},
    )
    return AppealFiled(case_id=opened.case_id, number=opened.number)


@operation(roles=set(), subject="case:{case_id}")
def uphold_appeal(*, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str) -> AppealUpheld:
    """Effect of `uphold`: the case in which the decision is corrected or rescinded is open, bound to appeal and original.

    What becomes of the decision is proposed and confirmed there, by two persons. Raises NotPermitted, CaseAlreadyOpen.
    """
    appeal = Case.objects.filter(pk=case_id, subject_type=CASE_SUBJECT, subject_id=subject_id).first()
    upheld = latest_decision(case_id)
    lodged = Decision.objects.filter(case_id=case_id, outcome="lodge").order_by("-step").first()
    if appeal is None or lodged is None or upheld is None or upheld.outcome != "uphold":
        raise NotPermitted(operation="workflow.uphold_appeal")
    decision = Decision.objects.select_related("case").get(
        case_id=int(subject_id), step=int(lodged.values[STEP])
    )
    opened = open_amendment(actor=actor, at=at, decision=decision)
    CaseRelation.objects.create(case_id=opened.case_id, other=appeal, kind=FOLLOWS, at=at)
    return AppealUpheld(case_id=case_id, amendment_id=opened.case_id)


def _party(grant: Grant) -> dict[str, int]:
    """Name the organisation in its role where only the named act (the verifier)."""
    if grant.role in NAMED_ROLES and grant.organisation_id is not None:
        return {grant.role.value: grant.organisation_id}
    return {}


def _check_time(case: Case, decision: Decision, *, at: datetime) -> None:
    term = appeal_term(process=case.process, decided_at=decision.at, at=at)
    if term is not None and business_day(at) > term.last_day:
        raise AppealTooLate(
            number=case.number, days=term.working_days, last_day=term.last_day.isoformat(), basis=term.basis
        )
