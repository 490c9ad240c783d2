"""Slices of stored records (账户分片): the records of some accounts in one month, out of chunks, with what is in effect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters.chunks import columns_sha256, decode_payload, erased_rows, inputs_of
from tanpuhui.behaviour.activity.adapters.exceptions import excluded_rows, without_rows
from tanpuhui.behaviour.activity.domain import payload_root
from tanpuhui.behaviour.activity.domain.recalculations import RuleSpan

EFFECT = pa.schema(
    [("posting_id", pa.int64()), ("row", pa.int64()), ("grams", pa.int64()), ("floor_g", pa.int64())]
)
"""What is in effect for a record that was recalculated before."""

BEFORE = pa.schema(
    [
        ("posting_id", pa.int64()), ("row", pa.int64()), ("account_id", pa.int64()), ("day", pa.date32()),
        ("grams", pa.int64()),
    ]
)  # fmt: skip
SINCE = pa.schema(
    [("posting_id", pa.int64()), ("recalculation_id", pa.int64()), ("row", pa.int64()), ("grams", pa.int64())]
)

GIVEN_THEN = frozenset({"verdict", "variant", "remainder_g"})
"""Columns of amounts that a new calculation neither takes nor compares with."""

OWN = frozenset({"posting_id", "area", "grams", "floor_g"})
"""Columns of stored records that are no inputs: whose they are, where, and what they gave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A posting, the version its records were posted with, and the one in effect before a given recalculation."""

    posting_id: int
    month: str
    version_id: int
    effective_version_id: int
    chunks: int
    records: int
    evidence_tier: int
    points_rules: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Records of postings of one version in one slice, in a fixed order: posting, bucket, account, day, row.

    `records` has OWN and the inputs. `kept` are records whose traces are erased: they have no inputs from there.
    """

    version_id: int
    records: pa.Table
    kept: bool


_MEMBERS = """
select p.id, p.month, p.methodology_version_id, coalesce(r.to_version_id, p.methodology_version_id), p.chunks,
  p.records, p.evidence_tier, p.points_rules
from activity_posting p left join lateral (
  select n.to_version_id from activity_recalculated_slice s join activity_recalculation n on n.id = s.recalculation_id
  where s.posting_id = p.id and s.recalculation_id < %(before)s order by s.recalculation_id desc limit 1
) r on true
where p.scenario = %(scenario)s and p.month between %(first)s and %(last)s order by p.id
"""
_CHUNKS = """
select w.posting_id, w.chunks, c.amounts, case when w.posting_id = any(%(traces)s::bigint[]) then c.traces end
from unnest(%(ids)s::bigint[], %(chunks)s::integer[]) as w (posting_id, chunks)
join activity_record_chunk c on c.posting_id = w.posting_id and case when w.chunks >= %(slices)s
  then c.bucket %% %(slices)s = %(index)s else c.bucket = %(index)s %% w.chunks end
order by w.posting_id, c.bucket
"""
_EFFECTS = """
select s.posting_id, s.results
from activity_recalculated_slice s join activity_recalculation r on r.id = s.recalculation_id
where s.posting_id = any(%(ids)s::bigint[]) and s.recalculation_id < %(before)s
  and case when r.slices >= %(slices)s
    then s.slice %% %(slices)s = %(index)s else s.slice = %(index)s %% r.slices end
  and s.recalculation_id = (select max(l.recalculation_id) from activity_recalculated_slice l
    where l.posting_id = s.posting_id and l.recalculation_id < %(before)s)
order by s.posting_id
"""
_CHUNKS_OF_ACCOUNTS = """
select p.id, c.amounts from activity_posting p join activity_record_chunk c on c.posting_id = p.id
where p.scenario = %(scenario)s and p.month = %(month)s
  and c.bucket in (select a %% p.chunks from unnest(%(accounts)s::bigint[]) as a)
"""
_SLICES_OF_ACCOUNTS = """
select p.id, r.id, s.results from activity_posting p join activity_recalculated_slice s on s.posting_id = p.id
join activity_recalculation r on r.id = s.recalculation_id
where p.scenario = %(scenario)s and p.month = %(month)s
  and s.slice in (select a %% r.slices from unnest(%(accounts)s::bigint[]) as a)
"""
AFTER_ALL = 2**62
"""Before a recalculation of this number means: with all there were."""


def members(*, scenario: str, first_month: str, last_month: str, before: int = AFTER_ALL) -> list[Member]:
    """Return the postings of a scenario's months, with the version in effect before a recalculation."""
    with connection.cursor() as cursor:
        cursor.execute(
            _MEMBERS, {"scenario": scenario, "first": first_month, "last": last_month, "before": before}
        )
        rows = cursor.fetchall()
    return [
        Member(
            posting_id=row[0],
            month=row[1],
            version_id=row[2],
            effective_version_id=row[3],
            chunks=row[4],
            records=row[5],
            evidence_tier=row[6],
            points_rules=tuple(json.loads(row[7]) if isinstance(row[7], str) else row[7]),
        )
        for row in rows
    ]


def stored_records(
    several: Sequence[Member],
    *,
    slices: int,
    index: int,
    traces_of: Mapping[int, bool],
    excluded: Mapping[int, NDArray[np.int64]] | None = None,
) -> list[Stored]:
    """Return the records of the accounts of a slice, by posting version and by whether their traces are there.

    `excluded` are rows, by posting, that were taken back and so are not calculated again. `traces_of` says for each posting version whether its traces are wanted.
    """
    version_of = {member.posting_id: member.version_id for member in several}
    with_traces = [one.posting_id for one in several if traces_of[one.version_id]]
    found: dict[tuple[int, bool], list[pa.Table]] = {}
    for posting_id, chunks, amounts, traces in _rows(
        _CHUNKS, several, slices=slices, index=index, traces=with_traces
    ):
        version_id = version_of[posting_id]
        wanted = traces_of[version_id]
        for kept, table, held in _by_traces(amounts, traces, wanted=wanted):
            inputs = inputs_of(table, held)
            for name in ("area", "grams", "floor_g"):
                inputs = inputs.append_column(name, table.column(name))
            inputs = without_rows(_owned(posting_id, inputs), (excluded or {}).get(posting_id))
            if chunks < slices:
                inputs = inputs.filter(_in_slice(inputs, slices=slices, index=index))
            found.setdefault((version_id, kept), []).append(inputs)
    return [
        Stored(
            version_id=version_id,
            kept=kept,
            records=pa.concat_tables([t.unify_dictionaries() for t in tables]),
        )
        for (version_id, kept), tables in sorted(found.items())
    ]


def _by_traces(
    amounts: bytes, traces: bytes | None, *, wanted: bool
) -> Iterator[tuple[bool, pa.Table, pa.Table | None]]:
    """Yield the records of a chunk that can be calculated, and those whose traces are wanted and erased (True, no traces)."""
    table = decode_payload(amounts, without=GIVEN_THEN)
    if not wanted or not traces:
        yield wanted, table, None
        return
    held = decode_payload(traces)
    erased = erased_rows(held)
    if not erased.all():
        there = pa.array(~erased)
        yield False, table.filter(there), held.filter(there)
    if erased.any():
        yield True, table.filter(pa.array(erased)), None


def effects(several: Sequence[Member], *, slices: int, index: int, before: int) -> pa.Table:
    """Return what earlier recalculations made of the records of a slice, as EFFECT; empty where there were none."""
    tables = []
    for posting_id, results in _rows(_EFFECTS, several, slices=slices, index=index, before=before):
        table = decode_payload(bytes(results))
        tables.append(_owned(posting_id, table).select(EFFECT.names).cast(EFFECT))
    return pa.concat_tables(tables) if tables else EFFECT.empty_table()


def in_effect(*, scenario: str, month: str, accounts: Sequence[int]) -> tuple[pa.Table, pa.Table]:
    """Return the stored records of a month that may be of these accounts and count, and all that was made of them since.

    The first has posting_id, row, account_id, day, grams; the second posting_id, recalculation_id, row, grams, and the
    highest recalculation is in effect, also while it is still being posted.
    """
    given: Mapping[str, Any] = {"scenario": scenario, "month": month, "accounts": list(accounts)}
    with connection.cursor() as cursor:
        cursor.execute(_CHUNKS_OF_ACCOUNTS, given)
        stored = [
            _owned(posting_id, decode_payload(bytes(amounts)).select(BEFORE.names[1:]))
            for posting_id, amounts in cursor.fetchall()
        ]
        cursor.execute(_SLICES_OF_ACCOUNTS, given)
        since = []
        for posting_id, number, results in cursor.fetchall():
            table = _owned(posting_id, decode_payload(bytes(results)).select(["row", "grams"]))
            owner = pa.repeat(pa.scalar(number, pa.int64()), table.num_rows)
            since.append(table.append_column("recalculation_id", owner))
    excluded = excluded_rows(
        {int(table.column("posting_id")[0].as_py()) for table in stored if table.num_rows}
    )
    stored = [
        without_rows(table, excluded.get(int(table.column("posting_id")[0].as_py())))
        for table in stored
        if table.num_rows
    ]
    return (
        pa.concat_tables(
            [BEFORE.empty_table(), *(table.select(BEFORE.names).cast(BEFORE) for table in stored)]
        ),
        pa.concat_tables([SINCE.empty_table(), *(table.select(SINCE.names).cast(SINCE) for table in since)]),
    )


def day_totals(*, scenario: str, month: str, accounts: Sequence[int]) -> dict[tuple[int, date], int]:
    """Return what the counting records of these accounts give now, day by day, before any floor."""
    stored, since = in_effect(scenario=scenario, month=month, accounts=accounts)
    newer: dict[tuple[int, int], tuple[int, int]] = {}
    for posting_id, number, row, grams in zip(
        *(since.column(n).to_pylist() for n in SINCE.names), strict=True
    ):
        if number >= newer.get((posting_id, row), (0, 0))[0]:
            newer[posting_id, row] = (number, grams)
    wanted = set(accounts)
    totals: dict[tuple[int, date], int] = {}
    for posting_id, row, account_id, day, grams in zip(
        *(stored.column(name).to_pylist() for name in BEFORE.names), strict=True
    ):
        if account_id in wanted:
            _, now = newer.get((posting_id, row), (0, grams))
            totals[account_id, day] = totals.get((account_id, day), 0) + now
    return totals


def _owned(posting_id: int, table: pa.Table) -> pa.Table:
    return table.append_column("posting_id", pa.repeat(pa.scalar(posting_id, pa.int64()), table.num_rows))


def inputs_by_posting(groups: Sequence[Stored]) -> dict[int, bytes]:
    """Return for each posting the one hash over what its records of the slice were calculated from."""
    hashes: dict[int, list[bytes]] = {}
    for group in groups:
        names = [name for name in group.records.column_names if name not in OWN]
        for posting_id, part in by_posting(group.records):
            hashes.setdefault(posting_id, []).append(columns_sha256(part.select(names)))
    return {posting_id: payload_root(several) for posting_id, several in hashes.items()}


def by_posting(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Yield the part of each posting of a table in which the records of a posting stand together."""
    owners = table.column("posting_id").to_numpy()
    edges = [0, *(np.flatnonzero(owners[1:] != owners[:-1]) + 1).tolist(), len(owners)]
    for start, end in pairwise(edges):
        if end > start:
            yield int(owners[start]), table.slice(start, end - start)


def rule_spans(several: Iterable[Member]) -> list[RuleSpan]:
    """Return the points rules that the postings used, by their days."""
    return [
        RuleSpan(
            posting_id=member.posting_id,
            first_day=date.fromisoformat(rule["first_day"]),
            last_day=date.fromisoformat(rule["last_day"]),
            per_gram=Fraction(rule["value"]),
        )
        for member in several
        for rule in member.points_rules
    ]


def _in_slice(table: pa.Table, *, slices: int, index: int) -> pa.Array:
    accounts = table.column("account_id").to_numpy()
    return pa.array(accounts % slices == index)


def _rows(statement: str, several: Sequence[Member], **values: int | list[int]) -> list[tuple]:
    if not several:
        return []
    given: Mapping[str, Any] = {
        "ids": [m.posting_id for m in several],
        "chunks": [m.chunks for m in several],
        **values,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())
