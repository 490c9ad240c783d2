"""Public notice of a case (公示): opened by the decision that leads to it, commented on, answered, closed by the next."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import NOTICE_WORKING_DAYS
from tanpuhui.foundation.workflow.events import NoticeClosed, NoticeOpened
from tanpuhui.foundation.workflow.models import Case, Decision, Notice


def open_notice(case: Case, *, state: rulebook.State, decision: Decision) -> Notice:
    """Open the notice of the state that a decision led to; its last day is the n-th working day after today.

    The days are the rule's, or what the decider entered where it is unset; then the opinion is the reason.
    Raises HolidaysUnset: the public is not told a last day that nobody can reckon.
    """
    today = business_day(decision.at)
    chosen = state.notice_working_days is None
    days = int(decision.values[NOTICE_WORKING_DAYS]) if chosen else int(state.notice_working_days or 0)
    notice = Notice.objects.create(
        case=case,
        step=case.step,
        title=case.title,
        working_days=days,
        days_basis=decision.opinion if chosen else state.notice_basis,
        opens_on=today,
        closes_on=rulebook.add_working_days(today, days),
        opened_at=decision.at,
    )
    publish(NoticeOpened(notice_id=notice.pk, case_id=case.pk, number=case.number))
    return notice


def close_notice(case: Case, *, at: datetime, result: str) -> None:
    """Close the notice of the step that a decision leaves, with what was decided as its result."""
    notice = Notice.objects.filter(case=case, step=case.step, closed_at__isnull=True).first()
    if notice is None:
        return
    notice.closed_at, notice.result = at, result
    notice.save(update_fields=["closed_at", "result"])
    publish(NoticeClosed(notice_id=notice.pk, case_id=case.pk, number=case.number))
