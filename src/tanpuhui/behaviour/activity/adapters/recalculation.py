"""Recalculating stored records (复算、重算): stored inputs and allowance, a version, the engine's SQL.

With the version they were posted with, the same results come out (复算). With another one, the differences by account
and day come out (重算). Both are worked out in bulk in the table engine; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.chunks import RESULTS, columns_sha256
from tanpuhui.behaviour.activity.adapters.slices import EFFECT, Stored
from tanpuhui.behaviour.activity.adapters.tables import open_tables, quoted
from tanpuhui.behaviour.activity.domain.recalculations import TRACES_ERASED, RuleSpan, points_change
from tanpuhui.science.engine.model import MethodologyVersion

DIFFERENCES_SHOWN_MAX = 20


def reads_traces(version: MethodologyVersion) -> bool:
    """Say whether a version calculates with fields that stand among the traces."""
    return any(item.privacy == "trace" for item in version.fields)


def results_again(version: MethodologyVersion, inputs: pa.Table) -> pa.Table:
    """Return RESULTS and `reason` of the inputs (KEYS and fields), in their order."""
    with closing(open_tables()) as tables:
        found = _calculate(tables, version, inputs)
    return found.add_column(0, "row", inputs.column("row")).select([*RESULTS, "reason"])


def differences(stored: pa.Table, again: pa.Table) -> Iterator[str]:
    """Yield a sentence for each of the first records in which two tables of RESULTS in the same order differ."""
    if columns_sha256(stored) == columns_sha256(again.select(RESULTS)):
        return
    names = [name for name in RESULTS if name != "row"]
    differs = np.zeros(stored.num_rows, bool)
    for name in names:
        before, now = (table.column(name).to_pylist() for table in (stored, again))
        differs |= np.array([one != other for one, other in zip(before, now, strict=True)], bool)
    for place in np.flatnonzero(differs)[:DIFFERENCES_SHOWN_MAX].tolist():
        was, now = (table.slice(place, 1).to_pylist()[0] for table in (stored, again))
        reason = f", {now['reason']}" if now.get("reason") else ""
        yield (
            f"row {was['row']}: stored {was['grams']} g, remainder {was['remainder_g']}, {was['variant']}; "
            f"now {now['grams']} g, remainder {now['remainder_g']}, {now['variant']}{reason}"
        )


def recalculate(
    tables: Any,
    version: MethodologyVersion,
    *,
    groups: Sequence[Stored],
    effect: pa.Table,
    rules: Sequence[RuleSpan],
    others: Sequence[Stored] = (),
    others_effect: pa.Table | None = None,
) -> pa.Table:
    """Return what a version makes of a slice's records, beside what is in effect, as `record`; the tables have it too, and `day`.

    `record`: number (order), posting_id, row, account_id, day, area, old_grams, old_floor, grams, remainder_g, variant,
    reason, floor_g. `day`: posting_id, account_id, day, old_grams and grams (credited, g), points (the change), changed
    (records). A record without its traces keeps what it has (reason TRACES_ERASED); one that the version does not count
    has 0 g and the reason.

    `others` are the other records of the scenario on these days. They do not change, but where results can be
    negative they belong to the floor of an account-day: the last posting of `groups` takes up what the floor changes.
    """
    calculated = _record_schema(version).empty_table()
    for group in groups:
        part = _calculated(tables, version, group, effect=effect, first=calculated.num_rows)
        calculated = pa.concat_tables([calculated, part.cast(calculated.schema)])
    tables.register("calculated", calculated)
    if others or _floor_tells(calculated):
        _sum_days_with_floor(tables, others, others_effect)
    else:
        _sum_days(tables)
    record = calculated.append_column("floor_g", pa.array(_floors(tables, calculated.num_rows)))
    tables.register("record", record)
    _add_points(tables, rules)
    return record


def _record_schema(version: MethodologyVersion) -> pa.Schema:
    whole, text = pa.int64(), pa.string()
    remainder = pa.decimal128(version.remainder_places + 1, version.remainder_places)
    return pa.schema(
        [
            ("number", whole), ("posting_id", whole), ("row", whole), ("account_id", whole), ("day", pa.date32()),
            ("area", text), ("old_grams", whole), ("old_floor", whole), ("grams", whole), ("remainder_g", remainder),
            ("variant", text), ("reason", text),
        ]
    )  # fmt: skip


def _calculated(
    tables: Any, version: MethodologyVersion, group: Stored, *, effect: pa.Table, first: int
) -> pa.Table:
    """Return one group of records with what is in effect and what the version makes of them."""
    records = group.records
    n = records.num_rows
    old_grams, old_floor = _in_effect(tables, records, effect)
    if group.kept:
        found = pa.table(
            {
                "grams": old_grams,
                "remainder_g": pa.nulls(n),
                "variant": pa.nulls(n),
                "reason": pa.repeat(pa.scalar(TRACES_ERASED), n),
            }
        )
    else:
        found = _calculate(tables, version, records)
    made = {name: found.column(name) for name in ("grams", "remainder_g", "variant", "reason")}
    if not group.kept:
        counts = made["reason"].is_null()
        made["variant"] = pa.compute.if_else(counts, made["variant"], pa.scalar(None, made["variant"].type))
        for name, nothing in (("grams", 0), ("remainder_g", Decimal(0))):
            made[name] = pa.compute.fill_null(made[name], pa.scalar(nothing, made[name].type))
    return pa.table(
        {
            "number": pa.array(np.arange(first, first + n, dtype=np.int64)),
            **{name: records.column(name) for name in ("posting_id", "row", "account_id", "day", "area")},
            "old_grams": old_grams,
            "old_floor": old_floor,
            **made,
        }
    )


def _in_effect(tables: Any, records: pa.Table, effect: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return grams and floor in effect of each record: of the last recalculation that had it, else as posted."""
    if effect.num_rows == 0:
        return records.column("grams"), records.column("floor_g")
    place = pa.array(np.arange(records.num_rows, dtype=np.int64))
    tables.register("posted", records.select(["posting_id", "row"]).append_column("place", place))
    tables.register("effect", effect)
    newer = tables.sql(
        "select p.place, e.grams, e.floor_g from posted as p join effect as e using (posting_id, row)"
    ).to_arrow_table()
    at = newer.column("place").to_numpy()
    both = []
    for name in ("grams", "floor_g"):
        values = records.column(name).to_numpy().copy()
        values[at] = newer.column(name).to_numpy()
        both.append(pa.chunked_array([pa.array(values)]))
    return both[0], both[1]


def _floor_tells(calculated: pa.Table) -> bool:
    """Say whether the floor of an account-day at zero can change anything: something is, or was, below or lifted."""
    least = [pa.compute.min(calculated.column(name)).as_py() or 0 for name in ("old_grams", "grams")]
    return min(least) < 0 or bool(
        pa.compute.any(pa.compute.not_equal(calculated.column("old_floor"), 0)).as_py()
    )


def _floors(tables: Any, records: int) -> NDArray[np.int64]:
    """Return what lifts each record to the floor of its account-day (g); it stands on the last record of the day."""
    lifted = tables.sql(
        "select last, (grams - raw)::bigint as floor_g from credited where grams != raw"
    ).to_arrow_table()
    floor = np.zeros(records, np.int64)
    floor[lifted.column("last").to_numpy()] = lifted.column("floor_g").to_numpy()
    return floor


def _calculate(tables: Any, version: MethodologyVersion, given: pa.Table) -> pa.Table:
    """Return reason, variant, grams and remainder_g of each row of a table, in its order, by the engine's SQL.

    A field that the table lacks is missing.
    """
    numbered = given.append_column("row_no", pa.array(np.arange(given.num_rows, dtype=np.int64)))
    tables.register("given", numbered)
    fields = "".join(
        f", {quoted(item.code) if item.code in given.column_names else 'null'}"
        f"{_type(given, item)} as {quoted(item.code)}"
        for item in version.fields
    )
    tables.execute(f"create or replace view inputs as select row_no, granted{fields} from given")
    tables.execute("drop table if exists result")
    calculator.calculate(tables, version, relation="inputs", into="result")
    found = tables.sql("select row_no, reason, variant, grams, remainder_g from result").to_arrow_table()
    number = found.column("row_no").to_numpy()
    if len(number) != given.num_rows:
        message = f"{given.num_rows} records were calculated to {len(number)} results"
        raise AssertionError(message)
    # The table engine gives rows in any order; putting them in place costs less than joining them.
    place = np.empty(len(number), np.int64)
    place[number] = np.arange(len(number))
    return found.drop_columns(["row_no"]).take(pa.array(place))


def _type(given: pa.Table, item: Any) -> str:
    """Return the cast of a field: texts plain, numbers as they are stored, so that the engine sees what was recorded."""
    if item.kind == "choice":
        return "::varchar"
    if item.code not in given.column_names:
        return f"::{calculator.decimal_type(item)}"
    return ""


def _sum_days(tables: Any) -> None:
    """Sum `calculated` by posting, account and day, where no floor can tell: `credited`, and a `deficit` without rows."""
    tables.execute(
        "create table credited as select posting_id, account_id, day, max(number) as last, sum(grams)::bigint as raw, "
        "count(*) filter (where grams != old_grams) as changed, sum(old_grams)::bigint as old_grams, "
        "sum(grams)::bigint as grams from calculated group by posting_id, account_id, day"
    )
    tables.execute("create table deficit (account_id bigint, day date, grams bigint)")


def _sum_days_with_floor(tables: Any, others: Sequence[Stored], others_effect: pa.Table | None) -> None:
    """Sum `calculated` by posting, account and day, and floor the scenario's sum of an account-day at zero."""
    tables.execute("create table other (account_id bigint, day date, raw bigint, credited bigint)")
    tables.register("other_effect", others_effect if others_effect is not None else EFFECT.empty_table())
    for group in others:
        tables.register("given", group.records)
        tables.execute(
            "insert into other select i.account_id, i.day, coalesce(e.grams, i.grams), "
            "coalesce(e.grams, i.grams) + coalesce(e.floor_g, i.floor_g) from given as i "
            "left join other_effect as e on e.posting_id = i.posting_id and e.row = i.row"
        )
    tables.execute(
        """
        create table summed as
        with own as (
          select posting_id, account_id, day, sum(old_grams) as old_raw, sum(old_grams + old_floor) as old_credited,
            sum(grams) as raw, count(*) filter (where grams != old_grams) as changed, max(number) as last
          from calculated group by all
        ), rest as (select account_id, day, sum(raw) as raw, sum(credited) as credited from other group by all)
        select o.*, o.raw + o.old_credited - o.old_raw as unfloored,
          coalesce(r.raw, 0) as other_raw, coalesce(r.credited, 0) as other_credited,
          sum(o.raw) over whole as all_raw, sum(o.old_raw) over whole as all_old_raw,
          sum(o.raw + o.old_credited - o.old_raw) over whole as all_unfloored,
          o.posting_id = max(o.posting_id) over whole as takes_up
        from own as o left join rest as r using (account_id, day)
        window whole as (partition by o.account_id, o.day)
        """
    )
    tables.execute(
        "create table credited as select posting_id, account_id, day, last, raw, changed::bigint as changed, "
        "old_credited::bigint as old_grams, (case when takes_up then greatest(0, all_raw + other_raw) - other_credited "
        "- (all_unfloored - unfloored) else unfloored end)::bigint as grams from summed"
    )
    tables.execute(
        "create table deficit as select distinct account_id, day, (least(0, all_raw + other_raw) "
        "- least(0, all_old_raw + other_raw))::bigint as grams from summed "
        "where least(0, all_raw + other_raw) != least(0, all_old_raw + other_raw)"
    )


def _add_points(tables: Any, rules: Sequence[RuleSpan]) -> None:
    """Make `day` of `credited`: the change in points by the rule that the posting used on that day.

    Raises AssertionError, which undoes the step, where a day of a posting has no rule.
    """
    values = sorted({rule.per_gram for rule in rules})
    tables.register(
        "rule",
        pa.table(
            {
                "posting_id": pa.array([rule.posting_id for rule in rules], pa.int64()),
                "first_day": pa.array([rule.first_day for rule in rules], pa.date32()),
                "last_day": pa.array([rule.last_day for rule in rules], pa.date32()),
                "place": pa.array([values.index(rule.per_gram) for rule in rules], pa.int64()),
            }
        ),
    )
    found = tables.sql(
        "select c.posting_id, c.account_id, c.day, c.old_grams, c.grams, c.changed, coalesce(r.place, -1) as place "
        "from credited as c left join (select posting_id, first_day, last_day, any_value(place) as place from rule "
        "group by all) as r on r.posting_id = c.posting_id and c.day between r.first_day and r.last_day"
    ).to_arrow_table()
    place = found.column("place").to_numpy()
    if (place < 0).any():
        message = "an account-day was posted without a points rule"
        raise AssertionError(message)
    old, new = (found.column(name).to_numpy() for name in ("old_grams", "grams"))
    points = np.zeros(len(place), np.int64)
    for index, per_gram in enumerate(values):
        at = place == index
        points[at] = points_change(old[at], new[at], per_gram)
    tables.register("with_points", found.append_column("points", pa.array(points)))
    tables.execute("create table day as select * exclude (place) from with_points")
