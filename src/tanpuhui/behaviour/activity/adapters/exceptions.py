"""What posted records give now, and which of them do not count any more (记录例外)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload

NOW = 2**62
"""Through an exception run of this number means: with all there are."""
_EXCLUDED = """
select posting_id, row_number from (
  select distinct on (posting_id, row_number) posting_id, row_number, r.kind
  from activity_record_exception e join activity_exception_run r on r.id = e.run_id
  where e.posting_id = any(%s) and e.run_id <= %s order by posting_id, row_number, e.run_id desc
) last where kind = 'excluded' order by 1, 2
"""
_LATEST = """
select s.results from activity_recalculated_slice s where s.posting_id = %s
  and s.recalculation_id = (select max(l.recalculation_id) from activity_recalculated_slice l where l.posting_id = s.posting_id)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one record gives now, before any exception, and where it stands."""

    row: int
    account_id: int
    day: date
    grams: int


def excluded_rows(posting_ids: Collection[int], *, through: int = NOW) -> dict[int, NDArray[np.int64]]:
    """Return the rows of each posting that did not count after an exception run; a posting without any is not in it."""
    if not posting_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDED, [list(posting_ids), through])
        found: dict[int, list[int]] = {}
        for posting_id, row in cursor.fetchall():
            found.setdefault(posting_id, []).append(row)
    return {posting_id: np.array(rows, np.int64) for posting_id, rows in found.items()}


def last_run() -> int:
    """Return the number of the last exception run, 0 where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(max(id), 0) from activity_exception_run")
        return int(cursor.fetchone()[0])


def without_rows(table: pa.Table, rows: NDArray[np.int64] | None) -> pa.Table:
    """Return the table without these rows."""
    if rows is None or not len(rows):
        return table
    return table.filter(pa.array(~np.isin(table.column("row").to_numpy(), rows)))


def effects_of(posting_id: int, *, chunks: int, accounts: Sequence[int] | None = None) -> list[Effect]:
    """Return what the records of a posting give now, of some accounts only if these are named: recalculated or as stored."""
    buckets = None if accounts is None else sorted({account % chunks for account in accounts})
    with connection.cursor() as cursor:
        cursor.execute(
            "select amounts from activity_record_chunk where posting_id = %s and (%s::int[] is null or bucket = any(%s))",
            [posting_id, buckets, buckets],
        )
        stored = [decode_payload(bytes(payload)) for (payload,) in cursor.fetchall()]
        cursor.execute(_LATEST, [posting_id])
        newer: dict[int, int] = {}
        for (payload,) in cursor.fetchall():
            table = decode_payload(bytes(payload))
            newer.update(zip(table.column("row").to_pylist(), table.column("grams").to_pylist(), strict=True))
    wanted = None if accounts is None else set(accounts)
    return [
        Effect(row=row, account_id=account_id, day=day, grams=newer.get(row, grams))
        for row, account_id, day, grams in _rows(stored)
        if wanted is None or account_id in wanted
    ]


def rows_of_keys(posting_id: int, keys: Collection[tuple[bytes, date]]) -> dict[tuple[bytes, date], int]:
    """Return the row of each key (first 128 bits of the record id's SHA-256, and day) that a posting counted; erased traces give none."""
    found: dict[tuple[bytes, date], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select amounts, traces from activity_record_chunk where posting_id = %s", [posting_id]
        )
        for amounts, traces in cursor.fetchall():
            if not traces:
                continue
            days = decode_payload(bytes(amounts)).column("day").to_pylist()
            held = decode_payload(bytes(traces))
            for row, record_id, day in zip(
                held.column("row").to_pylist(), held.column("record_id").to_pylist(), days, strict=True
            ):
                if record_id is None:
                    continue
                key = (hashlib.sha256(record_id.encode()).digest()[:16], day)
                if key in keys:
                    found[key] = row
    return found


def _rows(tables: Iterable[pa.Table]) -> Iterable[tuple[int, int, date, int]]:
    for table in tables:
        yield from zip(
            *(table.column(name).to_pylist() for name in ("row", "account_id", "day", "grams")), strict=True
        )
