"""Step 2, match (比对): which waiting rows tell of an activity that another record tells better, or exclude each other in time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.domain.matching import NOBODY, Kind, winners
from tanpuhui.behaviour.activity.operations._settle_day._gather import LOST
from tanpuhui.foundation.rulebook import queries as rulebook

SAME_RIDE = "SAME_RIDE_OTHER_PARTNER"
EXCLUSIVE = "EXCLUSIVE_IN_TIME"
CITY_DIGITS = 4
_PAIRS = """
with placed as (
  select r.place, r.account_id, r.started, r.ended, r.line, r.area, r.partner_id, r.posted, k."group" as family, k.name
  from ride as r join kind as k using (scenario) where r.started is not null
), meeting as (
  select a.place as first, b.place as second,
    least(epoch_us(a.ended) - epoch_us(b.started), epoch_us(b.ended) - epoch_us(a.started)) as depth_us,
    a.name = b.name and a.partner_id != b.partner_id
      and (coalesce(a.line, '') = '' or coalesce(b.line, '') = '' or a.line = b.line)
      and left(a.area, {city_digits}) = left(b.area, {city_digits}) as alike
  from placed as a join placed as b
    on a.account_id = b.account_id and a.family = b.family and a.place < b.place and not (a.posted and b.posted)
)
select first, second, alike and depth_us >= -{tolerance_us} as same from meeting
where depth_us > {tolerance_us} or (alike and depth_us >= -{tolerance_us})
"""
"""Two records meet as deep as one lasts into the other. Deeper than the clocks may be apart, both cannot be; of one kind, from two
partners, on one line and in one city they are the same trip also where they only touch within that time."""


def kinds(scenarios: set[str], day: date) -> dict[str, Kind]:
    """Return what kind of activity each scenario records by the rule of the day; one without a kind is compared with nothing."""
    found = {}
    for code in sorted(scenarios):
        rule = rulebook.parameter(key="intake.activity_kind", at=day, scope=code)
        if rule.value is not None:
            found[code] = Kind.parse(rule.value)
    return found


def match(rides: pa.Table, kind_of: Mapping[str, Kind], day: date) -> pa.Table:
    """Return the waiting rides that lost, as LOST. Raises ParameterUnset (intake.clock_tolerance_s).

    What is posted stands; else the better evidence tier wins, then what came first, then the lower batch and row.
    """
    if not kind_of or rides.num_rows == 0:
        return LOST.empty_table()
    tolerance = rulebook.require_parameter(key="intake.clock_tolerance_s", at=day)
    with closing(open_tables()) as tables:
        tables.register("ride", rides.append_column("place", pa.array(np.arange(rides.num_rows))))
        known = pa.table(
            {
                "scenario": list(kind_of),
                "group": [kind.group for kind in kind_of.values()],
                "name": [kind.name for kind in kind_of.values()],
            }
        )
        tables.register("kind", known)
        pairs = tables.sql(
            _PAIRS.format(tolerance_us=int(str(tolerance.value)) * 1_000_000, city_digits=CITY_DIGITS)
        ).to_arrow_table()
    if pairs.num_rows == 0:
        return LOST.empty_table()
    first, second = (pairs.column(name).to_numpy() for name in ("first", "second"))
    won_by = winners(_rank(rides), first, second)
    return _lost(rides, won_by, first, second, pairs.column("same").to_numpy())


def _rank(rides: pa.Table) -> np.ndarray:
    columns = [rides.column(name).to_numpy() for name in ("row_number", "batch_id", "received", "tier")]
    order = np.lexsort((*columns, ~rides.column("posted").to_numpy()))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _lost(
    rides: pa.Table, won_by: np.ndarray, first: np.ndarray, second: np.ndarray, same: np.ndarray
) -> pa.Table:
    losers = np.flatnonzero(won_by != NOBODY)
    heads = won_by[losers]
    width = len(won_by)
    told = np.unique(np.minimum(first, second)[same] * width + np.maximum(first, second)[same])
    pair = np.minimum(losers, heads) * width + np.maximum(losers, heads)
    reason = np.where(np.isin(pair, told), SAME_RIDE, EXCLUSIVE)
    return pa.table(
        {
            "waiting_id": rides.column("waiting_id").take(pa.array(losers)),
            "row_number": rides.column("row_number").take(pa.array(losers)),
            "reason": pa.array(reason.astype(object), pa.string()),
            "field": pa.repeat(pa.scalar("started_at"), len(losers)),
            "winner_batch": rides.column("batch_id").take(pa.array(heads)),
            "winner_row": rides.column("row_number").take(pa.array(heads)),
        },
        schema=LOST,
    )
