"""What should never be (不变量): counts, chains, keys, payloads, entries, and grams that cannot be had again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection
from django.db.models import QuerySet

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.adapters.erasures import hashes_now
from tanpuhui.behaviour.activity.adapters.rows import posting_content
from tanpuhui.behaviour.activity.domain import GENESIS, MENDABLE, payload_root, posting_hash
from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.behaviour.activity.domain.record_keys import standing_twice
from tanpuhui.behaviour.activity.domain.reproductions import Reproduction
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.queries._agreements import agreement_breaches
from tanpuhui.behaviour.activity.queries._assessments import assessment_breaches
from tanpuhui.behaviour.activity.queries._claw_backs import claw_back_breaches
from tanpuhui.behaviour.activity.queries._erasure_breaches import erasure_breaches
from tanpuhui.behaviour.activity.queries._exceptions import exception_breaches
from tanpuhui.behaviour.activity.queries._mappings import mapping_breaches
from tanpuhui.behaviour.activity.queries._reproduction import reproduce_posting, reproduce_recalculations
from tanpuhui.behaviour.activity.queries._results import result_breaches
from tanpuhui.behaviour.activity.queries._scenario_breaches import scenario_breaches
from tanpuhui.behaviour.activity.queries._settlement_breaches import settlement_breaches
from tanpuhui.behaviour.activity.queries._use_breaches import use_breaches
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.persistence.bulk import EPOCH_DAY, fetch_columns


def breaches() -> Iterator[Breach]:
    """Report what should never be: counts, chains, payloads, keys, entries, and grams that cannot be had again."""
    yield from _count_breaches()
    yield from _chain_breaches()
    yield from _key_breaches()
    for row in Posting.objects.order_by("id").iterator(chunk_size=100):
        yield from _chunk_breaches(row)
    yield from _recalculation_breaches()
    yield from _mended_breaches()
    yield from use_breaches()
    yield from settlement_breaches()
    yield from exception_breaches()
    yield from claw_back_breaches()
    yield from assessment_breaches()
    yield from agreement_breaches()
    yield from result_breaches()
    yield from erasure_breaches()
    yield from scenario_breaches()
    yield from mapping_breaches()


def _mended_breaches() -> Iterator[Breach]:
    """A row made good was at fault in the batch that was corrected, and is without such a fault in the one that did it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select m.batch_id, m.row_number from activity_mended_row m
            left join activity_row_outcome o on (o.batch_id, o.row_number) = (m.batch_id, m.row_number)
            left join activity_batch b on b.id = m.by_batch_id
            left join activity_row_outcome a on (a.batch_id, a.row_number) = (m.by_batch_id, m.by_row_number)
            where not coalesce(o.reason = any(%(mendable)s), false) or b.corrects_id is distinct from m.batch_id
              or a.reason = any(%(mendable)s)
            order by 1, 2
            """,
            {"mendable": sorted(MENDABLE)},
        )
        for batch_id, row_number in cursor.fetchall():
            yield Breach(
                invariant="activity.mended_row_was_made_good",
                subject=f"batch:{batch_id}",
                detail=f"row {row_number}",
            )


def _count_breaches() -> Iterator[Breach]:
    """Every row of a settled batch has one verdict, and what the report counts stands in the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with said as (
              select b.id, (b.report->>'rows')::bigint as n, (v->>'counted')::bigint + (v->>'clipped')::bigint as good,
                (v->>'paired')::bigint + (v->>'duplicate')::bigint + (v->>'rejected')::bigint
                  + (v->>'pending')::bigint + coalesce((v->>'excluded')::bigint, 0) as other,
                coalesce((v->>'waiting')::bigint, 0) as waiting, coalesce((b.report->>'readmitted')::bigint, 0) as readmitted
              from activity_batch b cross join lateral (select b.report->'verdicts' as v) x where b.state <> 'received'
            )
            select id, n, good, other, waiting,
              (select coalesce(sum(records), 0)::bigint from activity_posting p where p.batch_id = said.id) as posted,
              (select count(*) from activity_row_outcome o where o.batch_id = said.id) - readmitted as noted,
              (select coalesce(sum(n_records), 0)::bigint from activity_waiting w
                where w.batch_id = said.id and w.day_settlement_id is null and w.part >= 0) as held
            from said order by id
            """
        )
        for batch_id, rows, good, other, waiting, posted, noted, held in cursor.fetchall():
            if rows != good + other + waiting or (good, other, waiting) != (posted, noted, held):
                detail = (
                    f"rows {rows}; counted {good}, in postings {posted}; others {other}, noted {noted}; "
                    f"waiting {waiting}, held {held}"
                )
                yield Breach(invariant="activity.counts_add_up", subject=f"batch:{batch_id}", detail=detail)


def _chain_breaches() -> Iterator[Breach]:
    """Each posting follows the partner's last, and its hash is that of what it says."""
    last: dict[int, bytes] = {}
    rows: QuerySet[Posting] = Posting.objects.select_related("batch").order_by("id")
    for row in rows.iterator(chunk_size=500):
        expected = last.get(row.partner_id, GENESIS)
        subject = f"posting:{row.pk}"
        if bytes(row.prev_hash) != expected:
            yield Breach(
                invariant="activity.postings_form_a_chain", subject=subject,
                detail=f"follows {bytes(row.prev_hash).hex()}, the partner's last is {expected.hex()}",
            )  # fmt: skip
        actual = posting_hash(posting_content(row), bytes(row.prev_hash))
        if actual != bytes(row.hash):
            yield Breach(
                invariant="activity.posting_has_its_hash", subject=subject,
                detail=f"content gives {actual.hex()}, stored {bytes(row.hash).hex()}",
            )  # fmt: skip
        last[row.partner_id] = bytes(row.hash)


def _key_breaches() -> Iterator[Breach]:
    """A key stands once per partner and day, and a posting has as many keys as records. One day of one partner is in memory."""
    with connection.cursor() as cursor:
        cursor.execute("select distinct partner_id, day from activity_key_segment order by 1, 2")
        for partner_id, day in cursor.fetchall():
            cursor.execute(
                "select keys from activity_key_segment where partner_id = %s and day = %s", [partner_id, day]
            )
            twice = standing_twice(b"".join(bytes(row[0]) for row in cursor.fetchall()))
            if twice:
                yield Breach(
                    invariant="activity.record_counts_once",
                    subject=f"partner:{partner_id} day:{day}",
                    detail=f"{twice} keys stand twice",
                )
        cursor.execute(
            """
            select p.id, p.records, coalesce(sum(s.n_keys), 0), coalesce(sum(length(s.keys)) / 16, 0)
            from activity_posting p left join activity_key_segment s on s.posting_id = p.id
            where p.day_settlement_id is null group by p.id having p.records <> coalesce(sum(s.n_keys), 0)
              or coalesce(sum(s.n_keys), 0) <> coalesce(sum(length(s.keys)) / 16, 0) order by p.id
            """
        )
        for posting_id, records, n, held in cursor.fetchall():
            yield Breach(
                invariant="activity.record_has_its_key", subject=f"posting:{posting_id}",
                detail=f"records {records}, keys {n}, held {held}",
            )  # fmt: skip


def _chunk_breaches(row: Posting) -> Iterator[Breach]:
    """Payloads have their hashes, sums are those of the entries, and the stored version gives the grams again."""
    subject = f"posting:{row.pk}"
    with connection.cursor() as cursor:
        cursor.execute(
            "select bucket, amounts, traces, amounts_sha256, traces_sha256 from activity_record_chunk "
            "where posting_id = %s order by bucket",
            [row.pk],
        )
        chunks = [(b, bytes(a), bytes(t), bytes(ah), bytes(th)) for b, a, t, ah, th in cursor.fetchall()]
    now = hashes_now(ErasedPlace.RECORDS, row.pk, {chunk[0]: chunk[4] for chunk in chunks})
    sound = True
    for bucket, amounts, traces, amounts_sha256, _ in chunks:
        erased = not traces
        if hashlib.sha256(amounts).digest() != amounts_sha256 or (
            not erased and hashlib.sha256(traces).digest() != now[bucket]
        ):
            sound = False
            yield Breach(
                invariant="activity.chunk_has_its_hash",
                subject=f"{subject} bucket:{bucket}",
                detail="payload changed",
            )
    roots = (payload_root(chunk[3] for chunk in chunks), payload_root(chunk[4] for chunk in chunks))
    if roots != (bytes(row.amounts_sha256), bytes(row.traces_sha256)):
        sound = False
        yield Breach(
            invariant="activity.posting_commits_to_its_chunks", subject=subject,
            detail=f"chunks give {roots[0].hex()}, stored {bytes(row.amounts_sha256).hex()}",
        )  # fmt: skip
    if sound and chunks:
        tables = [
            (decode_payload(amounts), decode_payload(traces) if traces else None)
            for _, amounts, traces, _, _ in chunks
        ]
        yield from _entry_breaches(row, [amounts for amounts, _ in tables])
        yield from _reproduction_breaches(reproduce_posting(row))


def _reproduction_breaches(again: Reproduction) -> Iterator[Breach]:
    """Stored version, factors and inputs give the same bytes; what was lawfully erased is no breach (invariant 6)."""
    for finding in again.findings:
        if finding.differs:
            invariant = (
                "activity.recalculation_gives_the_same_grams"
                if finding.code == "RESULT_DIFFERS"
                else "activity.results_come_out_to_the_byte"
            )
            yield Breach(
                invariant=invariant, subject=again.subject, detail=f"{finding.code} {finding.text('en')}"
            )


_RUNS = """
with said as (
  select r.id, r.state, r.steps_done, jsonb_array_length(r.months) * r.slices as steps, r.totals,
    count(s.number) as written, coalesce(sum(s.grams), 0) as grams, coalesce(sum(s.points), 0) as points,
    coalesce(sum(s.records), 0) as records
  from activity_recalculation r left join activity_recalculation_step s on s.recalculation_id = r.id group by r.id
)
select id, state, steps_done, steps, written from said
where steps_done <> written or (state = 'done') <> (steps_done = steps) and (state = 'done' or steps_done > 0)
  or written > 0 and state not in ('adjusting', 'done')
  or written > 0 and ((totals->>'grams')::numeric, (totals->>'points')::numeric, (totals->>'records')::numeric)
    is distinct from (grams, points, records)
order by id
"""


def _recalculation_breaches() -> Iterator[Breach]:
    """A recalculation is its steps, and each step's results and entries can be had again."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNS)
        for number, state, steps_done, steps, written in cursor.fetchall():
            yield Breach(
                invariant="activity.recalculation_is_its_steps", subject=f"recalculation:{number}",
                detail=f"{state}, says {steps_done} of {steps} steps, {written} written; totals are theirs, or not",
            )  # fmt: skip
    for again in reproduce_recalculations():
        yield from _reproduction_breaches(again)


_DAY = ["account_id", "day"]


def _entry_breaches(row: Posting, tables: Sequence[pa.Table]) -> Iterator[Breach]:
    """The ledger's entries of a posting are the sums of its chunks, account-day by account-day."""
    rows = pa.concat_tables([table.select([*_DAY, "grams", "floor_g"]) for table in tables])
    sums = rows.group_by(_DAY).aggregate([("grams", "sum"), ("floor_g", "sum"), ("grams", "count")])
    with connection.cursor() as cursor:
        found = fetch_columns(
            cursor,
            "select e.account_id, e.day, e.grams, e.n_records from ledger_entry e "
            "join ledger_account a on a.id = e.account_id where e.journal_id = %s and a.system_code is null",
            {"account_id": "int8", "day": "date", "grams": "int8", "n_records": "int4"},
            [row.journal_id],
        )
    entries = pa.table(
        {
            "account_id": found["account_id"],
            "day": pa.array(EPOCH_DAY + found["day"].astype("timedelta64[D]"), pa.date32()),
            "grams": found["grams"],
            "n_records": found["n_records"].astype(np.int64),
        }
    )
    both = sums.join(entries, _DAY, join_type="full outer")
    credited = pc.add(both["grams_sum"], both["floor_g_sum"])
    same = pc.and_(pc.equal(credited, both["grams"]), pc.equal(both["grams_count"], both["n_records"]))
    # A side that is missing makes the comparison null, which is a difference too.
    for one in (
        both.filter(pc.invert(pc.fill_null(same, False)))
        .sort_by([(name, "ascending") for name in _DAY])
        .to_pylist()
    ):
        summed = (
            None if one["grams_sum"] is None else (one["grams_sum"] + one["floor_g_sum"], one["grams_count"])
        )
        entry = None if one["grams"] is None else (one["grams"], one["n_records"])
        yield Breach(
            invariant="activity.entries_are_the_sums_of_chunks",
            subject=f"posting:{row.pk} account:{one['account_id']} day:{one['day']}",
            detail=f"chunks (grams, records) {summed}, entry {entry}",
        )
