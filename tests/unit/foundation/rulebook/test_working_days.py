"""Working days: weekends, holidays and the weekend days that are worked instead."""

from __future__ import annotations

from datetime import date

import pytest

from tanpuhui.foundation.rulebook.domain import (
    HolidaysUnset,
    add_working_days,
    days_left,
    unreachable_states,
)

NATIONAL_DAY_2026 = {
    **{date(2026, 10, day): False for day in range(1, 8)},
    date(2026, 9, 20): True,
    date(2026, 10, 10): True,
}


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 9, 14), 0, date(2026, 9, 14)),
        (date(2026, 9, 14), 4, date(2026, 9, 18)),
        (date(2026, 9, 18), 1, date(2026, 9, 20)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 9, 30), 4, date(2026, 10, 12)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),
    ],
)
def test_holidays_are_passed_over_and_worked_weekends_count(day: date, n: int, expected: date) -> None:
    assert add_working_days(day, n, works=NATIONAL_DAY_2026) == expected


def test_a_year_without_entries_blocks_instead_of_guessing() -> None:
    assert add_working_days(date(2026, 12, 30), 1, works=NATIONAL_DAY_2026) == date(2026, 12, 31)
    with pytest.raises(HolidaysUnset, match="2027"):
        add_working_days(date(2026, 12, 30), 2, works=NATIONAL_DAY_2026)


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(date(2026, 9, 14), -1, works=NATIONAL_DAY_2026)


@pytest.mark.parametrize(
    ("today", "n"),
    [(date(2026, 9, 14), 4), (date(2026, 9, 18), 1), (date(2026, 9, 30), 4), (date(2026, 10, 3), 1)],
)
def test_as_many_days_are_left_as_the_deadline_gave(today: date, n: int) -> None:
    due = add_working_days(today, n, works=NATIONAL_DAY_2026)
    assert days_left([due, today], today=today, works=NATIONAL_DAY_2026) == {due: n, today: 0}


def test_what_is_overdue_counts_every_day() -> None:
    late = date(2026, 9, 30)
    assert days_left([late], today=date(2026, 10, 9), works=NATIONAL_DAY_2026) == {late: -9}
    assert days_left([], today=late, works={}) == {}


def test_a_state_that_only_leads_to_itself_is_unreachable() -> None:
    ways = [("a", "b"), ("c", "c"), ("b", "a")]
    assert unreachable_states("a", ["a", "b", "c"], ways) == ("c",)
