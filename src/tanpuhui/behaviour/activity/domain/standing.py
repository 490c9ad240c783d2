"""Where a scenario stands (场景状态): it runs, is suspended or closed, from days that people decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal

CHANGE_PROCESS = "scenario_standing"
CHANGE_SUBJECT = "scenario_standing"


class Standing(StrEnum):
    """Where a scenario stands (上线、暂停、关闭). Closed is the end."""

    LIVE = "live"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class ChangeState(StrEnum):
    """States of a proposed change."""

    PROPOSED = "proposed"
    DONE = "done"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


MAY_FOLLOW = {
    Standing.LIVE: frozenset({Standing.SUSPENDED, Standing.CLOSED}),
    Standing.SUSPENDED: frozenset({Standing.LIVE, Standing.CLOSED}),
    Standing.CLOSED: frozenset[Standing](),
}

REASON_OF = {Standing.SUSPENDED: "SCENARIO_SUSPENDED", Standing.CLOSED: "SCENARIO_CLOSED"}
"""Why intake refuses a record of a day on which its scenario did not run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRow:
    """One decision: from a day on, a scenario stands so."""

    standing: Standing
    from_day: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Days, first and last included (None: without end), on which a scenario stood so."""

    standing: Standing
    first_day: date
    last_day: date | None


def standing_on(rows: Sequence[StatusRow], day: date) -> Standing:
    """Return how a scenario stands on a day: the row decided last that speaks of it; without any, it runs.

    `rows` are in the order in which they were decided.
    """
    found = Standing.LIVE
    for row in rows:
        if row.from_day <= day:
            found = row.standing
    return found


def stops(rows: Sequence[StatusRow]) -> tuple[Span, ...]:
    """Return the days on which a scenario does not run, in order, none overlapping."""
    days = sorted({row.from_day for row in rows})
    spans: list[Span] = []
    for number, day in enumerate(days):
        found = standing_on(rows, day)
        last = days[number + 1] - timedelta(days=1) if number + 1 < len(days) else None
        if found is Standing.LIVE:
            continue
        if spans and spans[-1].standing is found and spans[-1].last_day == day - timedelta(days=1):
            spans[-1] = Span(standing=found, first_day=spans[-1].first_day, last_day=last)
        else:
            spans.append(Span(standing=found, first_day=day, last_day=last))
    return tuple(spans)


class StandingCannotFollow(Refusal):
    """The scenario cannot come from where it stands to where it should."""

    code = "STANDING_CANNOT_FOLLOW"
    zh = "场景“{scenario}”现在是“{now}”，不能变为“{wanted}”。"
    en = "The scenario {scenario} is {now} now and cannot become {wanted}."


class StandingChangeOpen(Refusal):
    """One change at a time."""

    code = "STANDING_CHANGE_OPEN"
    zh = "场景“{scenario}”已有一项状态变更等待复核。请先办完那一项。"
    en = "A change of the scenario {scenario} is waiting for the checker already. Settle that one first."


class DayPassed(Refusal):
    """A change begins today or later: records that were posted stay."""

    code = "DAY_PASSED"
    zh = "生效日 {day} 已经过去。请选择今天或以后的日期；已入账的记录不变。"
    en = "The day {day} has passed. Choose today or later; what was posted stays as it is."
