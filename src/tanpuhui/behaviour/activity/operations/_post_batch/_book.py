"""Step 9, book (入账计算): rows of one posting to account-days in grams and points, in the order in which they are kept.

The rows are sorted once, by bucket, account, day and row; everything else is fetched by place from the columns on the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.slices import in_effect
from tanpuhui.behaviour.activity.adapters.tables import columns, text
from tanpuhui.behaviour.activity.domain import chunk_count, points_for
from tanpuhui.behaviour.activity.domain.row_places import RowPlaces
from tanpuhui.behaviour.activity.operations._post_batch._allowance import add_use, earlier_use
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


class Sheet:
    """Columns on the desk with one row a row number, and where each row number stands. Fetched once for all postings."""

    def __init__(self, table: pa.Table, numbers: str = "row_number") -> None:
        """Index the table by its column of row numbers."""
        self.table = table
        self._places = RowPlaces(table.column(numbers).to_numpy())

    def places(self, row_numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where these row numbers stand; each stands there."""
        return self._places.of(row_numbers)


@dataclass(kw_only=True, slots=True)
class Sheets:
    """What the rows of a batch are fetched from: the file, what was judged of it, and each version's inputs and results."""

    tables: Any
    raw: Sheet
    judged: Sheet
    versions: dict[int, tuple[Sheet, Sheet]] = field(default_factory=dict)

    def of_version(self, version: MethodologyVersion, version_id: int) -> tuple[Sheet, Sheet]:
        """Return inputs and results of a version; results only of rows that it counts, so that no value is missing."""
        if version_id not in self.versions:
            fields = columns(item.code for item in version.fields)
            inputs = self.tables.sql(
                f"select row_no, granted{', ' + fields if fields else ''} from inputs_{version_id}"
            ).to_arrow_table()
            results = self.tables.sql(
                f"select row_no, variant, grams, remainder_g from result_{version_id} where reason is null"
            ).to_arrow_table()
            self.versions[version_id] = (
                Sheet(inputs, "row_no"),
                Sheet(_with_codes(results, "variant"), "row_no"),
            )
        return self.versions[version_id]


def sheets(desk: Desk) -> Sheets:
    """Fetch the columns of the file and of its judgement."""
    judged = desk.tables.sql("select row_number, area, started, ended from judged").to_arrow_table()
    return Sheets(tables=desk.tables, raw=Sheet(desk.raw), judged=Sheet(_with_codes(judged, "area")))


def _with_codes(table: pa.Table, name: str) -> pa.Table:
    """Return the table with a column of few values as codes, which are quicker to sort than texts."""
    codes = table.column(name).combine_chunks().dictionary_encode()
    return table.set_column(table.column_names.index(name), name, codes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """The rows of a posting, sorted by bucket, account, day and row, and its account-days; `spans` are (bucket, from, to).

    `rows` has row, account_id, day, grams and floor_g; the rest is on the sheets, by row number.
    """

    group: Group
    chunks: int
    rows: dict[str, NDArray[Any]]
    spans: tuple[tuple[int, int, int], ...]
    legs: AccountDayLegs
    points_rules: tuple[dict[str, str], ...]

    @property
    def records(self) -> int:
        """Return how many rows there are."""
        return len(self.rows["row"])


def groups(desk: Desk) -> list[Group]:
    """Return the postings that a batch is split into, in a fixed order."""
    rows = desk.tables.execute(
        "select distinct scenario, version_id, evidence_tier, strftime(day, '%Y-%m') from "
        "(select distinct scenario, version_id, evidence_tier, day from keyed) order by 1, 2, 3, 4"
    ).fetchall()
    return [Group(scenario=r[0], version_id=r[1], evidence_tier=r[2], month=r[3]) for r in rows]


def book(desk: Desk, found: Sheets, group: Group) -> Booked:
    """Sort the rows of a posting, floor each account-day at zero, and turn grams into points.

    The floor stands on the last row of its account-day as `floor_g`, so that rows add up to entries.
    """
    own = desk.tables.sql(
        f"select row_number, account_id, day from keyed where scenario = {text(group.scenario)} "
        f"and version_id = {group.version_id} and evidence_tier = {group.evidence_tier} "
        f"and day between date '{group.month}-01' and last_day(date '{group.month}-01')"
    ).to_arrow_table()
    row_number, account_id = (own.column(name).to_numpy() for name in ("row_number", "account_id"))
    day = own.column("day").to_numpy().astype("datetime64[D]")
    n_chunks = chunk_count(len(row_number))
    order = _order(account_id % n_chunks, account_id, day, row_number)
    row_number, account_id, day = (column[order] for column in (row_number, account_id, day))
    bucket = account_id % n_chunks
    _, results = found.of_version(desk.versions[group.version_id], group.version_id)
    grams = results.table.column("grams").to_numpy()[results.places(row_number)]
    starts = _starts(account_id, day)
    floor_g = np.zeros(len(row_number), np.int64)
    days = pa.table(
        {
            "account_id": account_id[starts], "day": pa.array(day[starts], pa.date32()),
            "grams": np.add.reduceat(grams, starts), "last": np.append(starts[1:], len(grams)) - 1,
            "n": np.diff(np.append(starts, len(grams))),
        }
    )  # fmt: skip
    legs, rules = _legs(desk, group, days, floor_g)
    edges = _starts(bucket, bucket).tolist()
    return Booked(
        group=group,
        chunks=n_chunks,
        rows={"row": row_number, "account_id": account_id, "day": day, "grams": grams, "floor_g": floor_g},
        spans=tuple((int(bucket[start]), start, end) for start, end in pairwise([*edges, len(bucket)])),
        legs=legs,
        points_rules=rules,
    )


def _order(
    bucket: NDArray[Any], account_id: NDArray[Any], day: NDArray[Any], row_number: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the order by bucket, account, day and row."""
    order = np.argsort(row_number, kind="stable")
    if (day != day[0]).any():
        order = order[np.argsort(day[order], kind="stable")]
    # The bucket is the account's remainder: above the account's bits it leads, and one sort serves both.
    shift = int(account_id.max()).bit_length()
    key = (bucket << shift) | account_id
    return order[np.argsort(key[order], kind="stable")]


def _starts(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    """Return where a new pair begins."""
    new = np.ones(len(first), bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return np.flatnonzero(new)


def _legs(
    desk: Desk, group: Group, days: pa.Table, floor_g: NDArray[np.int64]
) -> tuple[AccountDayLegs, tuple[dict[str, str], ...]]:
    """Return the account-days sorted by account and day, and note on each one's last row what the floor gave."""
    account_id, grams = (days.column(name).to_numpy() for name in ("account_id", "grams"))
    day = days.column("day").to_numpy().astype("datetime64[D]")
    if calculator.may_be_negative(desk.versions[group.version_id]):
        credited = _floored(desk, group, days)
        floor_g[days.column("last").to_numpy()] = credited - grams
        grams = credited
    order = np.lexsort((day, account_id))
    points, rules = _points(desk, group, day[order], grams[order])
    legs = AccountDayLegs(
        account_id=account_id[order],
        day=day[order],
        grams=grams[order],
        points=points,
        n_records=days.column("n").to_numpy()[order],
    )
    return legs, rules


def _floored(desk: Desk, group: Group, days: pa.Table) -> NDArray[np.int64]:
    """Floor the scenario's sum of each account-day at zero, over all postings of that day; return what is credited.

    With P grams before and S now, max(0, P+S) - max(0, P) is credited. Rule: methodologies.md section 2.7.
    P matters only where it or S is negative: a negative P stands as a deficit, another P is summed from the chunks.
    """
    tables = desk.tables
    tables.register("sums", days.append_column("place", pa.array(np.arange(days.num_rows))))
    periods: list[date] = days.column("day").unique().to_pylist()
    deficit = earlier_use(scenario=group.scenario, measure=DEFICIT_MEASURE, periods=periods)
    tables.register("deficit_rows", deficit)
    tables.execute(
        "create or replace table deficit as select account_id, period_start, sum(micro)::bigint as micro from deficit_rows "
        "group by all having sum(micro) != 0"
    )
    below = tables.execute(
        "select s.account_id, s.day from sums as s left join deficit as d on d.account_id = s.account_id "
        "and d.period_start = s.day where s.grams < 0 and coalesce(d.micro, 0) = 0"
    ).fetchall()
    if not below and tables.execute("select 1 from deficit limit 1").fetchall() == []:
        untouched: NDArray[np.int64] = days.column("grams").to_numpy()
        return untouched
    tables.register("before", _grams_before(tables, group, below))
    tables.execute(
        "create or replace table floored as select place, account_id, day, grams as raw, p, "
        "greatest(0, p + grams) - greatest(0, p) as credited from (select s.*, "
        f"coalesce(b.grams, d.micro // {calculator.MICRO}, 0) as p from sums as s "
        "left join deficit as d on d.account_id = s.account_id and d.period_start = s.day "
        "left join before as b on b.account_id = s.account_id and b.day = s.day)"
    )
    change = tables.sql(
        f"select account_id, day as period_start, ((least(0, p + raw) - least(0, p)) * {calculator.MICRO})::bigint as micro "
        "from floored where least(0, p + raw) != least(0, p)"
    ).to_arrow_table()
    add_use(scenario=group.scenario, measure=DEFICIT_MEASURE, use=change)
    credited: NDArray[np.int64] = (
        tables.sql("select credited::bigint as grams from floored order by place")
        .to_arrow_table()
        .column("grams")
        .to_numpy()
    )
    return credited


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
        rule = desk.rules[group.scenario, group.evidence_tier, on]
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
