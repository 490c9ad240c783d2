from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Invalid, Refusal
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.operations._acts import assign_case

AT_ONCE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseToAssign:
    """One case as the person saw it: its step, and the assignment that held it then (0: none)."""

    case_id: int
    seen_step: int
    seen_act: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRefused:
    """A case that stayed as it was, and why, in both languages."""

    case_id: int
    number: str
    code: str
    why_zh: str
    why_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesAssigned:
    """Which cases a colleague has now, and which were refused."""

    user_id: int
    assigned: tuple[int, ...]
    refused: tuple[AssignmentRefused, ...]


@operation(roles=set(), subject="user:{user_id}")
def assign_cases(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None,
    cases: Sequence[CaseToAssign],
    user_id: int,
    reason: str,
) -> CasesAssigned:
    """Pass several cases to one colleague (批量转办): each by the rules of `assign_case`, the others are kept.

    A case that moved or was passed on since the person looked is refused by number and reason, and stays as it is.
    Raises Invalid for none or too many, or without a reason.
    """
    if not 1 <= len(cases) <= AT_ONCE_MAX:
        raise Invalid(field="cases", why=f"一次 1 至 {AT_ONCE_MAX} 件 / 1 to {AT_ONCE_MAX} at once")
    if not reason.strip():
        raise Invalid(field="reason", why="请写明理由 / give a reason")
    assigned: list[int] = []
    refused: list[tuple[int, Refusal]] = []
    for wanted in sorted(cases, key=lambda one: one.case_id):
        try:
            assign_case(
                actor=actor,
                at=at,
                idempotency_key=None,
                case_id=wanted.case_id,
                user_id=user_id,
                reason=reason,
                seen_step=wanted.seen_step,
                seen_act=wanted.seen_act,
            )
            assigned.append(wanted.case_id)
        except Refusal as why:
            refused.append((wanted.case_id, why))
    numbers = dict(Case.objects.filter(pk__in=[id_ for id_, _ in refused]).values_list("pk", "number"))
    return CasesAssigned(
        user_id=user_id,
        assigned=tuple(assigned),
        refused=tuple(
            AssignmentRefused(
                case_id=case_id,
                number=numbers.get(case_id, str(case_id)),
                code=why.code,
                why_zh=why.message("zh"),
                why_en=why.message("en"),
            )
            for case_id, why in refused
        ),
    )
