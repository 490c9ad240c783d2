"""Step 5, once (去重): a record id counts once for a partner and business day, in this file and ever before."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk

KEY_BYTES = 16


def drop_repeats(desk: Desk) -> None:
    """Turn `eligible` into `keyed`: rows that count, with the 128-bit key of their record id as two halves."""
    drop_repeats_in_file(desk)
    _drop_posted(desk)
    desk.rest_after("fresh", "keyed")


def drop_repeats_in_file(desk: Desk) -> None:
    """Turn `eligible` into `fresh`: of the rows with one record id and day only the first goes on."""
    tables = desk.tables
    tables.execute(
        "create table repeated as select day, record_id, min(row_number) as first_row from eligible "
        "group by all having count(*) > 1"
    )
    desk.settle_from(
        "select e.row_number, 'DUPLICATE_IN_FILE' as reason, 'record_id' as field, r.first_row::varchar as value "
        "from eligible as e join repeated as r using (day, record_id) where e.row_number != r.first_row"
    )
    tables.execute(
        "create table fresh as select *, md5_number_upper(record_id) as key_high, "
        "md5_number_lower(record_id) as key_low from eligible anti join "
        "(select e.row_number from eligible as e join repeated as r using (day, record_id) "
        "where e.row_number != r.first_row) as later using (row_number)"
    )
    tables.execute("drop table eligible")


def _drop_posted(desk: Desk) -> None:
    """Find rows whose key was posted before, and confirm by the record id where the traces are still there."""
    days = [row[0] for row in desk.tables.execute("select distinct day from fresh").fetchall()]
    earlier = _earlier_keys(desk.partner_id, days)
    if earlier.num_rows == 0:
        return
    desk.tables.register("earlier", earlier)
    desk.tables.execute(
        "create table met as select f.row_number, f.day, f.record_id, e.posting_id from fresh as f "
        "join earlier as e using (day, key_high, key_low)"
    )
    postings = [row[0] for row in desk.tables.execute("select distinct posting_id from met").fetchall()]
    if postings:
        desk.tables.register("posted_ids", _posted_record_ids(postings))
        desk.settle_from(
            "select m.row_number, 'DUPLICATE_POSTED' as reason, 'record_id' as field, "
            "any_value(m.record_id) as value from met as m join posted_ids as p "
            "on p.posting_id = m.posting_id and (p.erased or (p.day = m.day and p.record_id = m.record_id)) "
            "group by m.row_number"
        )
    desk.tables.execute("drop table met")


def _earlier_keys(partner_id: int, days: list[date]) -> pa.Table:
    """Return the keys posted for this partner on these days, read from the segments."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select day, posting_id, keys from activity_key_segment where partner_id = %s and day = any(%s)",
            [partner_id, days],
        )
        segments = [(day, posting_id, bytes(keys)) for day, posting_id, keys in cursor.fetchall()]
    halves = [np.frombuffer(keys, ">u8").reshape(-1, 2).astype(np.uint64) for _, _, keys in segments]
    sizes = [len(half) for half in halves]
    both = np.concatenate(halves) if halves else np.empty((0, 2), np.uint64)
    return pa.table(
        {
            "day": pa.array(
                np.repeat(np.array([s[0] for s in segments], "datetime64[D]"), sizes), pa.date32()
            ),
            "posting_id": pa.array(np.repeat(np.array([s[1] for s in segments], np.int64), sizes)),
            "key_high": pa.array(np.ascontiguousarray(both[:, 0])),
            "key_low": pa.array(np.ascontiguousarray(both[:, 1])),
        }
    )


def _posted_record_ids(postings: list[int]) -> pa.Table:
    """Return posting, day and record id of every record of the postings; `erased` where the traces are gone."""
    tables: list[pa.Table] = []
    schema = pa.schema(
        [("posting_id", pa.int64()), ("day", pa.date32()), ("record_id", pa.string()), ("erased", pa.bool_())]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "select posting_id, amounts, traces from activity_record_chunk where posting_id = any(%s)",
            [postings],
        )
        for posting_id, amounts, traces in cursor.fetchall():
            held = decode_payload(bytes(amounts))
            kept = decode_payload(bytes(traces)) if len(traces) else None
            n = held.num_rows
            ids = kept.column("record_id").cast(pa.string()) if kept is not None else pa.nulls(n, pa.string())
            tables.append(
                pa.table(
                    {
                        "posting_id": pa.array(np.full(n, posting_id, np.int64)),
                        "day": held.column("day"),
                        "record_id": ids,
                        "erased": pa.array(np.full(n, kept is None)),
                    },
                    schema=schema,
                )
            )
    return pa.concat_tables(tables) if tables else schema.empty_table()


def write_key_segments(desk: Desk, posting_id: int, rows: str) -> None:
    """Write the sorted keys of a posting's rows, one segment per business day; `rows` is a relation."""
    found = desk.tables.sql(
        f"select day, key_high, key_low from {rows} order by day, key_high, key_low"
    ).to_arrow_table()
    days = found.column("day").to_numpy().astype("datetime64[D]")
    # Stacking gives native order again, so the big-endian order that sorts as bytes is set last.
    keys = np.column_stack([found.column("key_high").to_numpy(), found.column("key_low").to_numpy()]).astype(
        ">u8"
    )
    edges = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    with connection.cursor() as cursor:
        for start, end in pairwise(edges):
            day = days[start].item()
            cursor.execute(
                "insert into activity_key_segment (partner_id, day, seq, posting_id, n_keys, keys) "
                "select %s, %s, coalesce(max(seq), 0) + 1, %s, %s, %s from activity_key_segment "
                "where partner_id = %s and day = %s",
                [
                    desk.partner_id,
                    day,
                    posting_id,
                    end - start,
                    keys[start:end].tobytes(),
                    desk.partner_id,
                    day,
                ],
            )
