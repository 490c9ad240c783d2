"""The days that no agreement covers: in order, none overlapping, all where there is no agreement."""

from __future__ import annotations

from datetime import date

from tanpuhui.behaviour.activity.domain.agreements import Days, uncovered


def days(first: str, last: str) -> Days:
    return Days(first=date.fromisoformat(first), last=date.fromisoformat(last))


def test_without_agreement_no_day_is_covered() -> None:
    assert uncovered([]) == (Days(first=date.min, last=date.max),)


def test_gaps_lie_before_between_and_after() -> None:
    held = [
        days("2026-07-01", "2026-12-31"),
        days("2026-01-01", "2026-05-31"),
        days("2026-03-01", "2026-04-01"),
    ]
    assert uncovered(held) == (
        Days(first=date.min, last=date(2025, 12, 31)),
        days("2026-06-01", "2026-06-30"),
        Days(first=date(2027, 1, 1), last=date.max),
    )


def test_what_has_no_end_leaves_no_gap_after_it() -> None:
    assert uncovered([Days(first=date(2026, 1, 1), last=date.max)]) == (
        Days(first=date.min, last=date(2025, 12, 31)),
    )


def test_an_agreement_that_ended_before_it_began_covers_nothing() -> None:
    assert uncovered([Days(first=date(2026, 2, 1), last=date(2026, 1, 1))]) == uncovered([])
