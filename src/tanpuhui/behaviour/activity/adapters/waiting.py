"""Rows that wait for their day's settlement (待结算记录): what they keep, and how they are read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters import TRACES
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload

CELLS = ("record_id", *TRACES)
"""Cells that are kept as they were sent, besides the fields of methodologies. The subject is not among them: the account is."""

DOUBT = "doubt"
"""The column of held rows that says what is not plausible: the value beside the limit."""

OWN = ("row_number", "account_id", "started", "ended", "area")
"""What intake found out about a row."""


def waiting_rows(waiting_id: int, *, chunks: int, slices: int, index: int) -> pa.Table | None:
    """Return the rows of one slice of the accounts (account % slices = index), or None; both counts are powers of two."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select rows from activity_waiting_chunk where waiting_id = %s and bucket %% %s = %s order by bucket",
            [waiting_id, min(chunks, slices), index % min(chunks, slices)],
        )
        parts = [decode_payload(bytes(payload)) for (payload,) in cursor.fetchall()]
    if not parts:
        return None
    table = pa.concat_tables(parts)
    if chunks < slices:
        table = table.filter(pa.array(table.column("account_id").to_numpy() % slices == index))
    return table if table.num_rows else None


def rows_of_account(table: str, waiting_ids: Sequence[int], account_id: int) -> list[tuple[int, pa.Table]]:
    """Return the rows of one account among waiting rows or those set aside (`table`), by waiting id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select c.waiting_id, c.rows from {table} c join activity_waiting w on w.id = c.waiting_id "
            "where c.waiting_id = any(%s) and c.bucket %% w.chunks = %s %% w.chunks order by c.waiting_id, c.bucket",
            [list(waiting_ids), account_id],
        )
        found = []
        for waiting_id, payload in cursor.fetchall():
            rows = decode_payload(bytes(payload))
            own = rows.filter(pa.array(rows.column("account_id").to_numpy() == account_id))
            if own.num_rows:
                found.append((waiting_id, own))
    return found


def numbers_held(waiting_id: int) -> set[int]:
    """Return the row numbers of these waiting rows."""
    found: set[int] = set()
    for table in payloads(waiting_id):
        found.update(table.column("row_number").to_pylist())
    return found


def payloads(waiting_id: int, table: str = "activity_waiting_chunk") -> Iterator[pa.Table]:
    """Yield these waiting rows, or those set aside of them (`table`), bucket by bucket."""
    with connection.cursor() as cursor:
        cursor.execute(f"select rows from {table} where waiting_id = %s order by bucket", [waiting_id])
        for (payload,) in cursor.fetchall():
            yield decode_payload(bytes(payload))
