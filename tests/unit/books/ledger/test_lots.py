"""Points are used first in, first out, and a refund restores the very lots it came from."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.books.ledger.domain import open_lots
from tanpuhui.foundation.kernel.quantities import Points

FIRST = date(2026, 1, 1)


def lots(credited: list[tuple[int, int]], used: int) -> list[tuple[int, int]]:
    found = open_lots(
        [(FIRST + timedelta(days=day), Points(points)) for day, points in credited],
        Points(used),
        lambda day: day + timedelta(days=10),
    )
    assert all(lot.expires_on == lot.day + timedelta(days=10) for lot in found)
    return [((lot.day - FIRST).days, lot.points.value) for lot in found]


def test_the_oldest_points_go_first() -> None:
    assert lots([(3, 10), (1, 5), (2, 7)], 8) == [(2, 4), (3, 10)]


def test_credits_of_one_day_are_one_lot() -> None:
    assert lots([(1, 5), (1, 6)], 0) == [(1, 11)]


def test_nothing_is_left_when_all_is_used() -> None:
    assert lots([(1, 5), (2, 6)], 11) == []


@pytest.mark.parametrize("used", [12, -1])
def test_more_or_less_than_ever_was_is_an_error(used: int) -> None:
    with pytest.raises(ValueError, match="points were"):
        lots([(1, 5), (2, 6)], used)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10**9)), max_size=20),
    st.integers(0, 2**31),
    st.integers(0, 2**31),
)
def test_using_and_giving_back_conserves(credited: list[tuple[int, int]], used: int, back: int) -> None:
    total = sum(points for _, points in credited)
    used = min(used, total)
    back = min(back, used)
    assert sum(points for _, points in lots(credited, used)) == total - used
    before = dict(lots(credited, used - back))
    after = dict(lots(credited, used))
    assert all(before[day] >= points for day, points in after.items())
