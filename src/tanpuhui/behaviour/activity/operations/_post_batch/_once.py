"""Step 5, once (去重): a record id counts once for a partner and business day, in this file and ever before.

A record id is known by the first 128 bits of its SHA-256. Two different ids with one key would take 2^64 tries to find, so
equal keys are the same record and the id itself need not be looked at again (docs/decisions/record-keys.md).
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.domain.record_keys import KEY_BYTES, halves, held_keys
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk, RecordKeys
from tanpuhui.foundation.persistence.bulk import copy_payloads

KEY_HEX = 2 * KEY_BYTES
_NONE = RecordKeys(
    row_number=np.empty(0, np.int64),
    day=np.empty(0, "datetime64[D]"),
    high=np.empty(0, np.uint64),
    low=np.empty(0, np.uint64),
)


def sort_keys(desk: Desk) -> None:
    """Put the keys of every row that has a version on the desk, sorted. Only the tables are used."""
    found = desk.tables.sql(
        f"select row_number, day, unhex(left(sha256(record_id), {KEY_HEX})) as key from ruled join raw using (row_number)"
    ).to_arrow_table()
    high, low = halves(b"".join(_bytes_of(chunk) for chunk in found.column("key").chunks))
    desk.keys = _sorted(
        RecordKeys(
            row_number=found.column("row_number").to_numpy(),
            day=found.column("day").to_numpy().astype("datetime64[D]"),
            high=high,
            low=low,
        )
    )


def drop_repeats(desk: Desk) -> None:
    """Turn `eligible` into `keyed`: rows that count; their keys stand on the desk, sorted."""
    keys = _first_of_each(desk)
    posted = _posted_before(desk, keys)
    if posted.any():
        _settle_posted(desk, keys.row_number[posted])
        keys = keys.where(~posted)
    desk.keys = keys
    desk.rest_after("eligible", "keyed")


def drop_repeats_in_file(desk: Desk) -> None:
    """Turn `eligible` into `fresh`: of the rows with one record id and day only the first goes on."""
    desk.keys = _first_of_each(desk)
    desk.rest_after("eligible", "fresh")


def _first_of_each(desk: Desk) -> RecordKeys:
    """Return the keys of `eligible`, sorted by day and key, each once; of equal ones the lowest row stays."""
    if desk.keys is None:
        sort_keys(desk)
    keys = _eligible(desk)
    again = np.zeros(len(keys.high), bool)
    again[1:] = (
        (keys.high[1:] == keys.high[:-1]) & (keys.low[1:] == keys.low[:-1]) & (keys.day[1:] == keys.day[:-1])
    )
    if not again.any():
        return keys
    first = keys.row_number[np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))]
    repeated = pa.table({"row_number": keys.row_number[again], "first_row": first[again]})
    desk.tables.register("repeated", repeated)
    desk.settle_from(
        "select row_number, 'DUPLICATE_IN_FILE' as reason, 'record_id' as field, first_row::varchar as value from repeated"
    )
    desk.tables.unregister("repeated")
    return keys.where(~again)


def _eligible(desk: Desk) -> RecordKeys:
    """Return the keys of the rows that are eligible, in their order."""
    keys = desk.keys
    rows = desk.tables.sql("select row_number from eligible").to_arrow_table().column(0).to_numpy()
    if keys is None or len(rows) == len(keys.row_number):
        return keys or _NONE
    return keys.where(np.isin(keys.row_number, rows, kind="table"))


def _bytes_of(chunk: pa.Array) -> bytes:
    """Return the bytes of a column of equally long values, one behind the other."""
    start = chunk.offset * KEY_BYTES
    data = chunk.buffers()[2]
    return bytes(data[start : start + len(chunk) * KEY_BYTES]) if data is not None else b""


def _sorted(keys: RecordKeys) -> RecordKeys:
    """Return the keys by day, key and row. The first half of a key decides almost always, so only ties look further."""
    order = np.argsort(keys.high)
    high = keys.high[order]
    tied = np.zeros(len(order), bool)
    tied[1:] = high[1:] == high[:-1]
    tied[:-1] |= tied[1:]
    if tied.any():
        several = order[tied]
        order[tied] = several[np.lexsort((keys.row_number[several], keys.low[several], keys.high[several]))]
    day = keys.day[order]
    if len(day) and (day != day[0]).any():
        order = order[np.argsort(day, kind="stable")]
    return keys.where(order)


def _spans(day: NDArray[np.datetime64]) -> list[tuple[date, int, int]]:
    """Return each day of a sorted column with its place from and to."""
    if not len(day):
        return []
    edges = [0, *(np.flatnonzero(day[1:] != day[:-1]) + 1).tolist(), len(day)]
    return [(day[start].item(), start, end) for start, end in pairwise(edges)]


def _posted_before(desk: Desk, keys: RecordKeys) -> NDArray[np.bool_]:
    """Say of each key whether it was posted for this partner and day."""
    posted = np.zeros(len(keys.high), bool)
    spans = _spans(keys.day)
    with connection.cursor() as cursor:
        cursor.execute(
            "select day, keys from activity_key_segment where partner_id = %s and day = any(%s)",
            [desk.partner_id, [day for day, _, _ in spans]],
        )
        place = {day: (start, end) for day, start, end in spans}
        for day, held in cursor.fetchall():
            start, end = place[day]
            posted[start:end] |= held_keys(keys.high[start:end], keys.low[start:end], bytes(held))
    return posted


def _settle_posted(desk: Desk, row_numbers: NDArray[np.int64]) -> None:
    desk.tables.register("posted_before", pa.table({"row_number": row_numbers}))
    # The id itself is not kept: outcomes stay for ever, and this id belongs to a record whose person may have it erased.
    desk.settle_from(
        "select row_number, 'DUPLICATE_POSTED' as reason, 'record_id' as field, '' as value from posted_before"
    )
    desk.tables.unregister("posted_before")


def write_key_segments(
    desk: Desk, rows: NDArray[np.int64], *, posting_id: int | None = None, waiting_id: int | None = None
) -> None:
    """Write the sorted keys of rows (row numbers), one segment per business day, for the posting or the waiting rows they are of."""
    keys = desk.keys
    if keys is None:
        return
    if len(rows) != len(keys.row_number):
        keys = keys.where(np.isin(keys.row_number, rows, kind="table"))
    spans = _spans(keys.day)
    with connection.cursor() as cursor:
        cursor.execute(
            "select day, max(seq) from activity_key_segment where partner_id = %s and day = any(%s) group by day",
            [desk.partner_id, [day for day, _, _ in spans]],
        )
        last = dict(cursor.fetchall())
        copy_payloads(
            cursor,
            "activity_key_segment",
            {
                "partner_id": "int8",
                "day": "date",
                "seq": "int4",
                "posting_id": "int8",
                "waiting_id": "int8",
                "n_keys": "int4",
                "keys": "bytea",
            },
            (
                (
                    desk.partner_id,
                    day,
                    last.get(day, 0) + 1,
                    posting_id,
                    waiting_id,
                    end - start,
                    keys.as_bytes(start, end),
                )
                for day, start, end in spans
            ),
        )
