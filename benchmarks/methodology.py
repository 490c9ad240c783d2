"""Methodology: the compiled SELECT in DuckDB against the same calculation written by hand, equally exact.

Both read one table of records and give row_no, reason, variant, grams and remainder_g; that they give the same is
checked before anything is measured. They alternate pair by pair; the first pair is discarded. Wall clock and
processor time are both shown: on a machine that is not quiet the second says more.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import dataclass

import duckdb
from tests.unit.science.engine.made_up import LIBRARY, ROOT, field, folder, made_up

from tanpuhui.science.engine import MethodologyVersion, load_parameter_set, load_version, sql

THREADS = 2
PARAMETERS = ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml"
SINKS = {
    "written": "create or replace table results as {}",
    "summed": "select count(reason), count(variant), sum(grams), sum(remainder_g) from ({})",
}


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A calculation, its records as SQL over range() and the query that an engineer would write for it."""

    name: str
    version: MethodologyVersion
    records: str
    by_hand: str


# Of every hundred rides three lack the distance or have one that cannot be; distances reach 15.2 km.
RIDES = """select i as row_no,
  case when i % 50 = 0 then null when i % 97 = 0 then 1.2345 when i % 101 = 0 then 400
    else ((i * 7919) % 15200)::decimal(18, 0) * 0.001 end::decimal(18, 6) as distance_km,
  (((i * 7919) % 15200) * (120 + i % 700) // 1000)::decimal(18, 6) as duration_s,
  case when i % 3 = 0 then 'e-bike' else 'bike' end as vehicle_type
from range({records}) as made(i)"""

BY_DISTANCE = """select row_no, reason,
  case when reason is null then 'by_distance' when reason = '{unset}' then '{otherwise}' end as variant,
  grams, (exact - grams * 1000)::decimal(4, 0) * 0.001::decimal(4, 3) as remainder_g
from (select *, exact // 1000 as grams from (
  select row_no, reason, case when reason is null then metres * 104 - metres * {factor} end as exact from (
    select row_no,
      case when distance_km between 0 and 300 then (distance_km * 1000)::bigint end as metres,
      case when distance_km is null then '{unset}'
        when distance_km not between 0 and 300 then 'OUT_OF_BOUNDS:distance_km'
        when distance_km % 0.001 <> 0 then 'TOO_MANY_PLACES:distance_km'
        when distance_km = 0 then 'DISTANCE_NOT_POSITIVE' end as reason
    from records)))"""

BIKE = """select row_no, reason,
  case when reason is null then 'by_bike' when reason = 'PARAMETER_UNSET:ebike_electricity' then 'by_ebike' end as variant,
  grams, (exact - grams * 10000)::decimal(5, 0) * 0.0001::decimal(5, 4) as remainder_g
from (select *, exact // 10000 as grams from (
  select row_no, reason, case when reason is null then metres * 1040 - metres * 87 end as exact from (
    select row_no, metres, case when fault is not null then fault
        when metres = 0 then 'DISTANCE_NOT_POSITIVE' when seconds = 0 then 'DURATION_NOT_POSITIVE'
        when metres * 3600 < seconds * 5000 then 'TOO_SLOW' when metres * 3600 > seconds * 30000 then 'TOO_FAST'
        when metres > 15000 then 'TRIP_TOO_LONG'
        when vehicle_type = 'e-bike' then 'PARAMETER_UNSET:ebike_electricity' end as reason
    from (select row_no, vehicle_type,
        case when distance_km between 0 and 200 then (distance_km * 1000)::bigint end as metres,
        case when duration_s between 0 and 86400 then duration_s::bigint end as seconds,
        case when distance_km is null then 'FIELD_MISSING:distance_km'
          when distance_km not between 0 and 200 then 'OUT_OF_BOUNDS:distance_km'
          when distance_km % 0.001 <> 0 then 'TOO_MANY_PLACES:distance_km'
          when duration_s is null then 'FIELD_MISSING:duration_s'
          when duration_s not between 0 and 86400 then 'OUT_OF_BOUNDS:duration_s'
          when duration_s % 1 <> 0 then 'TOO_MANY_PLACES:duration_s'
          when vehicle_type is null then 'FIELD_MISSING:vehicle_type'
          when vehicle_type not in ('bike', 'e-bike') then 'OUT_OF_BOUNDS:vehicle_type' end as fault
      from records))))"""

FUEL = """  - code: fuel
    name: {zh: 燃料, en: Fuel}
    kind: choice
    options: [petrol, electric]
    nullable: no
    privacy: amount
"""
SHARED_RIDE = (
    "(if 燃料 = 'petrol' then round(里程 * 油耗 * 2.925 / 人数, 6, half_up) else 里程 * 0.104) * 1000[gCO2e]"
)
SHARED_RIDES = """select i as row_no,
  case when i % 97 = 0 then 400 else ((i * 7919) % 152000)::decimal(18, 0) * 0.001 end::decimal(18, 6) as distance,
  (0.04 + (i % 90) * 0.0007)::decimal(18, 6) as consumption, (1 + i % 4)::decimal(18, 6) as people,
  case when i % 3 = 0 then 'electric' else 'petrol' end as fuel
from range({records}) as made(i)"""
SHARED_RIDE_BY_HAND = """select row_no, reason, case when reason is null then 'only' end as variant,
  grams, (exact - grams * 1000)::decimal(4, 0) * 0.001::decimal(4, 3) as remainder_g
from (select *, exact // 1000 as grams from (
  select row_no, reason, case when reason is null then case when fuel = 'petrol'
      then (2 * top + bottom) // (2 * bottom) else metres * 104 end end as exact
  from (select row_no, fuel, reason, metres,
      case when reason is null then metres * (consumption * 10000)::bigint * 2925 end as top,
      case when reason is null then people::bigint * 10000 end as bottom
    from (select *, case when distance between 0 and 300 then (distance * 1000)::bigint end as metres,
        case when distance is null then 'FIELD_MISSING:distance'
          when distance not between 0 and 300 then 'OUT_OF_BOUNDS:distance'
          when distance % 0.001 <> 0 then 'TOO_MANY_PLACES:distance'
          when consumption is null then 'FIELD_MISSING:consumption'
          when consumption not between 0.01 and 0.3 then 'OUT_OF_BOUNDS:consumption'
          when consumption % 0.0001 <> 0 then 'TOO_MANY_PLACES:consumption'
          when people is null then 'FIELD_MISSING:people'
          when people not between 1 and 9 then 'OUT_OF_BOUNDS:people'
          when people % 1 <> 0 then 'TOO_MANY_PLACES:people'
          when fuel is null then 'FIELD_MISSING:fuel'
          when fuel not in ('petrol', 'electric') then 'OUT_OF_BOUNDS:fuel' end as reason
      from records))))"""

POWER = "round(电量 * 0.5810 * 0.9273 / 户数, 6, half_up) * 1000[gCO2e]"
POWER_RECORDS = """select i as row_no, ((i * 7919) % 50000000)::decimal(18, 0) * 0.001::decimal(4, 3) as electricity,
  (1 + i % 400)::decimal(18, 0) as households
from range({records}) as made(i)"""
POWER_BY_HAND = """select row_no, reason, case when reason is null then 'only' end as variant,
  grams, (exact - grams * 1000)::decimal(4, 0) * 0.001::decimal(4, 3) as remainder_g
from (select *, exact // 1000 as grams from (
  select row_no, reason, case when top <= 4000000000000000000 then (2 * top::bigint + bottom) // (2 * bottom)
      else ((2 * top + bottom) // (2 * bottom))::bigint end as exact
  from (select row_no, reason,
      case when reason is null then (electricity * 1000)::bigint::hugeint * 5810 * 9273 end as top,
      case when reason is null then households::bigint * 100000 end as bottom
    from (select *, case when electricity is null then 'FIELD_MISSING:electricity'
        when electricity not between 0 and 1000000000 then 'OUT_OF_BOUNDS:electricity'
        when electricity % 0.001 <> 0 then 'TOO_MANY_PLACES:electricity'
        when households is null then 'FIELD_MISSING:households'
        when households not between 1 and 1000 then 'OUT_OF_BOUNDS:households'
        when households % 1 <> 0 then 'TOO_MANY_PLACES:households' end as reason
      from records))))"""


def shipped(name: str) -> MethodologyVersion:
    """Load a shipped version with the demonstration's parameters."""
    chosen = load_parameter_set(PARAMETERS.read_bytes())
    return load_version(folder(LIBRARY / f"{name}/1.0"), parameter_set=chosen)


def peers() -> list[Peer]:
    """Return the shipped A01 to A03, one with division and choice, and one whose bounds need more than 63 bits."""
    bus = BY_DISTANCE.format(
        unset="PARAMETER_UNSET:default_distance", otherwise="by_default_distance", factor=52
    )
    metro = BY_DISTANCE.format(unset="PARAMETER_UNSET:trip_reduction", otherwise="by_trip", factor=32)
    shared = made_up(
        fields=field("distance", "里程", high="300")
        + field("consumption", "油耗", low="0.01", high="0.3", places=4)
        + field("people", "人数", low="1", high="9", places=0)
        + FUEL,
        formula=SHARED_RIDE,
    )
    power = made_up(
        fields=field("electricity", "电量", high="1000000000")
        + field("households", "户数", low="1", high="1000", places=0),
        formula=POWER,
    )
    return [
        Peer(name="A01 bus", version=shipped("a01-bus"), records=RIDES, by_hand=bus),
        Peer(name="A02 metro", version=shipped("a02-metro"), records=RIDES, by_hand=metro),
        Peer(name="A03 bike", version=shipped("a03-bike"), records=RIDES, by_hand=BIKE),
        Peer(
            name="division, choice",
            version=load_version(shared),
            records=SHARED_RIDES,
            by_hand=SHARED_RIDE_BY_HAND,
        ),
        Peer(
            name="division, 20 digits",
            version=load_version(power),
            records=POWER_RECORDS,
            by_hand=POWER_BY_HAND,
        ),
    ]


def run(*, records: int, repeats: int) -> None:
    """Measure every peer and print a table of ratios."""
    print(
        f"DuckDB {duckdb.__version__}, {THREADS} threads, {records:,} records; load {os.getloadavg()[0]:.1f} at the start"
    )
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    for peer in peers():
        with duckdb.connect(config={"threads": THREADS}) as tables:
            tables.execute(f"create table records as {peer.records.format(records=records)}")
            compiled = sql(peer.version)
            for sink, statement in SINKS.items():
                pair = statement.format(peer.by_hand), statement.format(compiled)
                print(f"{peer.name:20} {sink:8} {_ratios(tables, pair, repeats)}", flush=True)
            _same(tables, peer.by_hand, compiled)


def _ratios(tables: duckdb.DuckDBPyConnection, pair: tuple[str, str], repeats: int) -> str:
    """Run the pair (by hand, compiled) by turns and say how much longer the second takes."""
    wall, processor, seconds = [], [], []
    for place in range(repeats + 1):
        hand, mine = (_timed(tables, statement) for statement in pair)
        if place:
            wall.append(mine[0] / hand[0])
            processor.append(mine[1] / hand[1])
            seconds.append(mine[0])
    return (
        f"{statistics.median(seconds):6.2f} s; × by hand {statistics.median(wall):.2f} [{min(wall):.2f}-{max(wall):.2f}], "
        f"processor {statistics.median(processor):.2f} [{min(processor):.2f}-{max(processor):.2f}]"
    )


def _timed(tables: duckdb.DuckDBPyConnection, statement: str) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    tables.execute(statement).fetchall()
    return time.perf_counter() - wall, time.process_time() - processor


def _same(tables: duckdb.DuckDBPyConnection, by_hand: str, compiled: str) -> None:
    for name, query in (("by_hand", by_hand), ("compiled", compiled)):
        tables.execute(f"create or replace table {name} as {query}")
    columns = "row_no, reason, variant, grams, remainder_g"
    unlike = " or ".join(f"h.{item} is distinct from c.{item}" for item in columns.split(", "))
    found = tables.execute(
        f"select count(*), count(*) filter ({unlike}) from by_hand h full join compiled c using (row_no)"
    ).fetchone()
    if found is None or found[1] or not found[0]:
        message = f"by hand and compiled differ: {found}"
        raise AssertionError(message)
