"""Stored results had again from stored version, factors and inputs (复算核对; house plan section 6, invariant 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import (
    RESULTS,
    columns_sha256,
    decode_payload,
    erased_rows,
    inputs_of,
)
from tanpuhui.behaviour.activity.adapters.erasures import hashes_now
from tanpuhui.behaviour.activity.adapters.recalculation import (
    differences,
    reads_traces,
    results_again,
)
from tanpuhui.behaviour.activity.adapters.steps import Work, net_days, new_results, worked
from tanpuhui.behaviour.activity.domain import payload_root
from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.behaviour.activity.domain.recalculations import TRACES_ERASED, RecalculationState
from tanpuhui.behaviour.activity.domain.reproductions import Finding, Reproduction, found
from tanpuhui.behaviour.activity.models import Posting, RecalculatedSlice, Recalculation, RecalculationStep
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.engine import ENGINE_VERSION, MethodologyVersion
from tanpuhui.science.methodology import queries as methodology

CHUNKS_AT_ONCE = 32
"""How many chunks (of some 4,000 records) are had again at once: memory stays small, however large a posting is."""


def reproduce_postings(
    *, scenario: str = "", month: str = "", posting_id: int | None = None
) -> Iterator[Reproduction]:
    """Have the results of postings again, one after the other, and say for each what differs from what is stored."""
    rows = Posting.objects.order_by("id")
    if scenario:
        rows = rows.filter(scenario=scenario)
    if month:
        rows = rows.filter(month=month)
    if posting_id is not None:
        rows = rows.filter(pk=posting_id)
    for row in rows.iterator(chunk_size=100):
        yield reproduce_posting(row)


def reproduce_posting(row: Posting) -> Reproduction:
    """Have one posting again. Every difference is found, the first records of each group of chunks are named."""
    subject = f"posting:{row.pk}"
    try:
        version = methodology.loaded(row.methodology_version_id)
    except Refusal as refusal:
        detail = refusal.message("en")
        return Reproduction(subject=subject, records=0, findings=(found("VERSION_CHANGED", detail=detail),))
    tally = _Tally()
    for chunks in _chunk_groups(row.pk):
        _have_again(version, chunks, tally, posting_id=row.pk)
    return Reproduction(
        subject=subject, records=tally.records, findings=(*tally.findings, *_commitments(row, version, tally))
    )


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What was read of a posting so far."""

    records: int = 0
    erased: int = 0
    amounts: list[bytes] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)
    results: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def _have_again(
    version: MethodologyVersion, chunks: Sequence[tuple], tally: _Tally, *, posting_id: int
) -> None:
    """Check the bytes of some chunks, and calculate their records again in one go; without traces they stand as posted."""
    inputs, stored = [], []
    now = hashes_now(ErasedPlace.RECORDS, posting_id, {chunk[0]: chunk[4] for chunk in chunks})
    for bucket, amounts, traces, amounts_sha256, _ in chunks:
        changed = hashlib.sha256(amounts).digest() != amounts_sha256 or (
            bool(traces) and hashlib.sha256(traces).digest() != now[bucket]
        )
        if changed:
            tally.findings.append(found("PAYLOAD_CHANGED", bucket=bucket))
        tally.amounts.append(amounts_sha256)
        try:
            table = decode_payload(amounts)
            held = decode_payload(traces) if traces else None
        except pa.ArrowInvalid:
            continue
        tally.records += table.num_rows
        erased = erased_rows(held) if held is not None else np.ones(table.num_rows, bool)
        if erased.any() and reads_traces(version):
            tally.erased += int(erased.sum())
            there = pa.array(~erased)
            table, held = table.filter(there), held.filter(there) if held is not None else None
            if table.num_rows:
                inputs.append(inputs_of(table, held).unify_dictionaries())
                stored.append(table.select(RESULTS).unify_dictionaries())
        else:
            tally.inputs.append(columns_sha256(inputs_of(table, held)))
            inputs.append(inputs_of(table, held).unify_dictionaries())
            stored.append(table.select(RESULTS).unify_dictionaries())
    if not inputs:
        return
    again = results_again(version, pa.concat_tables(inputs))
    start = 0
    for table in stored:
        part = again.slice(start, table.num_rows)
        start += table.num_rows
        tally.results.append(columns_sha256(part.select(RESULTS)))
        tally.findings.extend(found("RESULT_DIFFERS", detail=said) for said in differences(table, part))


def _commitments(row: Posting, version: MethodologyVersion, tally: _Tally) -> Iterator[Finding]:
    """Compare the roots with those that the posting commits to, and say what could not be compared, and why."""
    if payload_root(tally.amounts) != bytes(row.amounts_sha256):
        yield found("CHUNKS_CHANGED")
    if not row.engine_version:
        yield found("NOT_KEPT")
    else:
        now = version.parameter_set.sha256 if version.parameter_set else ""
        if now != row.parameter_set_sha256:
            yield found("PARAMETER_SET_CHANGED", was=row.parameter_set_sha256, now=now)
        if not tally.erased and payload_root(tally.inputs) != bytes(row.inputs_sha256):
            yield found("INPUTS_CHANGED")
        whole = not tally.erased and len(tally.results) == len(tally.amounts)
        if whole and payload_root(tally.results) != bytes(row.results_sha256):
            yield found("RESULTS_CHANGED")
        if row.engine_version != ENGINE_VERSION:
            yield found("ENGINE_CHANGED", was=row.engine_version, now=ENGINE_VERSION)
    if tally.erased:
        yield found("TRACES_ERASED", n=tally.erased)


def _chunk_groups(posting_id: int) -> Iterator[list[tuple]]:
    """Yield the chunks of a posting in order of bucket, some at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select bucket from activity_record_chunk where posting_id = %s order by bucket", [posting_id]
        )
        buckets = [bucket for (bucket,) in cursor.fetchall()]
    for first in range(0, len(buckets), CHUNKS_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(
                "select bucket, amounts, traces, amounts_sha256, traces_sha256 from activity_record_chunk "
                "where posting_id = %s and bucket = any(%s) order by bucket",
                [posting_id, buckets[first : first + CHUNKS_AT_ONCE]],
            )
            yield [(bucket, *(bytes(value) for value in rest)) for bucket, *rest in cursor.fetchall()]


def reproduce_recalculations(
    *, scenario: str = "", recalculation_id: int | None = None
) -> Iterator[Reproduction]:
    """Have every posted step of recalculations again: the new results, and the differences that the ledger holds."""
    runs = Recalculation.objects.filter(
        state__in=[RecalculationState.ADJUSTING, RecalculationState.DONE]
    ).order_by("id")
    if scenario:
        runs = runs.filter(scenario=scenario)
    if recalculation_id is not None:
        runs = runs.filter(pk=recalculation_id)
    for run in runs:
        for step in RecalculationStep.objects.filter(recalculation_id=run.pk).order_by("number"):
            yield _reproduce_step(run, step)


def _reproduce_step(run: Recalculation, step: RecalculationStep) -> Reproduction:
    subject = f"recalculation:{run.pk} step:{step.number}"
    findings: list[Finding] = []
    records = 0
    try:
        version = methodology.loaded(run.to_version_id)
        now = (version.archive_sha256, version.parameter_set.sha256 if version.parameter_set else "")
        if now != (run.methodology_sha256, run.parameter_set_sha256):
            findings.append(
                found("VERSION_CHANGED", detail=f"{run.methodology_sha256} {run.parameter_set_sha256}")
            )
        with worked(run, step.number, seen=step.seen_posting_id, seen_run=step.seen_exception_run_id) as work:
            records = work.tables.execute("select count(*) from record").fetchall()[0][0]
            findings += _slice_findings(run, step, work)
            findings += _journal_findings(step, work)
    except Refusal as refusal:
        findings.append(found("VERSION_CHANGED", detail=refusal.message("en")))
    if run.engine_version != ENGINE_VERSION:
        findings.append(found("ENGINE_CHANGED", was=run.engine_version, now=ENGINE_VERSION))
    return Reproduction(subject=subject, records=records, findings=tuple(findings))


def _slice_findings(run: Recalculation, step: RecalculationStep, work: Work) -> Iterator[Finding]:
    """Compare the new results of each posting, had again, with those that are kept."""
    kept = {
        row.posting_id: row
        for row in RecalculatedSlice.objects.filter(recalculation_id=run.pk, slice=step.slice).filter(
            posting_id__in=[member.posting_id for member in work.postings]
        )
    }
    hashes = []
    for new in new_results(work):
        row = kept.pop(new.posting_id, None)
        if row is None:
            yield found("RESULT_DIFFERS", detail=f"posting {new.posting_id} has no results")
            continue
        hashes.append(bytes(row.results_sha256))
        stored = decode_payload(bytes(row.results))
        if columns_sha256(stored) != bytes(row.results_sha256):
            yield found("PAYLOAD_CHANGED", bucket=f"{new.posting_id}/{step.slice}")
        again = new.table
        if new.kept:
            # Traces may have been erased since: these results stand, the others are still compared one by one.
            yield found("TRACES_ERASED", n=new.kept)
            again = again.filter(pc.not_equal(pc.fill_null(again.column("reason"), ""), TRACES_ERASED))
            stored = stored.filter(
                pc.is_in(stored.column("row"), value_set=again.column("row").combine_chunks())
            )
            stored, again = stored.sort_by("row"), again.sort_by("row")
        elif new.inputs_sha256 != bytes(row.inputs_sha256):
            yield found("INPUTS_CHANGED")
        if not new.kept and new.results_sha256 != bytes(row.results_sha256):
            yield found("RESULTS_CHANGED")
        for said in differences(stored.select(RESULTS), again.select((*RESULTS, "reason"))):
            yield found("RESULT_DIFFERS", detail=f"posting {new.posting_id} {said}")
    for posting_id in kept:
        yield found("RESULT_DIFFERS", detail=f"posting {posting_id} has results and no records")
    if payload_root(hashes) != bytes(step.results_sha256):
        yield found("CHUNKS_CHANGED")


_ENTRIES = """
select e.account_id, e.day, e.grams, e.points from ledger_entry e join ledger_account a on a.id = e.account_id
where e.journal_id = %s and a.system_code is null
"""
_DUE = "select account_id, grams, points from ledger_clawback where journal_id = %s"


def _journal_findings(step: RecalculationStep, work: Work) -> Iterator[Finding]:
    """Compare the differences, had again, with the entries; what could not be taken from an account is due.

    Entries of an account whose traces were erased stand: what they came from cannot be had again.
    """
    days = net_days(work.tables)
    should = _by_account_day(
        zip(*(days.column(name).to_pylist() for name in days.column_names[:4]), strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [step.journal_id])
        entries = _by_account_day(cursor.fetchall())
        cursor.execute(_DUE, [step.journal_id])
        due = {account_id: (grams, points) for account_id, grams, points in cursor.fetchall()}
    lost = work.tables.execute(f"select distinct account_id from record where reason = '{TRACES_ERASED}'")
    unknown = {account_id for (account_id,) in lost.fetchall()}
    for account_id in sorted((should.keys() | entries.keys() | due.keys()) - unknown):
        wanted, is_there = should.get(account_id, {}), entries.get(account_id, {})
        if account_id in due:
            same = wanted.keys() == is_there.keys() and _sum(wanted) == tuple(
                there - owed for there, owed in zip(_sum(is_there), due[account_id], strict=True)
            )
        else:
            same = wanted == is_there
        if not same:
            detail = (
                f"account {account_id}: {_sum(wanted)}, entries {_sum(is_there)}, due {due.get(account_id)}"
            )
            yield found("ENTRIES_DIFFER", detail=detail)


def _by_account_day(rows: Iterable[tuple]) -> dict[int, dict[date, tuple[int, int]]]:
    by_account: dict[int, dict[date, tuple[int, int]]] = {}
    for account_id, day, grams, points in rows:
        by_account.setdefault(account_id, {})[day] = (grams, points)
    return by_account


def _sum(days: Mapping[date, tuple[int, int]]) -> tuple[int, int]:
    return sum(grams for grams, _ in days.values()), sum(points for _, points in days.values())
