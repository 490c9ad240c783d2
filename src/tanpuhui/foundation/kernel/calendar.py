"""Business days and months, in the scheme's own time zone (UTC+8). No clock: the caller gives the time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Self

CHINA = timezone(timedelta(hours=8), "UTC+8")
_MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")


def business_day(moment: datetime) -> date:
    """Return the day (in China) on which an aware moment falls."""
    if moment.tzinfo is None:
        message = "a moment without time zone has no business day"
        raise ValueError(message)
    return moment.astimezone(CHINA).date()


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, written 2026-11."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 2026-11; raises ValueError on anything else."""
        found = _MONTH.match(text)
        if found is None:
            message = f"a month is written 2026-11, not {text!r}"
            raise ValueError(message)
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """Return the month that a day lies in."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """Return the first day."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """Return the last day."""
        return (self.first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
