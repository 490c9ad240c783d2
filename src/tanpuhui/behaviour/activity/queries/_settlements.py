"""What waits for its day's settlement, and what a settlement did not count (待结算与落选记录)."""

from __future__ import annotations

from datetime import date, datetime

from tanpuhui.behaviour.activity.adapters.waiting import rows_of_account
from tanpuhui.behaviour.activity.domain.views import DaySettlementView, SetAsideView, WaitingView
from tanpuhui.behaviour.activity.models import DaySettlement, WaitingRows
from tanpuhui.foundation.kernel.calendar import CHINA


def days_to_settle(*, today: date) -> tuple[date, ...]:
    """Return the business days of which something waits whose time has come."""
    rows = WaitingRows.objects.filter(day_settlement__isnull=True, settles_on__lte=today)
    return tuple(rows.values_list("day", flat=True).distinct().order_by("day"))


def day_settlements(*, day: date) -> tuple[DaySettlementView, ...]:
    """Return the settlements of a business day, the first one first."""
    return tuple(
        DaySettlementView(
            id=row.pk,
            day=row.day,
            settled_at=row.settled_at,
            rows=row.rows,
            counted=row.counted,
            reasons=row.reasons,
            grams=row.grams,
            points=row.points,
        )
        for row in DaySettlement.objects.filter(day=day).order_by("id")
    )


def waiting_of_account(account_id: int) -> tuple[WaitingView, ...]:
    """Return the records of an account that wait for their settlement, the earliest activity first."""
    several = {row.pk: row for row in WaitingRows.objects.filter(day_settlement__isnull=True)}
    found: list[WaitingView] = []
    for waiting_id, rows in rows_of_account("activity_waiting_chunk", list(several), account_id):
        one = several[waiting_id]
        found.extend(
            WaitingView(
                scenario=one.scenario,
                day=one.day,
                started_at=row["started"].replace(tzinfo=CHINA),
                settles_on=one.settles_on,
                batch_id=one.batch_id,
                row=row["row_number"],
                held_for=one.held_for,
            )
            for row in rows.to_pylist()
        )
    return tuple(sorted(found, key=lambda view: view.started_at))


def set_aside_of_account(*, account_id: int, first_day: date, last_day: date) -> tuple[SetAsideView, ...]:
    """Return what settlements of these days did not count of an account, the latest activity first."""
    several = {
        row.pk: row
        for row in WaitingRows.objects.filter(
            day_settlement__isnull=False, day__range=(first_day, last_day)
        ).select_related("batch")
    }
    found: list[SetAsideView] = []
    for waiting_id, rows in rows_of_account("activity_set_aside", list(several), account_id):
        one = several[waiting_id]
        found.extend(
            SetAsideView(
                waiting_id=waiting_id,
                partner_id=one.batch.partner_id,
                scenario=one.scenario,
                day=one.day,
                started_at=row["started"].replace(tzinfo=CHINA) if row["started"] else None,
                batch_id=one.batch_id,
                row=row["row_number"],
                reason=row["reason"],
                winner_batch_id=row["winner_batch"],
                winner_row=row["winner_row"],
            )
            for row in rows.to_pylist()
        )
    return tuple(sorted(found, key=_latest_first, reverse=True))


def _latest_first(view: SetAsideView) -> tuple[date, bool, datetime]:
    """Order by day, then moment; one whose moment was erased comes last of its day."""
    return view.day, view.started_at is not None, view.started_at or datetime.min.replace(tzinfo=CHINA)
