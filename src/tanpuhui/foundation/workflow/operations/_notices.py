"""Public notice of a case (公示): opened by the decision that leads to it, commented on, answered, closed by the next."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import NOTICE_WORKING_DAYS
from tanpuhui.foundation.workflow.events import NoticeClosed, NoticeOpened
from tanpuhui.foundation.workflow.models import Case, Decision, Notice
from tanpuhui.foundation.workflow.queries import NOT_ESTABLISHED, notice_documents, notice_terms


def open_notice(case: Case, *, version: rulebook.ProcessVersion, decision: Decision) -> Notice:
    """Open the notice of the state that a decision led to; its last day is the n-th working day after today.

    The days are the rule's, or what the decider entered where it is unset; then the opinion is the reason. Attachments
    of the kinds that the state publishes are published as they are now.
    Raises HolidaysUnset: the public is not told a last day that nobody can reckon.
    """
    today, state = business_day(decision.at), version.state(case.state)
    terms = notice_terms(state, process=case.process, at=decision.at)
    chosen = terms.working_days is None
    days = int(decision.values[NOTICE_WORKING_DAYS]) if terms.working_days is None else terms.working_days
    notice = Notice.objects.create(
        case=case,
        step=case.step,
        title=case.title,
        working_days=days,
        days_basis=decision.opinion if chosen else terms.basis,
        days_confidence=NOT_ESTABLISHED if chosen else terms.confidence,
        documents=notice_documents(case, kinds=state.notice_publishes),
        opens_on=today,
        closes_on=rulebook.add_working_days(today, days),
        opened_at=decision.at,
    )
    publish(NoticeOpened(notice_id=notice.pk, case_id=case.pk, number=case.number))
    return notice


def close_notice(case: Case, *, at: datetime, result: str, result_en: str) -> None:
    """Close the notice of the step that a decision leaves, with what was decided as its result."""
    notice = Notice.objects.filter(case=case, step=case.step, closed_at__isnull=True).first()
    if notice is None:
        return
    notice.closed_at, notice.result, notice.result_en = at, result, result_en
    notice.save(update_fields=["closed_at", "result", "result_en"])
    publish(NoticeClosed(notice_id=notice.pk, case_id=case.pk, number=case.number))
