"""What a jurisdiction is, and why a rule cannot be used: values and refusals, without files or tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tanpuhui.foundation.kernel.errors import Refusal

CONFIDENCE = re.compile(r"S\d+(\+S\d+)*|GK-[HML]|DI|NOT ESTABLISHED|DEMO", re.ASCII)
"""The evidence tags of research/policy.md section 0, and DEMO for what only the demonstration assumes (演示值)."""

WEEKEND = frozenset({5, 6})
LEVELS = ("province", "city", "county")

ASK_KINDS = ("day", "number", "text")
"""What a value entered with a decision may be: a day (2027-01-31), a whole number, a text."""


class JurisdictionInvalid(Refusal):
    """A file of the jurisdiction folder cannot be read."""

    code = "JURISDICTION_INVALID"
    zh = "辖区资料有误：{file} 第 {line} 行：{why}。请改正后重新装载，本次没有装入任何内容。"
    en = "The jurisdiction folder is wrong at {file}, line {line}: {why}. Correct it and load again; nothing was loaded."


class RuleInForce(Refusal):
    """What was in force is not changed behind the back of what was decided by it."""

    code = "RULE_IN_FORCE"
    zh = "规则 {what} 自 {since} 起已经生效，不能就地修改。请用新的生效日期或新的版本号另列一条。"
    en = "The rule {what} has been in force since {since} and is not changed in place. Add a row with a new date or version."


class ParameterUnset(Refusal):
    """Nobody has set this value, so what depends on it waits for a person."""

    code = "PARAMETER_UNSET"
    zh = "规则参数 {key}{scope_text} 在 {day} 没有定值（{note}）。请由主管部门确定后写入辖区规则表，或由经办人在案件中决定并说明。"
    en = (
        "The rule parameter {key}{scope_text} has no value on {day} ({note}). The competent authority decides it and it is "
        "entered in the jurisdiction's rules, or a person decides on the case and says so."
    )


class ProcessUnknown(Refusal):
    """No version of this process is in force on that day."""

    code = "PROCESS_UNKNOWN"
    zh = "流程 {process} 在 {day} 没有生效的版本。请先装载辖区的流程。"
    en = "No version of the process {process} is in force on {day}. Load the jurisdiction's processes first."


class HolidaysUnset(Refusal):
    """The holidays of that year are not entered, so no working day of it can be counted."""

    code = "HOLIDAYS_UNSET"
    zh = "{year} 年的节假日安排还没有录入，不能推算工作日。请按国务院办公厅的通知录入后再试。"
    en = "The holidays of {year} are not entered, so working days cannot be counted. Enter the State Council's notice first."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitName:
    """What the certified unit is called from a day on, and by which text."""

    zh: str
    en: str
    valid_from: date
    basis: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubCentre:
    """A regional sub-centre (分中心): its seat and the areas assigned to it."""

    code: str
    seat: str
    name_zh: str
    name_en: str
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """A scheme's own names and codes. `unit_code` is None where no official code is established.

    `serial_prefix` is the platform's own prefix of numbers; `serial_prefix_note` says whose it is.
    """

    code: str
    area: str
    name_zh: str
    name_en: str
    scheme_zh: str
    scheme_en: str
    unit_names: tuple[UnitName, ...]
    unit_code: str | None
    unit_code_note: str
    serial_prefix: str
    serial_prefix_note: str
    sub_centres: tuple[SubCentre, ...]
    packs: tuple[str, ...]

    @property
    def unit_name_zh(self) -> str:
        """Return the Chinese name of the unit by the newest text."""
        return self.unit_names[-1].zh

    @property
    def unit_name_en(self) -> str:
        """Return the English name of the unit by the newest text."""
        return self.unit_names[-1].en

    def unit_name_on(self, day: date) -> UnitName:
        """Return the unit's name in force on a day; before the first text, the first name."""
        held = [name for name in self.unit_names if name.valid_from <= day]
        return held[-1] if held else self.unit_names[0]


def add_working_days(day: date, n: int, *, works: Mapping[date, bool]) -> date:
    """Return the n-th working day after a day; `works` holds the days that differ from their weekday.

    Raises HolidaysUnset where the count enters a year of which no such day is known.
    """
    if n < 0:
        message = "working days are counted forwards"
        raise ValueError(message)
    years = {known.year for known in works}
    while n > 0:
        day += timedelta(days=1)
        if day.year not in years:
            raise HolidaysUnset(year=day.year)
        n -= 1 if works.get(day, day.weekday() not in WEEKEND) else 0
    return day


def days_left(deadlines: Collection[date], *, today: date, works: Mapping[date, bool]) -> dict[date, int]:
    """Return the working days after today up to each deadline; below 0 the calendar days since it passed."""
    ahead = (max(deadlines, default=today) - today).days + 1
    days = (today + timedelta(days=number) for number in range(1, ahead))
    working = [day for day in days if works.get(day, day.weekday() not in WEEKEND)]
    return {
        due: sum(day <= due for day in working) if due >= today else (due - today).days for due in deadlines
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDay:
    """A day with the count of working days up to and with it; days of different `run`s cannot be compared."""

    day: date
    number: int
    run: int


def numbered_days(first: date, last: date, *, works: Mapping[date, bool]) -> tuple[NumberedDay, ...]:
    """Return the days between two with their working days counted, so that a difference of numbers is a span.

    Days of a year of which no holiday is known are left out, and a new run begins after them.
    """
    years = {known.year for known in works}
    found: list[NumberedDay] = []
    number = run = 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day.year not in years:
            run += 1 if found and found[-1].run == run else 0
            continue
        number += works.get(day, day.weekday() not in WEEKEND)
        found.append(NumberedDay(day=day, number=number, run=run))
    return tuple(found)


def working_days_between(start: date, end: date, *, works: Mapping[date, bool]) -> int:
    """Return how many working days lie after a day, up to and with another; 0 where the second is not later.

    Raises HolidaysUnset where a year between them has no entry.
    """
    years = {known.year for known in works}
    counted = 0
    for number in range(1, (end - start).days + 1):
        day = start + timedelta(days=number)
        if day.year not in years:
            raise HolidaysUnset(year=day.year)
        counted += works.get(day, day.weekday() not in WEEKEND)
    return counted


def unreachable_states(
    initial: str, states: Iterable[str], steps: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """Return the states that no run of transitions leads to, in the order given."""
    reached, border = {initial}, {initial}
    ways = tuple(steps)
    while border:
        border = {target for source, target in ways if source in border} - reached
        reached |= border
    return tuple(state for state in states if state not in reached)
