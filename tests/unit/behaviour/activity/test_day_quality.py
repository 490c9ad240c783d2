"""What of a day's data is out of line: beyond its limit, never at it, and compared only where there is enough before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from tanpuhui.behaviour.activity.domain.day_quality import DayFigures, QualityLimits, alerts

DAY = date(2026, 11, 20)
USUAL = DayFigures(
    day=DAY, rows=100, accepted=90, duplicates=6, rejected=4, counted=90, grams=36_000, delay_days=90, dated=90
)  # fmt: skip
BEFORE = [replace(USUAL, day=DAY - timedelta(days=n)) for n in range(1, 6)]
LIMITS = QualityLimits(
    volume_share_min=Fraction(1, 2), volume_share_max=Fraction(2), duplicate_share_max=Fraction(6, 100),
    rejected_share_max=Fraction(4, 100), delay_days_max=Fraction(1), drift_share_max=Fraction(1, 10),
)  # fmt: skip


def test_a_usual_day_is_in_line() -> None:
    assert alerts(USUAL, BEFORE, LIMITS) == ()


@pytest.mark.parametrize(
    ("figures", "seen"),
    [
        (replace(USUAL, rows=200, duplicates=12, rejected=8), ()),
        (replace(USUAL, rows=201, duplicates=0, rejected=0), ("VOLUME_HIGH",)),
        (replace(USUAL, rows=50, duplicates=3, rejected=2), ()),
        (replace(USUAL, rows=49, duplicates=0, rejected=0), ("VOLUME_LOW",)),
        (replace(USUAL, duplicates=7), ("DUPLICATES",)),
        (replace(USUAL, rejected=5), ("REJECTED",)),
        (replace(USUAL, delay_days=91), ("DELAY",)),
        (replace(USUAL, grams=39_600), ()),
        (replace(USUAL, grams=39_601), ("DRIFT",)),
        (replace(USUAL, grams=32_399), ("DRIFT",)),
    ],
)
def test_only_what_is_beyond_its_limit_is_told(figures: DayFigures, seen: tuple[str, ...]) -> None:
    assert alerts(figures, BEFORE, LIMITS) == seen


def test_nothing_is_told_where_the_rules_set_no_limit() -> None:
    worst = replace(USUAL, rows=1, duplicates=1, rejected=1, grams=1, delay_days=9_999)
    assert alerts(worst, BEFORE, QualityLimits()) == ()


def test_a_day_without_data_is_few_and_has_no_shares() -> None:
    nothing = DayFigures(
        day=DAY, rows=0, accepted=0, duplicates=0, rejected=0, counted=0, grams=0, delay_days=0, dated=0
    )
    assert alerts(nothing, BEFORE, LIMITS) == ("VOLUME_LOW",)
    assert nothing.score is None


def test_with_fewer_than_five_days_before_volume_and_drift_are_not_judged() -> None:
    odd = replace(USUAL, rows=1_000, duplicates=0, rejected=0, grams=1)
    assert alerts(odd, BEFORE[:4], LIMITS) == ()
    empty = replace(USUAL, rows=0, counted=0, grams=0)
    assert alerts(odd, [*BEFORE[:4], empty], LIMITS) == (), "a day without data is no day to compare with"
