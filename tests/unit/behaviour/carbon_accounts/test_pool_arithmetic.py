"""Pools floor to whole tonnes, carry what is left, and commit to their postings."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.carbon_accounts.domain import (
    account_number,
    earliest_pooling,
    merkle_root,
    pool_sum,
    same_day_of_previous_month,
)
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes


@given(st.lists(st.integers(-(10**9), 10**10), max_size=12))
def test_a_chain_of_pools_loses_and_gains_no_gram(months: list[int]) -> None:
    carried, tonnes = Grams(0), 0
    for grams in months:
        summed = pool_sum(Grams(grams), carried)
        assert summed.tonnes >= Tonnes(0)
        assert summed.remainder < Grams(1_000_000)
        carried, tonnes = summed.remainder, tonnes + summed.tonnes.value
    assert tonnes * 1_000_000 + carried.value == sum(months)


def test_a_negative_month_gives_no_tonnes_and_lowers_the_next() -> None:
    first = pool_sum(Grams(-300), Grams(0))
    assert (first.tonnes, first.remainder) == (Tonnes(0), Grams(-300))
    second = pool_sum(Grams(1_000_200), first.remainder)
    assert (second.tonnes, second.remainder) == (Tonnes(0), Grams(999_900))


@pytest.mark.parametrize(("settle", "day"), [(0, date(2027, 1, 1)), (15, date(2027, 1, 16))])
def test_a_month_can_be_pooled_when_the_days_have_gone_by(settle: int, day: date) -> None:
    assert earliest_pooling(Month(2026, 12), settle) == day


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 3, 31), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 11, 20), date(2026, 10, 1), date(2026, 10, 20)),
        (date(2026, 1, 1), date(2025, 12, 1), date(2025, 12, 1)),
    ],
)
def test_the_month_before_is_compared_to_the_same_day(day: date, first: date, last: date) -> None:
    assert same_day_of_previous_month(day) == (first, last)


def test_the_root_is_that_of_rfc_6962() -> None:
    leaves = [bytes([n]) * 32 for n in range(3)]
    one, two, three = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves)
    pair = hashlib.sha256(b"\x01" + one + two).digest()
    assert merkle_root(leaves[:1]) == one
    assert merkle_root(leaves[:2]) == pair
    assert merkle_root(leaves) == hashlib.sha256(b"\x01" + pair + three).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=20, unique=True), st.data())
def test_the_root_changes_with_order_and_content(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 2))
    swapped = [*leaves]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert merkle_root(swapped) != merkle_root(leaves)
    assert merkle_root(leaves[:-1]) != merkle_root(leaves)


def test_an_account_number_carries_its_check_character() -> None:
    number = account_number("990102", 42)
    assert number == "9901020000000042" + check_character("9901020000000042")
    assert account_number("990102", 43)[-1] != number[-1]
