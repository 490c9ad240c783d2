"""What became of a record that was pushed (推送记录的结论)."""

from __future__ import annotations

from datetime import date, datetime

from tanpuhui.behaviour.activity.adapters.waiting import numbers_held
from tanpuhui.behaviour.activity.domain import BatchState, RecordNotPushed, Verdict
from tanpuhui.behaviour.activity.domain.views import PushedRecordView
from tanpuhui.behaviour.activity.models import Batch, PushedRecord, RowOutcome, WaitingRows
from tanpuhui.behaviour.activity.queries._settlements import rows_readmitted

RECEIVED = "received"


def pushed_records(*, partner_id: int, day: date, record_id: str) -> tuple[PushedRecordView, ...]:
    """Return what became of a record of a partner, the last content first. Raises RecordNotPushed."""
    rows = PushedRecord.objects.filter(partner_id=partner_id, day=day, record_id=record_id).select_related(
        "batch"
    )
    found = tuple(_view(row) for row in rows.order_by("-id"))
    if not found:
        raise RecordNotPushed(record_id=record_id, day=day)
    return found


def batches_left(*, received_before: datetime) -> tuple[int, ...]:
    """Return batches that were received before a moment and are not settled, the oldest first."""
    rows = Batch.objects.filter(state=BatchState.RECEIVED, received_at__lt=received_before)
    return tuple(rows.order_by("id").values_list("id", flat=True))


def partners_to_gather(*, received_before: datetime) -> tuple[int, ...]:
    """Return the partners of whom pushed records wait since before a moment."""
    rows = PushedRecord.objects.filter(batch__isnull=True, received_at__lt=received_before)
    return tuple(rows.values_list("partner_id", flat=True).distinct().order_by("partner_id"))


def _view(row: PushedRecord) -> PushedRecordView:
    verdict, reason, field, settles_on = RECEIVED, "", "", None
    if row.batch is not None and row.batch.state == BatchState.REFUSED:
        verdict, reason = Verdict.REJECTED, "BAD_ROW"
    elif row.batch is not None and row.batch.state == BatchState.POSTED:
        verdict, reason, field, settles_on = _verdict(row.batch, row.row_number or 0, row.day)
    return PushedRecordView(
        record_id=row.record_id,
        day=row.day,
        received_at=row.received_at,
        batch_id=row.batch_id,
        row=row.row_number,
        verdict=verdict,
        reason=reason,
        field=field,
        settles_on=settles_on,
    )


def _verdict(batch: Batch, row_number: int, day: date) -> tuple[str, str, str, date | None]:
    outcome = RowOutcome.objects.filter(batch_id=batch.pk, row_number=row_number).first()
    if outcome is not None and row_number not in rows_readmitted(batch.pk):
        return outcome.verdict, outcome.reason, outcome.field, None
    # A row without an outcome counts, or waits with all the others of its scenario and day; a pushed batch is small.
    waiting = WaitingRows.objects.filter(batch_id=batch.pk, day=day, day_settlement__isnull=True, part__gte=0)
    held = next((one for one in waiting if row_number in numbers_held(one.pk)), None)
    if held is None:
        return Verdict.COUNTED, "", "", None
    reason = "HELD_FOR_REVIEW" if held.held_for and held.settles_on is None else "SETTLES_LATER"
    return Verdict.WAITING, reason, "", held.settles_on
