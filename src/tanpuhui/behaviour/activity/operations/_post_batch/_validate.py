"""Step 2, validate (校验): the envelope of each row, in a fixed order of checks; the first fault is the reason."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters import ENVELOPE, TRACES
from tanpuhui.behaviour.activity.adapters.calculator import is_formula
from tanpuhui.behaviour.activity.adapters.tables import case, quoted
from tanpuhui.behaviour.activity.domain.agreements import NO_AGREEMENT
from tanpuhui.behaviour.activity.domain.standing import REASON_OF
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.rulebook import queries as rulebook

CELL_CHARACTERS_MAX = 200
REQUIRED = ("record_id", "subject", "scenario", "started_at")
LEVELS = ("province", "city", "county")

_MACROS = """
create macro is_moment(b) as b[5] = '-' and b[8] = '-' and b[11] in ('T', ' ') and b[14] = ':'
  and (length(b) = 16 or (b[17] = ':' and (length(b) = 19 or (b[20] = '.' and length(b) between 21 and 26))));
create macro local_moment(b) as case when is_moment(b) then try_cast(b as timestamp) end;
create macro zone_length(t) as case when t[-1] = 'Z' then 1 when t[-6] in ('+', '-') then 6
  when t[-5] in ('+', '-') and length(t) > 20 then 5 else 0 end;
create macro zone_minutes(t) as case when t[-1] = 'Z' then 0
  else (case when t[-zone_length(t)] = '-' then -1 else 1 end)
    * (60 * try_cast(substr(t, 1 - zone_length(t), 2) as integer) + try_cast(right(t, 2) as integer)) end;
create macro moment(t) as case
  when right(t, 6) = '+08:00' then local_moment(left(t, length(t) - 6))
  when zone_length(t) = 0 then local_moment(t)
  else local_moment(left(t, length(t) - zone_length(t))) + to_minutes(480 - zone_minutes(t)) end;
"""
"""Times are read as local time in China; one without zone is taken as such, another zone is converted.

The engine's own cast would drop the zone and take names of zones, so the form is checked place by place.
"""


def validate(desk: Desk, fields: tuple[str, ...]) -> None:
    """Turn `raw` (text) into `judged` and its view `good`: rows whose envelope can be used.

    `fields` are the field codes of the methodologies in question; their cells are judged with the version.
    """
    lay_down_terms(desk)
    judge(desk, fields)


def judge(desk: Desk, fields: tuple[str, ...]) -> None:
    """Judge every row by the terms that lie on the desk. Only the tables are used, so that another thread can do it."""
    names = tuple(dict.fromkeys((*ENVELOPE, *TRACES, *fields)))
    stopped = any(feed.stops or feed.unagreed for feed in desk.feeds.values())
    local_now = desk.received_at.astimezone(CHINA).replace(tzinfo=None).isoformat(sep=" ")
    desk.tables.execute(
        "create table judged as select s.row_number, s.person, s.scenario, s.evidence_tier, s.area, s.started, s.ended, "
        f"s.started::date as day, {_fault(names, local_now, stopped)} as fault from ("
        "select x.* replace (case when x.area = '' then coalesce(f.default_area, '') else x.area end as area), "
        f"f.evidence_tier, f.earliest, {_moment('x.started_at')} as started, "
        f"case when x.ended_at = '' then {_moment('x.started_at')} else {_moment('x.ended_at')} end as ended "
        "from raw as x left join feed as f using (scenario)) as s "
        "left join region as r on r.code = s.area"
        + (
            " left join stop as p on p.scenario = s.scenario and s.started::date between p.first_day and p.last_day"
            if stopped
            else ""
        )
    )
    shown = case([(f"split_part(fault, ':', 2) = '{name}'", f"x.{quoted(name)}") for name in names], "''")
    desk.settle_from(
        "select j.row_number, split_part(fault, ':', 1) as reason, split_part(fault, ':', 2) as field, "
        f"{shown} as value from (select row_number, fault from judged where fault is not null) as j "
        "join raw as x using (row_number)"
    )
    desk.tables.execute("create view good as select * exclude (fault) from judged where fault is null")
    desk.tables.execute(
        "create view seen as select x.* exclude (person) replace (j.area as area) from raw as x "
        "join judged as j using (row_number)"
    )


def _moment(cell: str) -> str:
    """Return SQL for a moment in local time; the form that is asked for is read twelve times as fast as the others."""
    return (
        f"case when length({cell}) = 25 then coalesce(try_strptime({cell}, '%Y-%m-%dT%H:%M:%S+08:00'), moment({cell})) "
        f"else moment({cell}) end"
    )


def lay_down_terms(desk: Desk) -> None:
    """Give the tables the words for moments, what this partner may send, the days on which a scenario does not run, the regions in force."""
    desk.tables.execute(_MACROS)
    today = business_day(desk.received_at)
    feeds = list(desk.feeds.values())
    earliest = [
        today - timedelta(days=feed.lateness_days_max) if feed.lateness_days_max is not None else None
        for feed in feeds
    ]
    feed = pa.table(
        {
            "scenario": pa.array([feed.scenario for feed in feeds], pa.string()),
            "evidence_tier": pa.array([feed.evidence_tier for feed in feeds], pa.int16()),
            "default_area": pa.array([feed.default_area for feed in feeds], pa.string()),
            "earliest": pa.array(earliest, pa.date32()),
        }
    )
    codes = [region.code for level in LEVELS for region in rulebook.regions(level=level, at=today)]
    desk.tables.register("feed_terms", feed)
    desk.tables.execute("create table feed as select * from feed_terms")
    stops = [
        (one.scenario, REASON_OF[stop.standing], stop.first_day, stop.last_day or date.max)
        for one in feeds
        for stop in one.stops
    ]
    stops += [(one.scenario, NO_AGREEMENT, gap.first, gap.last) for one in feeds for gap in one.unagreed]
    kinds = {
        "scenario": pa.string(),
        "reason": pa.string(),
        "first_day": pa.date32(),
        "last_day": pa.date32(),
    }
    stop = pa.table(
        {
            name: pa.array([one[place] for one in stops], kind)
            for place, (name, kind) in enumerate(kinds.items())
        }
    )
    desk.tables.register("stop_spans", stop)
    desk.tables.execute("create table stop as select * from stop_spans")
    desk.tables.register("region_codes", pa.table({"code": pa.array(codes, pa.string())}))
    desk.tables.execute("create table region as select distinct code from region_codes")


def _fault(names: tuple[str, ...], local_now: str, stopped: bool) -> str:
    """Return SQL for "REASON:column" of the first fault, null for none.

    Cells are looked at one by one only where one pass over all of them found something to look at.
    """
    common = [name for name in names if name in {*ENVELOPE, *TRACES}]
    # Bytes are quicker to count than characters, and never fewer.
    longest = f"greatest({', '.join(f'strlen(s.{quoted(name)})' for name in names)})"
    signs = " or ".join(f"ascii(s.{quoted(name)}) in (43, 45, 61, 64)" for name in common)
    nul = " or ".join(f"contains(s.{quoted(name)}, chr(0))" for name in common)
    one_by_one = [(f"contains(s.{quoted(name)}, chr(0))", f"'BAD_ENCODING:{name}'") for name in common]
    one_by_one += [
        (f"length(s.{quoted(name)}) > {CELL_CHARACTERS_MAX}", f"'VALUE_TOO_LONG:{name}'") for name in names
    ]
    one_by_one += [(is_formula(f"s.{quoted(name)}"), f"'FORMULA_CELL:{name}'") for name in common]
    branches = [(f"s.{quoted(name)} = ''", f"'MISSING_FIELD:{name}'") for name in REQUIRED]
    branches += [
        ("s.evidence_tier is null", "'UNKNOWN_SCENARIO:scenario'"),
        ("s.started is null", "'BAD_TIME:started_at'"),
        ("s.ended is null", "'BAD_TIME:ended_at'"),
        ("s.ended < s.started", "'TIME_ORDER:ended_at'"),
        (f"s.started > timestamp '{local_now}'", "'FUTURE_TIME:started_at'"),
        (f"s.ended > timestamp '{local_now}'", "'FUTURE_TIME:ended_at'"),
        *([("p.reason is not null", "p.reason || ':started_at'")] if stopped else []),
        ("s.earliest is null", "'PARAMETER_UNSET:intake.lateness_days_max'"),
        ("s.started::date < s.earliest", "'TOO_LATE:started_at'"),
        ("s.area = ''", "'MISSING_FIELD:area'"),
        ("r.code is null", "'UNKNOWN_AREA:area'"),
    ]
    suspicious = f"{longest} > {CELL_CHARACTERS_MAX} or {signs} or {nul}"
    return case([(suspicious, case([*one_by_one, *branches]))], case(branches))
