from __future__ import annotations

import pytest

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes, floor_to_tonnes


def test_quantities_of_one_kind_add_and_compare() -> None:
    assert Grams(436) + Grams(864) == Grams(1300)
    assert Tonnes(2) - Tonnes(3) == Tonnes(-1)
    assert Points(1) < Points(2)
    assert Fen.total([Fen(1), Fen(2)]) == Fen(3)


@pytest.mark.parametrize("other", [Points(1), Tonnes(1), Fen(1), 1])
def test_another_kind_is_refused(other: object) -> None:
    with pytest.raises(TypeError):
        Grams(1) + other  # type: ignore[operator]
    with pytest.raises(TypeError):
        _ = Grams(1) < other  # type: ignore[operator]


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_only_whole_numbers_are_taken(value: object) -> None:
    with pytest.raises(TypeError):
        Grams(value)  # type: ignore[arg-type]


def test_equal_numbers_of_two_kinds_are_not_equal() -> None:
    assert Grams(1) != Points(1)


def test_tonnes_are_floored_and_the_remainder_kept() -> None:
    split = floor_to_tonnes(Grams(3_999_999))
    assert (split.tonnes, split.remainder) == (Tonnes(3), Grams(999_999))


def test_a_negative_sum_is_not_floored() -> None:
    with pytest.raises(ValueError, match="carried forward"):
        floor_to_tonnes(Grams(-1))
