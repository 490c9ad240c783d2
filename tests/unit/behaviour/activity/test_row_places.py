"""Each row number of a slice is found where it stands, whether numbers lie close together or far apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.behaviour.activity.domain.row_places import RowPlaces


@given(st.lists(st.integers(2, 5_000), unique=True, min_size=1, max_size=300))
def test_every_number_is_found_at_its_place(numbers: list[int]) -> None:
    column = np.array(numbers, np.int64)
    wanted = column[np.argsort(np.sin(column))]
    assert column[RowPlaces(column).of(wanted)].tolist() == wanted.tolist()


@pytest.mark.parametrize("apart", [1, 3, 17, 1_000])
def test_a_long_file_is_indexed_as_a_short_one(apart: int) -> None:
    column = np.random.default_rng(7).permutation(np.arange(2, 100_000, dtype=np.int64)) * apart
    places = RowPlaces(column)
    assert (places.of(column) == np.arange(len(column))).all()
    assert places.of(column[:0]).tolist() == []


def test_no_numbers_have_no_places() -> None:
    assert RowPlaces(np.empty(0, np.int64)).of(np.empty(0, np.int64)).tolist() == []
