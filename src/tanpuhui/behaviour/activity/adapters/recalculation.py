"""Recalculating stored records (复算、重算): stored inputs and allowance, a version, the engine's SQL.

With the version they were posted with, the same results come out (复算). With another one, the differences by account
and day come out (重算). Both are worked out in bulk in the table engine; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.chunks import RESULTS, columns_sha256
from tanpuhui.behaviour.activity.adapters.slices import EFFECT, Stored
from tanpuhui.behaviour.activity.adapters.tables import columns, open_tables, quoted
from tanpuhui.behaviour.activity.domain.recalculations import TRACES_ERASED, RuleSpan, points_change
from tanpuhui.science.engine.model import MethodologyVersion

DIFFERENCES_SHOWN_MAX = 20


def reads_traces(version: MethodologyVersion) -> bool:
    """Say whether a version calculates with fields that stand among the traces."""
    return any(item.privacy == "trace" for item in version.fields)


def results_again(version: MethodologyVersion, inputs: pa.Table) -> pa.Table:
    """Return RESULTS and `reason` of the inputs (KEYS and fields), in their order."""
    with closing(open_tables()) as tables:
        _calculate(tables, version, inputs)
        return tables.sql(
            f"select {columns(RESULTS)}, reason from (select i.row, r.* from inputs as i "
            "join result as r using (row_no)) order by row_no"
        ).to_arrow_table()


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
) -> None:
    """Fill the tables `record` and `day` with what a version makes of a slice's records, beside what is in effect.

    `record`: number (order), posting_id, row, account_id, day, area, old_grams, old_floor, grams, floor_g,
    remainder_g, variant, reason. `day`: posting_id, account_id, day, old_grams and grams (credited, g), points (the
    change), changed (records). A record without its traces keeps what it has (reason TRACES_ERASED); one that the
    version does not count has 0 g and the reason.

    `others` are the other records of the scenario on these days. They do not change, but where results can be
    negative they belong to the floor of an account-day: the last posting of `groups` takes up what the floor changes.
    """
    places = version.remainder_places
    tables.execute(
        "create table record (number bigint, posting_id bigint, row bigint, account_id bigint, day date, area varchar, "
        f"old_grams bigint, old_floor bigint, grams bigint, remainder_g decimal({places + 1}, {places}), "
        "variant varchar, reason varchar)"
    )
    tables.register("effect", effect)
    number = 0
    for group in groups:
        _add(tables, version, group, first=number)
        number += group.records.num_rows
    _sum_days(tables, others, others_effect)
    _add_points(tables, rules)


def _add(tables: Any, version: MethodologyVersion, group: Stored, *, first: int) -> None:
    """Calculate one group of records and put them into `record`."""
    result = "null::bigint as grams, null as remainder_g, null::varchar as variant, null::varchar as reason"
    if group.kept:
        tables.register("given", group.records)
        tables.execute(
            "create or replace table inputs as select *, row_number() over () - 1 as row_no from given"
        )
        tables.execute(f"create or replace table result as select row_no, {result} from inputs")
        new = f"coalesce(e.grams, i.grams), null, null, '{TRACES_ERASED}'"
    else:
        _calculate(tables, version, group.records)
        new = "coalesce(r.grams, 0), coalesce(r.remainder_g, 0), case when r.reason is null then r.variant end, r.reason"
    tables.execute(
        f"insert into record select {first} + i.row_no, i.posting_id, i.row, i.account_id, i.day, i.area::varchar, "
        f"coalesce(e.grams, i.grams), coalesce(e.floor_g, i.floor_g), {new} from inputs as i "
        "join result as r using (row_no) left join effect as e on e.posting_id = i.posting_id and e.row = i.row"
    )


def _calculate(tables: Any, version: MethodologyVersion, given: pa.Table) -> None:
    """Make `inputs` of a table (numbered by `row_no`) and `result` with the engine's SQL; a field it lacks is missing."""
    numbered = given.append_column("row_no", pa.array(np.arange(given.num_rows, dtype=np.int64)))
    tables.register("given", numbered)
    fields = "".join(
        f", {quoted(item.code) if item.code in given.column_names else 'null'}"
        f"{_type(given, item)} as {quoted(item.code)}"
        for item in version.fields
    )
    own = {item.code for item in version.fields}
    rest = columns(name for name in numbered.column_names if name not in own)
    tables.execute(f"create or replace table inputs as select {rest}{fields} from given")
    tables.execute("drop table if exists result")
    calculator.calculate(tables, version, relation="inputs", into="result")


def _type(given: pa.Table, item: Any) -> str:
    """Return the cast of a field: texts plain, numbers as they are stored, so that the engine sees what was recorded."""
    if item.kind == "choice":
        return "::varchar"
    if item.code not in given.column_names:
        return f"::{calculator.decimal_type(item)}"
    return ""


def _sum_days(tables: Any, others: Sequence[Stored], others_effect: pa.Table | None) -> None:
    """Sum `record` by posting, account and day, and floor the scenario's sum of an account-day at zero."""
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
          from record group by all
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
    tables.execute("alter table record add column floor_g bigint default 0")
    tables.execute(
        "update record set floor_g = (c.grams - c.raw)::bigint from credited as c "
        "where c.last = record.number and c.grams != c.raw"
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
