"""Step 7, book (入账计算): rows of one posting to account-days in grams and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tanpuhui.behaviour.activity.adapters import TRACES, calculator, chunks
from tanpuhui.behaviour.activity.adapters.slices import in_effect
from tanpuhui.behaviour.activity.adapters.tables import columns, quoted
from tanpuhui.behaviour.activity.domain import points_for
from tanpuhui.behaviour.activity.operations._post_batch._cap import add_use, earlier_use
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.books.ledger.operations import AccountDayLegs
from tanpuhui.science.engine.model import MethodologyVersion

DEFICIT_MEASURE = "deficit"
"""How far below zero an account-day of a scenario stands, as a negative use; almost no account-day has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What one posting is made of: one scenario, methodology version, evidence tier and calendar month."""

    scenario: str
    version_id: int
    evidence_tier: int
    month: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """The rows of a posting in the table `booked`, and its account-days."""

    group: Group
    records: int
    legs: AccountDayLegs
    points_rules: tuple[dict[str, str], ...]


def groups(desk: Desk) -> list[Group]:
    """Return the postings that a batch is split into, in a fixed order."""
    rows = desk.tables.execute(
        "select distinct scenario, version_id, evidence_tier, strftime(day, '%Y-%m') from keyed order by 1, 2, 3, 4"
    ).fetchall()
    return [Group(scenario=r[0], version_id=r[1], evidence_tier=r[2], month=r[3]) for r in rows]


def book(desk: Desk, group: Group) -> Booked:
    """Fill `booked` with the rows of a posting, floor each account-day at zero, and turn grams into points.

    The floor stands on the last row of its account-day as `floor_g`, so that rows add up to entries.
    """
    version = desk.versions[group.version_id]
    fields = columns((item.code for item in version.fields), "i.")
    kept = columns(("area", "ended", *TRACES), "j.")
    desk.tables.execute(
        f"create or replace table booked as select k.*, {kept}, i.granted, r.variant, r.grams, 0::bigint as floor_g, "
        f"r.remainder_g{', ' + fields if fields else ''} from keyed as k join judged as j using (row_number) "
        f"join inputs_{group.version_id} as i on i.row_no = k.row_number "
        f"join result_{group.version_id} as r on r.row_no = k.row_number "
        "where k.scenario = ? and k.version_id = ? and k.evidence_tier = ? and strftime(k.day, '%Y-%m') = ?",
        [group.scenario, group.version_id, group.evidence_tier, group.month],
    )
    days = desk.tables.sql(
        "select account_id, day, sum(grams)::bigint as grams, count(*)::bigint as n from booked "
        "group by account_id, day order by account_id, day"
    ).to_arrow_table()
    if calculator.may_be_negative(version):
        days = _floored(desk, group, days)
    day = days.column("day").to_numpy().astype("datetime64[D]")
    grams = days.column("grams").to_numpy()
    points, rules = _points(desk, group, day, grams)
    legs = AccountDayLegs(
        account_id=days.column("account_id").to_numpy(),
        day=day,
        grams=grams,
        points=points,
        n_records=days.column("n").to_numpy(),
    )
    return Booked(group=group, records=desk.counts("booked"), legs=legs, points_rules=rules)


def _floored(desk: Desk, group: Group, days: pa.Table) -> pa.Table:
    """Floor the scenario's sum of each account-day at zero, over all postings of that day.

    With P grams before and S now, max(0, P+S) - max(0, P) is credited. Rule: methodologies.md section 2.7.
    P matters only where it or S is negative: a negative P stands as a deficit, another P is summed from the chunks.
    """
    tables = desk.tables
    tables.register("sums", days)
    periods = days.column("day").unique().to_pylist()
    tables.register("deficit", earlier_use(scenario=group.scenario, measure=DEFICIT_MEASURE, periods=periods))
    below = tables.execute(
        "select s.account_id, s.day from sums as s left join deficit as d on d.account_id = s.account_id "
        "and d.period_start = s.day where s.grams < 0 and coalesce(d.micro, 0) = 0"
    ).fetchall()
    if not below and tables.execute("select 1 from deficit limit 1").fetchall() == []:
        return days
    tables.register("before", _grams_before(tables, group, below))
    tables.execute(
        "create or replace table floored as select account_id, day, n, grams as raw, p, "
        "greatest(0, p + grams) - greatest(0, p) as credited from (select s.*, "
        f"coalesce(b.grams, d.micro // {calculator.MICRO}, 0) as p from sums as s "
        "left join deficit as d on d.account_id = s.account_id and d.period_start = s.day "
        "left join before as b on b.account_id = s.account_id and b.day = s.day)"
    )
    tables.execute(
        "update booked set floor_g = f.credited - f.raw from (select f.*, (select max(b.row_number) from booked as b "
        "where b.account_id = f.account_id and b.day = f.day) as last_row from floored as f where credited != raw) as f "
        "where booked.row_number = f.last_row"
    )
    change = tables.sql(
        f"select account_id, day as period_start, ((least(0, p + raw) - least(0, p)) * {calculator.MICRO})::bigint as micro "
        "from floored where least(0, p + raw) != least(0, p)"
    ).to_arrow_table()
    add_use(scenario=group.scenario, measure=DEFICIT_MEASURE, use=change)
    return tables.sql(
        "select account_id, day, credited::bigint as grams, n from floored order by account_id, day"
    ).to_arrow_table()


def _grams_before(tables: Any, group: Group, account_days: Sequence[tuple[int, date]]) -> pa.Table:
    """Return what earlier records give these account-days now, before any floor: stored results, or recalculated ones."""
    wanted = pa.table(
        {
            "account_id": pa.array([account_id for account_id, _ in account_days], pa.int64()),
            "day": pa.array([day for _, day in account_days], pa.date32()),
        }
    )
    stored, effect = in_effect(
        scenario=group.scenario, month=group.month, accounts=sorted({key[0] for key in account_days})
    )
    for name, table in (("wanted_days", wanted), ("stored_before", stored), ("effect_before", effect)):
        tables.register(name, table)
    return tables.sql(
        "with latest as (select posting_id, row, arg_max(grams, recalculation_id) as grams from effect_before group by all) "
        "select w.account_id, w.day, coalesce(sum(coalesce(l.grams, s.grams)), 0)::bigint as grams from wanted_days as w "
        "left join stored_before as s using (account_id, day) "
        "left join latest as l on l.posting_id = s.posting_id and l.row = s.row group by all"
    ).to_arrow_table()


def _points(
    desk: Desk, group: Group, day: np.ndarray, grams: np.ndarray
) -> tuple[np.ndarray, tuple[dict[str, str], ...]]:
    """Return the points of each account-day by the rule of its day (exact, FLOOR_1P), and the rules used."""
    points = np.zeros(len(grams), np.int64)
    used: dict[tuple[str, str, str], list[date]] = {}
    for one in np.unique(day):
        on: date = one.item()
        rule = desk.rules[group.scenario, on]
        at = day == one
        points[at] = points_for(grams[at], rule.per_gram)
        used.setdefault((rule.value, rule.basis, rule.pack), []).append(on)
    rules = tuple(
        {
            "key": "points.per_gram",
            "scope": group.scenario,
            "value": value,
            "rounding": "FLOOR_1P",
            "basis": basis,
            "pack": pack,
            "first_day": min(days).isoformat(),
            "last_day": max(days).isoformat(),
        }
        for (value, basis, pack), days in sorted(used.items(), key=lambda item: min(item[1]))
    )
    return points, rules


def sorted_rows(
    desk: Desk, version: MethodologyVersion, n_chunks: int
) -> tuple[Any, Any, list[tuple[int, int, int]]]:
    """Return amounts and traces of `booked` sorted by bucket, account, day and row, and (bucket, start, end)."""
    amount = [item.code for item in version.fields if item.privacy == "amount"]
    trace = [item.code for item in version.fields if item.privacy == "trace"]
    names = (*chunks.AMOUNTS, *amount, *(name for name in (*chunks.TRACES, *trace) if name != "row"))
    made = {
        "row": "row_number as row",
        "verdict": "case when granted is null then 'counted' else 'clipped' end as verdict",
        "started_at": "started as started_at",
        "ended_at": "ended as ended_at",
    }
    select = ", ".join(made.get(name, quoted(name)) for name in names)
    table = desk.tables.sql(
        f"select account_id % {n_chunks} as bucket, {select} from booked "
        "order by bucket, account_id, day, row_number"
    ).to_arrow_table()
    for name in ("area", "verdict", "variant"):
        table = table.set_column(
            table.column_names.index(name), name, table.column(name).combine_chunks().dictionary_encode()
        )
    buckets = table.column("bucket").to_numpy()
    edges = [0, *(np.flatnonzero(buckets[1:] != buckets[:-1]) + 1).tolist(), len(buckets)]
    spans = [(int(buckets[start]), start, end) for start, end in pairwise(edges)]
    return table.select([*chunks.AMOUNTS, *amount]), table.select([*chunks.TRACES, *trace]), spans
