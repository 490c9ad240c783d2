"""What waits for its day's settlement, and what a settlement did not count (待结算与落选记录)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.db.models import QuerySet

from tanpuhui.behaviour.activity.adapters import TRACES
from tanpuhui.behaviour.activity.adapters.waiting import CELLS, DOUBT, OWN, rows_of_account
from tanpuhui.behaviour.activity.domain.readmissions import SetAsideNotFound
from tanpuhui.behaviour.activity.domain.views import DaySettlementView, SetAsideView, WaitingView
from tanpuhui.behaviour.activity.models import DaySettlement, HeldDecision, Readmission, SetAside, WaitingRows
from tanpuhui.foundation.kernel.calendar import CHINA

_NO_VALUES = frozenset({*OWN, *CELLS, DOUBT, "reason", "winner_batch", "winner_row"})
"""Columns of a row that was set aside which are not fields of a methodology."""


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
    several = WaitingRows.objects.filter(day_settlement__isnull=False, day__range=(first_day, last_day))
    return tuple(sorted(_set_aside(several, account_id), key=_latest_first, reverse=True))


def set_aside_record(*, set_aside_id: int, account_id: int, row: int) -> SetAsideView:
    """Return one record of an account that a settlement did not count. Raises SetAsideNotFound."""
    several = WaitingRows.objects.filter(pk=set_aside_id, day_settlement__isnull=False)
    found = next((view for view in _set_aside(several, account_id) if view.row == row), None)
    if found is None:
        raise SetAsideNotFound(row=row)
    return found


def reviewer_of(set_aside_id: int) -> str | None:
    """Return the id of the person who reviewed these rows while they were held; None where nobody had to."""
    decision = HeldDecision.objects.filter(waiting_id=set_aside_id).first()
    return decision.decided_by if decision is not None else None


def rows_readmitted(batch_id: int) -> frozenset[int]:
    """Return the rows of a batch that count after an appeal although an outcome was noted of them before."""
    rows = Readmission.objects.filter(waiting__batch_id=batch_id, waiting__day_settlement__isnull=False)
    aside = SetAside.objects.filter(waiting_id__in=rows.values("waiting_id")).values_list(
        "waiting_id", flat=True
    )
    return frozenset(rows.exclude(waiting_id__in=list(aside)).values_list("row_number", flat=True))


def _set_aside(several: QuerySet[WaitingRows], account_id: int) -> Iterator[SetAsideView]:
    held = {row.pk: row for row in several.select_related("batch")}
    readmitted = set(
        Readmission.objects.filter(set_aside_id__in=held).values_list("set_aside_id", "row_number")
    )
    for waiting_id, rows in rows_of_account("activity_set_aside", list(held), account_id):
        one = held[waiting_id]
        for row in rows.to_pylist():
            yield SetAsideView(
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
                readmitted=(waiting_id, row["row_number"]) in readmitted,
                ended_at=row["ended"].replace(tzinfo=CHINA) if row["ended"] else None,
                values={name: row[name] for name in row if name not in _NO_VALUES and row[name]},
                traces={name: row[name] for name in TRACES if row.get(name)},
            )


def _latest_first(view: SetAsideView) -> tuple[date, bool, datetime]:
    """Order by day, then moment; one whose moment was erased comes last of its day."""
    return view.day, view.started_at is not None, view.started_at or datetime.min.replace(tzinfo=CHINA)
