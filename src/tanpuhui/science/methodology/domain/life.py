"""What becomes of a filed version (备案之后): suspended, resumed, superseded, repealed. The filed row itself never changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.science.methodology.domain.versions import NoFiledMethodology

LIFE_PROCESS = "methodology_life"


class StatusKind(StrEnum):
    """What a status row says from its day on."""

    SUSPENDED = "suspended"
    RESUMED = "resumed"
    SUPERSEDED = "superseded"
    REPEALED = "repealed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEntry:
    """One status row. `usable_until` is the last day on which what ran before `effective_on` may go on with the version."""

    kind: str
    effective_on: date
    usable_until: date | None


def standing_on(entries: Iterable[StatusEntry], *, day: date, started_on: date) -> StatusKind | None:
    """Return why a filed version may not be used on a day for what started on a day, None where it may.

    `entries` are in the order of their recording. Suspension stops everything until the version is resumed. Repeal and
    supersession stop what starts on or after their day; what ran before goes on until its last day, which for a repeal
    without one is the day before.
    """
    suspended = False
    for entry in entries:
        if entry.effective_on > day:
            continue
        if entry.kind in {StatusKind.SUSPENDED, StatusKind.RESUMED}:
            suspended = entry.kind == StatusKind.SUSPENDED
        elif entry.kind in {StatusKind.SUPERSEDED, StatusKind.REPEALED}:
            runs_on = entry.usable_until is not None and day <= entry.usable_until
            if started_on >= entry.effective_on or not runs_on:
                return StatusKind(entry.kind)
    return StatusKind.SUSPENDED if suspended else None


def anniversary(day: date, years: int) -> date:
    """Return the same day so many years later; 29 February becomes 28 February in a year without one."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


class VersionStanding(Refusal):
    """What is to be done with a filed version does not fit how it stands."""

    code = "VERSION_STANDING"
    zh = "方法学 {filing_number} 现为“{status}”，不能这样办理。"
    en = "The methodology {filing_number} is {status} now, so this cannot be done."


class MethodologyNotInForce(NoFiledMethodology):
    """The filed version that would hold is suspended or repealed; no other is taken in its place."""

    code = "METHODOLOGY_NOT_IN_FORCE"
    zh = "场景 {scenario} 在 {day} 应适用的方法学 {filing_number} 处于“{status}”，不能核算，也不以别的版本代替。"
    en = (
        "The methodology {filing_number} that would hold for the scenario {scenario} on {day} is {status}; nothing is "
        "calculated, and no other version takes its place."
    )


class TransitionRuleMissing(Refusal):
    """A revision says what becomes of the version before it."""

    code = "TRANSITION_RULE_MISSING"
    zh = (
        "{filing_number} 是本方法学现行的备案版本。请写明它自哪一天起不再用于新项目、在办项目可以用到哪一天。"
    )
    en = (
        "{filing_number} is the filed version in force. Say from which day it is closed to new projects, and until which day "
        "running ones may use it."
    )
