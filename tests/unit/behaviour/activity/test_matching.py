"""The best record counts, what conflicts with it loses to it, and a loser excludes nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.domain.matching import NOBODY, Kind, winners


def one_by_one(rank: list[int], pairs: set[tuple[int, int]]) -> list[int]:
    """Take the records in order of rank, as the rule is said in words."""
    counted: list[int] = []
    won_by = [NOBODY] * len(rank)
    for place in sorted(range(len(rank)), key=lambda one: rank[one]):
        against = [other for other in counted if (place, other) in pairs or (other, place) in pairs]
        if against:
            won_by[place] = min(against, key=lambda one: rank[one])
        else:
            counted.append(place)
    return won_by


@st.composite
def conflicts(draw: st.DrawFn) -> tuple[list[int], set[tuple[int, int]]]:
    size = draw(st.integers(1, 12))
    rank = draw(st.permutations(range(size)))
    places = st.integers(0, size - 1)
    pairs = draw(st.sets(st.tuples(places, places).filter(lambda pair: pair[0] < pair[1])))
    return list(rank), pairs


@given(conflicts())
def test_all_at_once_gives_what_one_by_one_gives(case: tuple[list[int], set[tuple[int, int]]]) -> None:
    rank, pairs = case
    first = np.array([pair[0] for pair in sorted(pairs)], np.int64)
    second = np.array([pair[1] for pair in sorted(pairs)], np.int64)
    assert winners(np.array(rank, np.int64), first, second).tolist() == one_by_one(rank, pairs)


def test_a_loser_excludes_nobody() -> None:
    # 0 beats 1, and 1 would beat 2: with 1 gone, 2 counts.
    found = winners(np.array([0, 1, 2]), np.array([0, 1]), np.array([1, 2]))
    assert found.tolist() == [NOBODY, 0, NOBODY]


def test_a_kind_is_group_and_name() -> None:
    assert Kind.parse("travel/bus") == Kind(group="travel", name="bus")
    with pytest.raises(ValueError, match="travel"):
        Kind.parse("travel")
