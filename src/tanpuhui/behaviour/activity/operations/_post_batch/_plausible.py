"""Step 6, plausible (合理性): records that are too fast, too far, too many, or in two cities at once are held or rejected.

What a scenario's rules do not limit is not judged, and then this step does nothing. The other records of the person are those
of this file, and for the number a day those that were posted before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from tanpuhui.behaviour.activity.adapters.tables import text
from tanpuhui.behaviour.activity.domain.plausibility import DOUBTS, PlausibleLimits
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.behaviour.activity.operations._post_batch._wait import write_waiting
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.rulebook import queries as rulebook

DISTANCE = "distance_km"
CITY_DIGITS = 4
REJECT = "reject"
_NOTHING = "select null::bigint as row_number, '' as reason, '' as field, '' as value where false"
"""A file may hold no record of a scenario that has limits; then no limit asks anything."""
_NONE = pa.schema(
    [("scenario", pa.string()), ("account_id", pa.int64()), ("day", pa.date32()), ("n", pa.int64())]
).empty_table()


def hold_implausible(desk: Desk, fields: tuple[str, ...]) -> None:
    """Take records that are not plausible out of `keyed`: held ones are written down, rejected ones settled."""
    limits = {code: found for code in sorted(desk.feeds) if (found := _limits(desk, code)).judges}
    if not limits:
        return
    _find(desk, limits)
    rejecting = ", ".join([text(code) for code, one in limits.items() if one.rejects]) or "''"
    desk.settle_from(f"select row_number, reason, field, value from doubt where scenario in ({rejecting})")
    desk.tables.execute(f"create table held as select * from doubt where scenario not in ({rejecting})")
    for scenario, tier, day, reason in desk.tables.execute(
        "select distinct scenario, evidence_tier, day, reason from held order by 1, 2, 3, 4"
    ).fetchall():
        desk.held[reason] = desk.held.get(reason, 0) + write_waiting(
            desk, fields, scenario=scenario, tier=tier, day=day, settles_on=None, held_for=reason
        )
    desk.tables.execute("delete from keyed where row_number in (select row_number from doubt)")
    for name in ("held", "doubt"):
        desk.tables.execute(f"drop table {name}")


def _limits(desk: Desk, scenario: str) -> PlausibleLimits:
    """Return the limits in force when the file came."""

    def value(key: str) -> str | None:
        found = rulebook.parameter(key=f"intake.{key}", at=desk.received_at, scope=scenario).value
        return None if found is None else str(found)

    speed, distance, records, change = (
        value(key) for key in ("speed_kmh_max", "distance_km_max", "records_per_day_max", "city_change_s_min")
    )
    return PlausibleLimits(
        speed_kmh_max=None if speed is None else Decimal(speed),
        distance_km_max=None if distance is None else Decimal(distance),
        records_per_day_max=None if records is None else int(records),
        city_change_s_min=None if change is None else int(change),
        rejects=value("implausible") == REJECT,
    )


def _find(desk: Desk, limits: dict[str, PlausibleLimits]) -> None:
    """Make `doubt`: each record of `keyed` that is not plausible, with its first reason, and the value beside the limit."""
    tables = desk.tables
    tables.execute(
        "create view in_question as select k.row_number, k.scenario, k.version_id, k.evidence_tier, k.account_id, k.day, "
        "j.started, j.ended, coalesce(x.ended_at, '') != '' as lasts, j.area "
        "from keyed as k join judged as j using (row_number) join raw as x using (row_number)"
    )
    counted = [code for code, one in limits.items() if one.records_per_day_max is not None]
    tables.register(
        "posted_that_day", pa.concat_tables([_NONE, *(_posted_that_day(desk, one) for one in counted)])
    )
    selects = [_NOTHING, *(sql for code, one in limits.items() for sql in _selects(desk, code, one))]
    rank = " ".join(f"when {text(code)} then {place}" for place, code in enumerate(DOUBTS, 1))
    tables.execute(
        "create table doubt as with found as ("
        + " union all ".join(selects)
        + "), first as (select row_number, "
        f"arg_min(struct_pack(reason, field, value), case reason {rank} end) as one from found group by row_number) "
        "select q.row_number, q.scenario, q.evidence_tier, q.day, f.one.reason as reason, f.one.field as field, "
        "f.one.value as value from first as f join in_question as q using (row_number)"
    )
    tables.execute("drop view in_question")
    tables.unregister("posted_that_day")


def _selects(desk: Desk, scenario: str, limits: PlausibleLimits) -> list[str]:
    """Return a SELECT of row_number, reason, field, value for each limit of a scenario."""
    selects = []
    if limits.city_change_s_min is not None:
        selects.append(_place(scenario, limits.city_change_s_min))
    for version_id, version in sorted(desk.versions.items()):
        if version.scenario == scenario and DISTANCE in {item.code for item in version.fields}:
            measured = (
                "select q.row_number, q.lasts, date_diff('second', q.started, q.ended) as s, i.distance_km as km "
                f"from in_question as q join inputs_{version_id} as i on i.row_no = q.row_number "
                f"where q.version_id = {version_id} and i.distance_km is not null"
            )
            if limits.speed_kmh_max is not None:
                selects.append(_speed(measured, limits.speed_kmh_max))
            if limits.distance_km_max is not None:
                selects.append(_distance(measured, limits.distance_km_max))
    if limits.records_per_day_max is not None:
        selects.append(_frequency(scenario, limits.records_per_day_max))
    return selects


def _place(scenario: str, change_s_min: int) -> str:
    """A record counts as elsewhere where its city is another than that of the person's record before it, in any scenario."""
    return (
        "select row_number, 'IMPLAUSIBLE_PLACE' as reason, 'area' as field, "
        f"gap_s || ' < {change_s_min} s' as value from (select row_number, scenario, area, "
        "lag(area) over w as area_before, date_diff('second', lag(ended) over w, started) as gap_s from in_question "
        "window w as (partition by account_id order by started, row_number)) "
        f"where scenario = {text(scenario)} and left(area, {CITY_DIGITS}) != left(area_before, {CITY_DIGITS}) "
        f"and gap_s < {change_s_min}"
    )


def _speed(measured: str, kmh_max: Decimal) -> str:
    tenths = "(km * 36000)::bigint // s"
    shown = f"case when s = 0 then '∞' else ({tenths}) // 10 || '.' || ({tenths}) % 10 end"
    return (
        f"select row_number, 'IMPLAUSIBLE_SPEED' as reason, '{DISTANCE}' as field, {shown} || ' > {kmh_max} km/h' as value "
        f"from ({measured}) where lasts and km * 3600 > {kmh_max} * s"
    )


def _distance(measured: str, km_max: Decimal) -> str:
    return (
        f"select row_number, 'IMPLAUSIBLE_DISTANCE' as reason, '{DISTANCE}' as field, "
        f"rtrim(rtrim(km::varchar, '0'), '.') || ' > {km_max} km' as value "
        f"from ({measured}) where km > {km_max}"
    )


def _frequency(scenario: str, records_max: int) -> str:
    return (
        "select row_number, 'IMPLAUSIBLE_FREQUENCY' as reason, 'started_at' as field, n || ' > "
        f"{records_max}' as value from (select q.row_number, coalesce(p.n, 0) + row_number() over "
        "(partition by q.account_id, q.day order by q.started, q.row_number) as n from in_question as q "
        "left join posted_that_day as p using (scenario, account_id, day) "
        f"where q.scenario = {text(scenario)}) where n > {records_max}"
    )


def _posted_that_day(desk: Desk, scenario: str) -> pa.Table:
    """Return how many records of the scenario were posted for the accounts and days in question."""
    found: Any = desk.tables.sql(
        f"select distinct account_id, day from in_question where scenario = {text(scenario)}"
    ).to_arrow_table()
    days = sorted(set(found.column("day").to_pylist()))
    journals = Posting.objects.filter(scenario=scenario, month__in={f"{day:%Y-%m}" for day in days})
    counts = ledger.records_by_account_day(
        journal_ids=[number for number in journals.values_list("journal_id", flat=True) if number],
        account_ids=np.unique(found.column("account_id").to_numpy()),
        days=days,
    )
    return pa.table(
        {
            "scenario": pa.repeat(pa.scalar(scenario), len(counts.account_id)),
            "account_id": counts.account_id,
            "day": pa.array(counts.day, pa.date32()),
            "n": counts.n_records,
        },
        schema=_NONE.schema,
    )
