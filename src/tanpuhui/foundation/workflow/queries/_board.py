"""How the offices keep their time (时限看板): what is open and late by process and city, and how long each step takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, Min, Q, QuerySet
from django.db.models.functions import Left

from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import area_prefix
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.queries._criteria import CLOCK_STOPPED, Scope, week_end
from tanpuhui.foundation.workflow.queries._inbox import CITY_DIGITS
from tanpuhui.foundation.workflow.queries._search import in_scope

STEP_DAYS = 90
"""Steps that were taken in so many days are measured: a quarter shows how an office works now."""

REACH_DAYS = 3 * 366
"""A step that began longer ago than this before the first measured day is counted from then on."""


CHINA_OFFSET = f"{CHINA.utcoffset(None)}"
"""The time of China as an interval of PostgreSQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLine:
    """Running cases of one process in one city (first four digits): how many, and how they stand to their deadlines."""

    process: str
    city: str
    running: int
    due_this_week: int
    overdue: int
    stopped: int
    oldest_opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """How many working days a step took: half of the times at most `median_days`, nine in ten at most `p90_days`."""

    process: str
    state: str
    taken: int
    median_days: int
    p90_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The whole board; `unmeasured` steps touch a year whose holidays nobody has entered."""

    lines: tuple[BoardLine, ...]
    steps: tuple[StepTime, ...]
    unmeasured: int


def board(*, areas: tuple[str, ...], at: datetime, process: str = "", area: str = "") -> Board:
    """Return the board of the areas that somebody runs or watches, of one process and one area where asked."""
    steps, unmeasured = _steps(areas=areas, at=at, process=process, area=area)
    return Board(
        lines=_lines(areas=areas, at=at, process=process, area=area), steps=steps, unmeasured=unmeasured
    )


def _lines(*, areas: tuple[str, ...], at: datetime, process: str, area: str) -> tuple[BoardLine, ...]:
    today = business_day(at)
    running = in_scope(Scope(areas=areas)).filter(closed_at__isnull=True)
    if process:
        running = running.filter(process=process)
    if area:
        running = running.filter(area__startswith=area_prefix(area))
    week = Q(deadline_day__gte=today, deadline_day__lte=week_end(today))
    groups = _grouped(
        running,
        running=Count("id"),
        due=Count("id", filter=week),
        overdue=Count("id", filter=Q(deadline_day__lt=today)),
        oldest=Min("opened_at"),
    )
    stopped = {
        (group["process"], group["city"]): group["stopped"]
        for group in _grouped(running.filter(CLOCK_STOPPED), stopped=Count("id"))
    }
    return tuple(
        BoardLine(
            process=group["process"],
            city=group["city"],
            running=group["running"],
            due_this_week=group["due"],
            overdue=group["overdue"],
            stopped=stopped.get((group["process"], group["city"]), 0),
            oldest_opened_at=group["oldest"],
        )
        for group in groups
    )


def _grouped(rows: QuerySet[Case], **numbers: Aggregate) -> Sequence[Mapping[str, Any]]:
    """Return the numbers of each process in each city, in their order."""
    grouped = rows.annotate(city=Left("area", CITY_DIGITS)).values("process", "city").annotate(**numbers)
    return list(grouped.order_by("process", "city"))


def _steps(
    *, areas: tuple[str, ...], at: datetime, process: str, area: str
) -> tuple[tuple[StepTime, ...], int]:
    """Return the measured steps, and how many could not be measured for want of a calendar.

    A step begins with the decision before it, or with the opening; both ends are counted in the days of China.
    """
    since = at - timedelta(days=STEP_DAYS)
    first = business_day(since) - timedelta(days=REACH_DAYS)
    days = rulebook.numbered_days(first, business_day(at))
    prefixes = [f"{area_prefix(one)}%" for one in areas]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with days (day, number, run) as (select * from unnest(%s::date[], %s::int[], %s::int[])),
            steps as (
                select c.process, d.from_state, (d.at at time zone %s::interval)::date as ended,
                    greatest((coalesce(p.at, c.opened_at) at time zone %s::interval)::date, %s::date) as began
                from workflow_decision d
                join workflow_case c on c.id = d.case_id
                left join workflow_decision p on p.case_id = d.case_id and p.step = d.step - 1
                where d.at > %s and d.at <= %s and d.rescinds_id is null
                    and c.area like any(%s) and c.area like %s and (%s = '' or c.process = %s)
            )
            select s.process, s.from_state, count(*), count(e.number),
                percentile_disc(0.5) within group (order by e.number - b.number),
                percentile_disc(0.9) within group (order by e.number - b.number)
            from steps s
            left join days b on b.day = s.began
            left join days e on e.day = s.ended and e.run = b.run
            group by 1, 2 order by 1, 2
            """,
            [
                [one.day for one in days],
                [one.number for one in days],
                [one.run for one in days],
                CHINA_OFFSET,
                CHINA_OFFSET,
                first,
                since,
                at,
                prefixes,
                f"{area_prefix(area)}%" if area else "%",
                process,
                process,
            ],
        )
        rows = cursor.fetchall()
    steps = tuple(
        StepTime(process=name, state=state, taken=measured, median_days=median, p90_days=p90)
        for name, state, _, measured, median, p90 in rows
        if measured
    )
    return steps, sum(taken - measured for _, _, taken, measured, _, _ in rows)
