"""Whether what waited is there until it is settled, and a settlement accounts for every row of it (待结算、日结算)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.db import connection

from tanpuhui.foundation.kernel.breaches import Breach

_WAITING = """
select w.id, w.n_records, w.day_settlement_id is null,
  (select coalesce(sum(s.n_keys), 0) from activity_key_segment s where s.waiting_id = w.id),
  (select coalesce(sum(c.n_records), 0) from activity_waiting_chunk c where c.waiting_id = w.id)
from activity_waiting w order by w.id
"""
_SETTLED = """
select s.id, s.rows, s.counted,
  (select coalesce(sum(w.n_records), 0) from activity_waiting w where w.day_settlement_id = s.id),
  (select coalesce(sum(p.records), 0) from activity_posting p where p.day_settlement_id = s.id),
  (select coalesce(sum(a.n_records), 0) from activity_set_aside a join activity_waiting w on w.id = a.waiting_id
    where w.day_settlement_id = s.id)
from activity_day_settlement s order by s.id
"""


def settlement_breaches() -> Iterator[Breach]:
    """Report waiting rows that are not there or have no key, and settlements that lost or made a row."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        for waiting_id, n, open_, keys, held in cursor.fetchall():
            if keys != n or held != (n if open_ else 0):
                yield Breach(
                    invariant="activity.waiting_rows_are_there_until_settled",
                    subject=f"waiting:{waiting_id}",
                    detail=f"says {n} rows, {'open' if open_ else 'settled'}; keys {keys}, rows held {held}",
                )
        cursor.execute(_SETTLED)
        for number, rows, counted, waited, posted, aside in cursor.fetchall():
            if rows != waited or counted != posted or rows - counted != aside:
                yield Breach(
                    invariant="activity.settlement_accounts_for_every_row",
                    subject=f"day_settlement:{number}",
                    detail=f"says {rows} rows, {counted} counted; waited {waited}, posted {posted}, set aside {aside}",
                )
        for table in ("activity_waiting_chunk", "activity_set_aside"):
            cursor.execute(f"select waiting_id, bucket, rows, rows_sha256 from {table} order by 1, 2")
            for waiting_id, bucket, rows, rows_sha256 in cursor.fetchall():
                if hashlib.sha256(bytes(rows)).digest() != bytes(rows_sha256):
                    yield Breach(
                        invariant="activity.chunk_has_its_hash",
                        subject=f"{table} waiting:{waiting_id} bucket:{bucket}",
                        detail="payload changed",
                    )
