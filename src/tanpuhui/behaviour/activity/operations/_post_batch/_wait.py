"""Step 7, wait (待结算): rows of scenarios that are compared with other partners' records first are written down until their day is settled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import encode_payload
from tanpuhui.behaviour.activity.adapters.tables import columns, text
from tanpuhui.behaviour.activity.adapters.waiting import CELLS, DOUBT
from tanpuhui.behaviour.activity.domain import chunk_count
from tanpuhui.behaviour.activity.domain.plausibility import DOUBTS
from tanpuhui.behaviour.activity.events import DaySettlementDue
from tanpuhui.behaviour.activity.models import WaitingRows
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._once import write_key_segments
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.bulk import copy_payloads
from tanpuhui.foundation.persistence.events import publish


def set_waiting(desk: Desk, fields: tuple[str, ...]) -> None:
    """Take the rows of scenarios that settle later out of `keyed`. Their record ids are taken up now, once for ever."""
    later = {feed.scenario: feed.settle_days for feed in desk.feeds.values() if feed.settle_days is not None}
    if not later:
        return
    named = ", ".join(text(code) for code in sorted(later))
    groups = desk.tables.execute(
        f"select distinct scenario, evidence_tier, day from keyed where scenario in ({named}) order by 1, 2, 3"
    ).fetchall()
    today = business_day(desk.at)
    due: set[date] = set()
    for scenario, tier, day in groups:
        settles_on = max(day + timedelta(days=later[scenario]), today)
        desk.waiting[settles_on] = desk.waiting.get(settles_on, 0) + write_waiting(
            desk, fields, scenario=scenario, tier=tier, day=day, settles_on=settles_on
        )
        if settles_on <= today:
            due.add(day)
    desk.tables.execute(f"delete from keyed where scenario in ({named})")
    for day in sorted(due):
        publish(DaySettlementDue(day=day.isoformat()))


def write_waiting(
    desk: Desk,
    fields: tuple[str, ...],
    *,
    scenario: str,
    tier: int,
    day: date,
    settles_on: date | None,
    held_for: str = "",
) -> int:
    """Write the rows of one scenario, tier and day, and their keys; return how many. Held ones (in `held`) have no day yet."""
    cells = dict.fromkeys((*CELLS, *fields))
    held = ""
    doubt = ""
    if held_for:
        held = f"join (select row_number, value from held where reason = {text(held_for)}) as h using (row_number) "
        doubt = f", h.value as {DOUBT}"
    found = desk.tables.sql(
        f"select k.row_number, k.account_id, j.started, j.ended, j.area, {columns(cells, 'x.')}{doubt} from keyed as k "
        f"join judged as j using (row_number) join raw as x using (row_number) {held}"
        f"where k.scenario = {text(scenario)} and k.evidence_tier = {tier} and k.day = date '{day}'"
    ).to_arrow_table()
    count = chunk_count(found.num_rows)
    waiting = WaitingRows.objects.create(
        batch_id=desk.batch_id,
        slice_number=desk.slice_number,
        scenario=scenario,
        evidence_tier=tier,
        day=day,
        part=DOUBTS.index(held_for) + 1 if held_for else 0,
        held_for=held_for,
        settles_on=settles_on,
        n_records=found.num_rows,
        chunks=count,
    )
    with connection.cursor() as cursor:
        write_payloads(cursor, "activity_waiting_chunk", waiting.pk, found, count)
    write_key_segments(desk, found.column("row_number").to_numpy(), waiting_id=waiting.pk)
    return waiting.n_records


def write_payloads(cursor: Any, table: str, waiting_id: int, rows: pa.Table, chunks: int) -> None:
    """Write rows as payloads, one a bucket of accounts, in the order of account, start and row."""
    copy_payloads(
        cursor,
        table,
        {
            "waiting_id": "int8",
            "bucket": "int2",
            "n_records": "int4",
            "rows": "bytea",
            "rows_sha256": "bytea",
        },
        (
            (waiting_id, bucket, part.num_rows, payload, hashlib.sha256(payload).digest())
            for bucket, part in _buckets(rows, chunks)
            for payload in (encode_payload(part),)
        ),
    )


def _buckets(rows: pa.Table, chunks: int) -> Iterator[tuple[int, pa.Table]]:
    order = pa.compute.sort_indices(
        rows,
        sort_keys=[("account_id", "ascending"), ("started", "ascending"), ("row_number", "ascending")],
    ).to_numpy()
    bucket = rows.column("account_id").to_numpy()[order] % chunks
    order = order[np.argsort(bucket, kind="stable")]
    bucket = np.sort(bucket)
    edges = [0, *(np.flatnonzero(bucket[1:] != bucket[:-1]) + 1).tolist(), len(bucket)]
    for start, end in pairwise(edges):
        if end > start:
            yield int(bucket[start]), rows.take(pa.array(order[start:end])).combine_chunks()
