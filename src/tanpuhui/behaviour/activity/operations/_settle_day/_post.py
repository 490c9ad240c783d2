"""Steps 3 and 5, calculate and post (核算、入账): the rows that are left of a batch go the way that a file's rows go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters.tables import columns
from tanpuhui.behaviour.activity.adapters.waiting import CELLS, OWN
from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.operations._post_batch._calculate import calculate_versions, settle_results
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._resolve import find_methodologies
from tanpuhui.behaviour.activity.operations._settle_day._gather import Part


def desk_of(
    batch: Batch,
    parts: Sequence[Part],
    *,
    at: datetime,
    tables: Any,
    fields: tuple[str, ...],
    slice_number: int,
    day_settlement_id: int,
    stands: bool,
) -> Desk:
    """Put a batch's waiting rows on a desk as `judged` and `raw`, as they stood there when the file came."""
    desk = Desk(
        tables=tables,
        batch_id=batch.pk,
        partner_id=batch.partner_id,
        file_sha256=batch.file_sha256,
        received_at=batch.received_at,
        at=at,
        feeds={},
        slice_number=slice_number,
        day_settlement_id=day_settlement_id,
        stands=stands,
    )
    desk.open()
    desk.raw = pa.concat_tables([_cells(part.rows, fields) for part in parts]).combine_chunks()
    desk.rows = desk.raw.num_rows
    tables.register("raw", desk.raw)
    tables.register("waited", pa.concat_tables([_judged(part) for part in parts]))
    tables.execute("create table judged as select *, started::date as day from waited")
    tables.unregister("waited")
    return desk


def calculate(desk: Desk, lost: pa.Table) -> None:
    """Settle the rows that lost, and turn the others into `eligible` by the methodology in force on the day."""
    desk.tables.register("lost", lost)
    desk.tables.execute(
        "create table won as select j.* from judged as j anti join lost as l using (waiting_id, row_number)"
    )
    desk.settle_from(
        "select row_number, reason, field, '' as value from lost semi join judged using (waiting_id, row_number)"
    )
    desk.tables.unregister("lost")
    desk.tables.execute("create view good as select * from won")
    find_methodologies(desk)
    calculate_versions(desk)
    desk.tables.execute(
        "create table owned as select row_number, scenario, version_id, evidence_tier, day, started, account_id from ruled"
    )
    settle_results(desk)


def keep(desk: Desk) -> None:
    """Turn `eligible` into `keyed`: what counts. The record ids were taken up when the rows came."""
    desk.rest_after("eligible", "keyed")


def outcomes(desk: Desk) -> pa.Table:
    """Return waiting_id, row_number, reason of every row of the desk that does not count."""
    return desk.tables.sql(
        f"select {columns(('waiting_id', 'row_number', 'reason'))} from outcome join judged using (row_number)"
    ).to_arrow_table()


def _cells(rows: pa.Table, fields: tuple[str, ...]) -> pa.Table:
    """Return row numbers and cells; a column that did not exist when the file came is empty."""
    found = {"row_number": rows.column("row_number")}
    for name in dict.fromkeys((*CELLS, *fields)):
        held = name in rows.column_names
        found[name] = (
            rows.column(name) if held else pa.chunked_array([pa.repeat(pa.scalar(""), rows.num_rows)])
        )
    return pa.table(found)


def _judged(part: Part) -> pa.Table:
    one, n = part.waiting, part.rows.num_rows
    table = part.rows.select(OWN)
    table = table.append_column("scenario", pa.repeat(pa.scalar(one.scenario), n))
    table = table.append_column("evidence_tier", pa.repeat(pa.scalar(one.evidence_tier, pa.int16()), n))
    return table.append_column("waiting_id", pa.repeat(pa.scalar(one.pk, pa.int64()), n))
