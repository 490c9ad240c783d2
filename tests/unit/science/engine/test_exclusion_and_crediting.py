"""Of results that exclude one another one side counts; a project's periods become tonnes and carry the rest."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.foundation.kernel.quantities import GRAMS_PER_TONNE, Grams
from tanpuhui.science.engine.crediting import credit
from tanpuhui.science.engine.exclusion import Claim, excluded
from tanpuhui.science.engine.model import NO_WORDS, Crediting, Exclusion

CARRIES = Crediting(rule="floor", carried=("remainder", "negative"), length=NO_WORDS, clause="")
LAPSES = Crediting(rule="floor", carried=("negative",), length=NO_WORDS, clause="")


def group(keep: Literal["greatest", "evidence", "first"] = "greatest") -> Exclusion:
    return Exclusion(group="car", side="", scope="account", period="day", keep=keep, clause="")


def claim(code: str, grams: int, *, side: str = "", tier: int = 1, order: int = 0) -> Claim:
    return Claim(id=code, side=side, grams=Grams(grams), tier=tier, order=order)


TRIPS = [claim("bus", 436, side="trips"), claim("metro", 864, side="trips", order=1)]


def test_two_trips_together_stand_against_the_day_without_a_car() -> None:
    assert excluded(group(), [*TRIPS, claim("day", 1200, side="no_drive")]) == {"day": "EXCLUDED:car"}
    lost = excluded(group(), [*TRIPS, claim("day", 1400, side="no_drive")])
    assert lost == {"bus": "EXCLUDED:car", "metro": "EXCLUDED:car"}


def test_without_a_side_each_result_stands_for_itself() -> None:
    assert set(excluded(group(), [claim("phone", 300), claim("watch", 320)])) == {"phone"}


def test_the_best_evidence_or_the_first_counts_where_the_group_says_so() -> None:
    claims = [claim("photo", 900, tier=3), claim("card", 400, tier=1, order=1)]
    assert set(excluded(group("evidence"), claims)) == {"photo"}
    assert set(excluded(group("first"), claims)) == {"card"}


@given(st.permutations([claim("a", 5), claim("b", 5), claim("c", 5, order=1), claim("d", 4)]))
def test_the_winner_does_not_depend_on_the_order_of_reading(claims: list[Claim]) -> None:
    assert set(excluded(group(), claims)) == {"b", "c", "d"}


def test_a_negative_period_is_netted_before_anything_is_issued() -> None:
    first = credit(CARRIES, period=Grams(-1_500_000), carried=Grams(200_000))
    assert (first.tonnes.value, first.remainder.value) == (0, -1_300_000)
    second = credit(CARRIES, period=Grams(3_900_000), carried=first.remainder)
    assert (second.tonnes.value, second.remainder.value) == (2, 600_000)


def test_a_remainder_lapses_only_where_the_version_does_not_carry_it() -> None:
    assert credit(LAPSES, period=Grams(1_900_000), carried=Grams(0)).remainder == Grams(0)
    assert credit(LAPSES, period=Grams(-5), carried=Grams(0)).remainder == Grams(-5)


@given(st.lists(st.integers(-(10**12), 10**12), max_size=20))
def test_over_all_periods_no_gram_is_issued_twice_and_none_is_lost(periods: list[int]) -> None:
    issued, carried = 0, Grams(0)
    for period in periods:
        whole = credit(CARRIES, period=Grams(period), carried=carried)
        issued, carried = issued + whole.tonnes.value, whole.remainder
        assert carried < Grams(GRAMS_PER_TONNE)
    assert issued * GRAMS_PER_TONNE + carried.value == sum(periods)
