"""Let a record that was set aside count after all (申诉后计入): it waits again by itself, and its day's settlement posts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection
from django.db.models import Min

from tanpuhui.behaviour.activity.adapters.waiting import rows_of_account
from tanpuhui.behaviour.activity.domain.readmissions import (
    RecordErased,
    RecordReadmittedAlready,
    SetAsideNotFound,
)
from tanpuhui.behaviour.activity.events import DaySettlementDue
from tanpuhui.behaviour.activity.models import Readmission, WaitingRows
from tanpuhui.behaviour.activity.operations._post_batch._wait import write_payloads
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names

VERDICT_COLUMNS = ("reason", "winner_batch", "winner_row")
"""What setting aside added to the row as it waited."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordReadmitted:
    """The row waits again, under this number, for the settlement of its day."""

    waiting_id: int
    scenario: str
    day: date


@operation(roles={Role.SYSTEM}, subject="waiting:{waiting_id}")
def readmit_record(
    *, actor: Actor, at: datetime, set_aside_id: int, account_id: int, row: int, case_id: int
) -> RecordReadmitted:
    """Let one row of those that were set aside wait again, as it waited; its next settlement counts it and compares nothing.

    It gets what is left of its caps, like any late record. What was noted of it stays as history. A building block for
    decided appeals. Raises SetAsideNotFound, RecordErased, RecordReadmittedAlready.
    """
    before = WaitingRows.objects.filter(pk=set_aside_id, day_settlement__isnull=False).first()
    if before is None:
        raise SetAsideNotFound(row=row)
    # Two appeals of one file take their parts one after the other.
    lock_names(f"activity:readmit:{before.batch_id}")
    own = _set_aside_row(before.pk, account_id=account_id, row=row)
    if own.column("started")[0].as_py() is None:
        raise RecordErased(row=row)
    if Readmission.objects.filter(set_aside=before, row_number=row).exists():
        raise RecordReadmittedAlready(row=row)
    waiting = _wait_again(before, at=at)
    with connection.cursor() as cursor:
        write_payloads(
            cursor, "activity_waiting_chunk", waiting.pk, own.drop_columns(list(VERDICT_COLUMNS)), chunks=1
        )
    Readmission.objects.create(
        waiting=waiting, set_aside=before, row_number=row, case_id=case_id, readmitted_at=at
    )
    publish(DaySettlementDue(day=waiting.day.isoformat()))
    return RecordReadmitted(waiting_id=waiting.pk, scenario=waiting.scenario, day=waiting.day)


def _set_aside_row(set_aside_id: int, *, account_id: int, row: int) -> pa.Table:
    for _, table in rows_of_account("activity_set_aside", [set_aside_id], account_id):
        own = table.filter(pc.equal(table.column("row_number"), row))
        if own.num_rows:
            return own
    raise SetAsideNotFound(row=row)


def _wait_again(before: WaitingRows, *, at: datetime) -> WaitingRows:
    """Write waiting rows beside the former ones, under the next part below them."""
    alike = WaitingRows.objects.filter(
        batch_id=before.batch_id,
        slice_number=before.slice_number,
        scenario=before.scenario,
        evidence_tier=before.evidence_tier,
        day=before.day,
    )
    lowest = alike.aggregate(lowest=Min("part"))["lowest"]
    return WaitingRows.objects.create(
        batch_id=before.batch_id,
        slice_number=before.slice_number,
        scenario=before.scenario,
        evidence_tier=before.evidence_tier,
        day=before.day,
        part=min(0, lowest) - 1,
        settles_on=business_day(at),
        n_records=1,
        chunks=1,
    )
