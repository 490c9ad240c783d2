"""Results as they stand in the tables (结果回传): which parts have no number yet, and the lines of one part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.adapters.waiting import payloads
from tanpuhui.behaviour.activity.domain import Verdict
from tanpuhui.behaviour.activity.domain.results import ResultKind, ResultState
from tanpuhui.behaviour.activity.models import ResultPart

_SOURCES = """
  select p.partner_id, 'posted' as kind, p.batch_id, p.id as posting_id, 0::bigint as waiting_id, 0::bigint as run_id,
    0::bigint as recalculation_id, 0::smallint as slice, p.records::bigint as records, p.posted_at as moment
  from activity_posting p
  union all
  select b.partner_id, 'not_counted', b.id, 0, 0, 0, 0, 0::smallint, 0, b.settled_at from activity_batch b
  where b.settled_at is not null and exists (select from activity_row_outcome o where o.batch_id = b.id)
  union all
  select b.partner_id, 'set_aside', w.batch_id, 0, w.id, 0, 0, 0::smallint, w.n_records, d.settled_at
  from activity_waiting w join activity_batch b on b.id = w.batch_id
  join activity_day_settlement d on d.id = w.day_settlement_id
  where exists (select from activity_set_aside a where a.waiting_id = w.id)
  union all
  select p.partner_id, 'excepted', p.batch_id, p.id, 0, r.id, 0, 0::smallint, e.n, r.made_at
  from activity_exception_run r
  cross join lateral (
    select x.posting_id, count(*) as n from activity_record_exception x where x.run_id = r.id group by 1
  ) e join activity_posting p on p.id = e.posting_id
  where not exists (select from activity_result_part k where k.kind = 'excepted' and k.run_id = r.id)
  union all
  select p.partner_id, 'recalculated', p.batch_id, p.id, 0, 0, s.recalculation_id, s.slice, s.n_records, t.posted_at
  from activity_recalculated_slice s join activity_posting p on p.id = s.posting_id
  join activity_recalculation_step t on t.recalculation_id = s.recalculation_id and t.slice = s.slice and t.month = p.month
  where s.n_changed > 0
"""
_NEW = f"""
select s.* from ({_SOURCES}) s where not exists (
  select from activity_result_part r where r.kind = s.kind and r.batch_id = s.batch_id and r.posting_id = s.posting_id
    and r.waiting_id = s.waiting_id and r.run_id = s.run_id and r.recalculation_id = s.recalculation_id and r.slice = s.slice
)
"""
NUMBER_PARTS = f"""
insert into activity_result_part (partner_id, number, kind, batch_id, posting_id, waiting_id, run_id, recalculation_id,
  slice, records, numbered_at)
select n.partner_id, coalesce(l.last, 0) + row_number() over (
    partition by n.partner_id order by n.moment, n.posting_id, n.batch_id, n.kind, n.waiting_id, n.run_id, n.slice),
  n.kind, n.batch_id, n.posting_id, n.waiting_id, n.run_id, n.recalculation_id, n.slice,
  case n.kind when 'not_counted' then (select count(*) from activity_row_outcome o where o.batch_id = n.batch_id)
    else n.records end, %(at)s
from ({_NEW}) n
left join (select partner_id, max(number) as last from activity_result_part group by 1) l on l.partner_id = n.partner_id
"""
ANY_NEW = f"select exists ({_NEW})"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultLine:
    """What became of one record: grams are what it gives from now on (g CO2e); `record_id` is empty where a row had none."""

    batch_id: int
    row: int
    record_id: str
    day: date | None
    state: ResultState
    reason: str
    grams: int


def lines_of(part: ResultPart, *, offset: int, limit: int) -> list[ResultLine | None]:
    """Return the records of a part from one place on, in its fixed order; None for one whose traces are erased: nothing is said of it."""
    return list(_READERS[ResultKind(part.kind)](part, offset, offset + limit))


def _posted(part: ResultPart, start: int, end: int) -> Iterator[ResultLine | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select amounts, traces, first from (select bucket, amounts, traces, n_records, sum(n_records) over (order by "
            "bucket) - n_records as first from activity_record_chunk where posting_id = %s) c "
            "where first < %s and first + n_records > %s order by bucket",
            [part.posting_id, end, start],
        )
        for amounts, traces, first in cursor.fetchall():
            table = decode_payload(bytes(amounts)).select(["row", "day", "verdict", "grams", "floor_g"])
            ids = _record_ids(traces, table.num_rows)
            begin, stop = max(0, start - int(first)), min(table.num_rows, end - int(first))
            for one, record_id in zip(
                table.slice(begin, stop - begin).to_pylist(), ids[begin:stop], strict=True
            ):
                clipped = one["verdict"] == Verdict.CLIPPED.value
                state = ResultState.CLIPPED if clipped else ResultState.COUNTED
                yield _line(
                    part, (one["row"], record_id, one["day"]), state, "", one["grams"] + one["floor_g"]
                )


def _not_counted(part: ResultPart, start: int, end: int) -> Iterator[ResultLine | None]:
    """Yield the rows that intake did not count; those of a day's settlement are parts of their own and follow after `records`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select row_number, verdict, reason from activity_row_outcome where batch_id = %s order by row_number",
            [part.batch_id],
        )
        rows = cursor.fetchall()
    aside = _set_aside_rows(part.batch_id)
    own = [row for row in rows if row[0] not in aside]
    for number, verdict, reason in own[start:end]:
        yield ResultLine(
            batch_id=part.batch_id,
            row=number,
            record_id="",
            day=None,
            state=ResultState.NOT_COUNTED,
            reason=reason or verdict,
            grams=0,
        )


def _set_aside_rows(batch_id: int) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select a.rows from activity_set_aside a join activity_waiting w on w.id = a.waiting_id where w.batch_id = %s",
            [batch_id],
        )
        found: set[int] = set()
        for (rows,) in cursor.fetchall():
            found.update(decode_payload(bytes(rows)).column("row_number").to_pylist())
    return found


def _set_aside(part: ResultPart, start: int, end: int) -> Iterator[ResultLine | None]:
    waiting = [
        row
        for table in payloads(part.waiting_id, "activity_set_aside")
        for row in table.select(["row_number", "record_id", "reason", "started"]).to_pylist()
    ]
    for one in waiting[start:end]:
        day = one["started"].date() if one["started"] is not None else None
        record_id = one["record_id"] if day is not None else None
        where = (one["row_number"], record_id, day)
        yield _line(part, where, ResultState.NOT_COUNTED, one["reason"], 0)


def _excepted(part: ResultPart, start: int, end: int) -> Iterator[ResultLine | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.row_number, e.day, e.grams, e.account_id, r.kind, r.reason from activity_record_exception e "
            "join activity_exception_run r on r.id = e.run_id where e.run_id = %s and e.posting_id = %s "
            "order by e.row_number offset %s limit %s",
            [part.run_id, part.posting_id, start, end - start],
        )
        rows = cursor.fetchall()
        cursor.execute("select chunks from activity_posting where id = %s", [part.posting_id])
        chunks = int(cursor.fetchone()[0])
    ids = _ids_of(part.posting_id, sorted({account_id % chunks for *_, account_id, _, _ in rows}))
    for row, day, grams, _, kind, reason in rows:
        back = kind == "excluded"
        state = ResultState.TAKEN_BACK if back else ResultState.REINSTATED
        yield _line(part, (row, ids.get(row), day), state, reason, 0 if back else grams)


def _recalculated(part: ResultPart, start: int, end: int) -> Iterator[ResultLine | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select s.results, p.chunks, r.slices from activity_recalculated_slice s join activity_posting p on p.id = s.posting_id "
            "join activity_recalculation r on r.id = s.recalculation_id "
            "where s.posting_id = %s and s.recalculation_id = %s and s.slice = %s",
            [part.posting_id, part.recalculation_id, part.slice],
        )
        results, chunks, slices = cursor.fetchone()
    table: pa.Table = decode_payload(bytes(results)).slice(start, end - start)
    buckets = list(range(part.slice % slices, chunks, slices)) if chunks >= slices else [part.slice % chunks]
    ids = _ids_of(part.posting_id, buckets)
    for one in table.select(["row", "day", "grams", "floor_g", "reason"]).to_pylist():
        where = (one["row"], ids.get(one["row"]), one["day"])
        grams = one["grams"] + one["floor_g"]
        yield _line(part, where, ResultState.RECALCULATED, one["reason"] or "", grams)


def _line(
    part: ResultPart, where: tuple[int, str | None, date | None], state: ResultState, reason: str, grams: int
) -> ResultLine | None:
    """Return the line of a record (row, record id, day), or None where the id is erased."""
    row, record_id, day = where
    if record_id is None:
        return None
    return ResultLine(
        batch_id=part.batch_id, row=row, record_id=record_id, day=day, state=state, reason=reason, grams=grams
    )


def _ids_of(posting_id: int, buckets: list[int]) -> Mapping[int, str]:
    """Return the record ids of some buckets by row; of what is erased there is none."""
    found: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select traces from activity_record_chunk where posting_id = %s and bucket = any(%s)",
            [posting_id, buckets],
        )
        for (traces,) in cursor.fetchall():
            if traces:
                held = decode_payload(bytes(traces))
                pairs = zip(held.column("row").to_pylist(), held.column("record_id").to_pylist(), strict=True)
                found.update((row, record_id) for row, record_id in pairs if record_id is not None)
    return found


def _record_ids(traces: object, n: int) -> list[str | None]:
    if not traces:
        return [None] * n
    found: list[str | None] = decode_payload(bytes(traces)).column("record_id").to_pylist()  # type: ignore[call-overload]
    return found


_READERS = {
    ResultKind.POSTED: _posted,
    ResultKind.NOT_COUNTED: _not_counted,
    ResultKind.SET_ASIDE: _set_aside,
    ResultKind.EXCEPTED: _excepted,
    ResultKind.RECALCULATED: _recalculated,
}
