"""Every row of a programme's file gets one verdict, and a balance is converted exactly."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    VERDICTS,
    Bounds,
    converted,
    judge_row,
    read_rate,
    without_repeats,
)
from tanpuhui.foundation.kernel.errors import Invalid

GOOD = {
    "member_id": "M1", "phone": "13900000001", "area": "990102", "points": "12.50", "grams": "300",
    "as_of": "2026-10-31", "member_since": "2022-05-01",
}  # fmt: skip


def phone(text: str) -> str:
    if len(text) != 11:
        raise Invalid(field="phone", why="")
    return text


BOUNDS = Bounds(
    as_of=date(2026, 10, 31), area="990100", areas={"990102", "990201", "990100"}, normal_phone=phone
)


def verdict(**changed: str) -> str:
    return judge_row(2, {**GOOD, **changed}, BOUNDS).verdict


def test_a_good_row_keeps_its_balance_in_hundredths_and_its_history() -> None:
    row = judge_row(2, GOOD, BOUNDS)
    assert (row.verdict, row.hundredths, row.shown_grams, row.member_since) == (
        "",
        1250,
        300,
        date(2022, 5, 1),
    )
    bare = judge_row(3, {**GOOD, "grams": "", "member_since": ""}, BOUNDS)
    assert (bare.verdict, bare.shown_grams, bare.member_since) == ("", None, None)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("member_id", "", "MEMBER_MISSING"),
        ("member_id", "x" * 129, "MEMBER_TOO_LONG"),
        ("phone", "1390000000", "PHONE_INVALID"),
        ("area", "990199", "AREA_UNKNOWN"),
        ("area", "990201", "AREA_ELSEWHERE"),
        ("points", "", "POINTS_NOT_A_NUMBER"),
        ("points", "1e5", "POINTS_NOT_A_NUMBER"),
        ("points", "１２", "POINTS_NOT_A_NUMBER"),
        ("points", "=1+1", "POINTS_NOT_A_NUMBER"),
        ("points", "-0.01", "POINTS_NEGATIVE"),
        ("points", "1.005", "POINTS_PLACES"),
        ("points", "1234567890123", "POINTS_TOO_LARGE"),
        ("grams", "1.5", "GRAMS_NOT_WHOLE"),
        ("grams", "-3", "GRAMS_NOT_WHOLE"),
        ("as_of", "2026-10-30", "AS_OF_OTHER"),
        ("as_of", "2026-02-30", "DAY_INVALID"),
        ("member_since", "20220501", "DAY_INVALID"),
        ("member_since", "2026-11-01", "SINCE_AFTER_AS_OF"),
    ],
)
def test_a_wrong_value_has_its_own_reason_and_nothing_of_the_person_goes_further(
    field: str, value: str, expected: str
) -> None:
    row = judge_row(2, {**GOOD, field: value}, BOUNDS)
    assert row.verdict == expected
    assert (row.member_id, row.phone, row.area, row.hundredths) == ("", "", "", 0)
    assert expected in VERDICTS


@pytest.mark.parametrize("points", ["0", "-0", "0.00", "7.10", "000000000000007"])
def test_zero_and_written_zeros_are_no_fault(points: str) -> None:
    assert not verdict(points=points)


def test_a_day_as_a_workbook_gives_it_is_read() -> None:
    assert not verdict(as_of="2026-10-31T00:00:00")


def test_of_a_repeated_member_or_phone_no_row_counts() -> None:
    rows = [
        judge_row(2, GOOD, BOUNDS),
        judge_row(3, {**GOOD, "phone": "13900000002"}, BOUNDS),
        judge_row(4, {**GOOD, "member_id": "M2", "phone": "13900000003"}, BOUNDS),
        judge_row(5, {**GOOD, "member_id": "M3", "phone": "13900000003"}, BOUNDS),
        judge_row(6, {**GOOD, "member_id": "M4", "phone": "13900000004"}, BOUNDS),
        judge_row(7, {**GOOD, "member_id": "M4", "phone": "13900000005", "points": "x"}, BOUNDS),
    ]
    judged = [row.verdict for row in without_repeats(rows)]
    assert judged == [
        "MEMBER_REPEATED", "MEMBER_REPEATED", "PHONE_REPEATED", "PHONE_REPEATED", "", "POINTS_NOT_A_NUMBER"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rate"), [("1/3", Fraction(1, 3)), ("2", Fraction(2)), ("0.25", Fraction(1, 4))]
)
def test_a_rate_is_read_exactly_and_the_result_floored(text: str, rate: Fraction) -> None:
    assert read_rate(text) == rate
    assert converted(1250, rate) == int(Fraction(1250, 100) * rate)


@pytest.mark.parametrize("text", ["", "0", "0/3", "1/0", "-1", "1e3", "1/2/3", "0.1234567", "半"])
def test_no_other_text_is_a_rate(text: str) -> None:
    with pytest.raises(Invalid):
        read_rate(text)
