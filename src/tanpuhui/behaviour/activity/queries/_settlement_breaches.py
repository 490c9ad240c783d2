"""Whether what waited is there until it is settled, and a settlement accounts for every row of it (待结算、日结算)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db import connection

from tanpuhui.behaviour.activity.adapters.erasures import hashes_now
from tanpuhui.behaviour.activity.adapters.waiting import payloads
from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.behaviour.activity.domain.plausibility import REFUSED_IN_REVIEW
from tanpuhui.foundation.kernel.breaches import Breach

_WAITING = """
select w.id, w.n_records, case when w.part < 0 then 0 else w.n_records end, w.day_settlement_id is null,
  (select coalesce(sum(s.n_keys), 0) from activity_key_segment s where s.waiting_id = w.id),
  (select coalesce(sum(c.n_records), 0) from activity_waiting_chunk c where c.waiting_id = w.id)
from activity_waiting w order by w.id
"""
_HELD = """
select w.id, w.settles_on is null, d.id is not null, coalesce(cardinality(d.refused_rows), 0) > w.n_records
from activity_waiting w left join activity_held_decision d on d.waiting_id = w.id
where (w.part > 0) <> (w.held_for <> '') or (w.part > 0 and (w.settles_on is null) <> (d.id is null))
  or (w.part = 0 and d.id is not null) or coalesce(cardinality(d.refused_rows), 0) > w.n_records
order by w.id
"""
_REFUSED = """
select w.id, case when d.refuse_all then w.n_records else cardinality(d.refused_rows) end
from activity_waiting w join activity_held_decision d on d.waiting_id = w.id
where w.day_settlement_id is not null order by w.id
"""
_READMITTED = """
select w.id, r.id is not null, w.n_records, exists (
    select from activity_set_aside a join activity_row_outcome o on o.batch_id = f.batch_id and o.row_number = r.row_number
    where a.waiting_id = f.id) and (f.batch_id, f.scenario, f.day) = (w.batch_id, w.scenario, w.day)
from activity_waiting w left join activity_readmission r on r.waiting_id = w.id left join activity_waiting f on f.id = r.set_aside_id
where w.part < 0 or r.id is not null order by w.id
"""
_SETTLED = """
select s.id, s.rows, s.counted,
  (select coalesce(sum(w.n_records), 0) from activity_waiting w where w.day_settlement_id = s.id),
  (select coalesce(sum(p.records), 0) from activity_posting p where p.day_settlement_id = s.id),
  (select coalesce(sum(a.n_records), 0) from activity_set_aside a join activity_waiting w on w.id = a.waiting_id
    where w.day_settlement_id = s.id)
from activity_day_settlement s order by s.id
"""


def _held_breaches(cursor: Any) -> Iterator[Breach]:
    """Report held rows with a day but no decision, decisions without held rows, and refused rows that were not set aside."""
    cursor.execute(_HELD)
    for waiting_id, undated, decided, too_many in cursor.fetchall():
        yield Breach(
            invariant="activity.held_rows_are_open_or_decided",
            subject=f"waiting:{waiting_id}",
            detail=f"{'no day' if undated else 'a day'}, {'decided' if decided else 'not decided'}"
            + (", more rows refused than held" if too_many else ""),
        )
    cursor.execute(_REFUSED)
    for waiting_id, refused in cursor.fetchall():
        aside = sum(
            rows.column("reason").to_pylist().count(REFUSED_IN_REVIEW)
            for rows in payloads(waiting_id, "activity_set_aside")
        )
        if aside != refused:
            yield Breach(
                invariant="activity.refused_rows_are_set_aside",
                subject=f"waiting:{waiting_id}",
                detail=f"{refused} refused, {aside} set aside",
            )


def _readmission_breaches(cursor: Any) -> Iterator[Breach]:
    """Report rows that wait again without an upheld appeal, or that were never set aside."""
    cursor.execute(_READMITTED)
    for waiting_id, readmitted, n_records, settled in cursor.fetchall():
        if not readmitted or n_records != 1 or not settled:
            yield Breach(
                invariant="activity.readmitted_rows_were_set_aside",
                subject=f"waiting:{waiting_id}",
                detail=f"{'a' if readmitted else 'no'} readmission, {n_records} rows, "
                f"{'' if settled else 'not '}set aside before",
            )


def settlement_breaches() -> Iterator[Breach]:
    """Report waiting rows that are not there or have no key, and settlements that lost or made a row."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        for waiting_id, n, own_keys, open_, keys, held in cursor.fetchall():
            if keys != own_keys or held != (n if open_ else 0):
                yield Breach(
                    invariant="activity.waiting_rows_are_there_until_settled",
                    subject=f"waiting:{waiting_id}",
                    detail=f"says {n} rows, {'open' if open_ else 'settled'}; keys {keys}, rows held {held}",
                )
        yield from _held_breaches(cursor)
        yield from _readmission_breaches(cursor)
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
                if hashlib.sha256(bytes(rows)).digest() == bytes(rows_sha256):
                    continue
                now = hashes_now(ErasedPlace.SET_ASIDE, waiting_id, {bucket: bytes(rows_sha256)})
                if table != "activity_set_aside" or hashlib.sha256(bytes(rows)).digest() != now[bucket]:
                    yield Breach(
                        invariant="activity.chunk_has_its_hash",
                        subject=f"{table} waiting:{waiting_id} bucket:{bucket}",
                        detail="payload changed",
                    )
