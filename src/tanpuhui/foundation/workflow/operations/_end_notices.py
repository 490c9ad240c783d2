"""The worker moves on what the rules let it move: a notice that is over, without an open objection."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import NoticeRuns, ObjectionsOpen, leaving
from tanpuhui.foundation.workflow.models import Notice
from tanpuhui.foundation.workflow.operations._decide import decide

OPINION = "公示期满，没有未答复或成立的异议。/ The notice is over; no objection is open or upheld."


def end_notices(*, at: datetime) -> tuple[int, ...]:
    """Take the system's way out of every notice that is over, each in its own transaction; return the cases moved.

    A case with an open objection stays where it is, and people see why. Any other refusal is an error and is raised
    after the remaining cases were looked at.
    """
    today = business_day(at)
    over = Notice.objects.filter(closed_at__isnull=True, closes_on__lt=today).select_related("case")
    over = over.exclude(extensions__closes_on__gte=today)
    moved: list[int] = []
    faults: list[Exception] = []
    for notice in over.order_by("id"):
        case = notice.case
        ways = leaving(rulebook.process_by_id(case.process_version_id).transitions, case.state)
        way = next((way for way in ways if way.role == Role.SYSTEM.value), None)
        if way is None or notice.step != case.step:
            continue
        try:
            decide(
                actor=SYSTEM,
                at=at,
                idempotency_key=f"notice:{notice.pk}:over",
                case_id=case.pk,
                outcome=way.outcome,
                opinion=OPINION,
                seen_step=notice.step,
            )
            moved.append(case.pk)
        except (NoticeRuns, ObjectionsOpen):
            continue
        except Refusal as fault:
            faults.append(fault)
    if faults:
        raise ExceptionGroup("notices that could not be ended", faults)
    return tuple(moved)
