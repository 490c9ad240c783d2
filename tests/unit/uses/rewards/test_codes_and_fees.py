"""Coupon codes survive being read aloud; a fee never costs a merchant a fen too much."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.uses.rewards.domain import CouponCodeMistyped, complete_code, normal_code, payment


@given(st.integers(0, 10**11 - 1), st.integers(0, 11), st.integers(1, 9))
def test_any_one_wrong_digit_is_noticed(number: int, place: int, shift: int) -> None:
    code = complete_code(f"{number:011d}")
    assert normal_code(f" {code[:4]}-{code[4:8]} {code[8:]}") == code
    wrong = code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :]
    with pytest.raises(CouponCodeMistyped):
        normal_code(wrong)


@pytest.mark.parametrize(
    "text", ["", "12345", "１２３４５６７８９０１２", "abcdefghijkl", "1" * 13, "x" * 5000]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(CouponCodeMistyped) as refused:
        normal_code(text)
    assert len(str(refused.value.data["coupon"])) <= 40


def test_the_fee_is_rounded_down_to_a_fen() -> None:
    paid = payment(Fen(1999), Fraction("1/100"))
    assert (paid.fee, paid.payable) == (Fen(19), Fen(1980))


@given(st.integers(0, 10**12), st.fractions(0, 1, max_denominator=10_000))
def test_fee_and_payable_are_the_face_value(face_value: int, share: Fraction) -> None:
    paid = payment(Fen(face_value), share)
    assert paid.fee + paid.payable == Fen(face_value)
    assert 0 <= paid.fee.value <= face_value * share


@pytest.mark.parametrize("share", [Fraction(-1, 100), Fraction(101, 100)])
def test_a_share_outside_zero_and_one_is_an_error(share: Fraction) -> None:
    with pytest.raises(ValueError, match="share"):
        payment(Fen(1), share)
