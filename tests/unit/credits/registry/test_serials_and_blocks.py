from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.credits.registry.domain import NotEnoughUnits, Serial, SerialMalformed, Span, merged, take
from tanpuhui.foundation.kernel.quantities import Tonnes

spans = st.builds(
    lambda first, width: Span(first, first + width), st.integers(1, 99_999_000), st.integers(0, 900)
)
serials = st.builds(
    Serial, st.just("XXPH"), st.from_regex(r"\A[A-Z]{1,3}[0-9]{3,6}\Z"), st.integers(1990, 2100), spans
)


@given(serials)
def test_a_serial_reads_back_as_written(serial: Serial) -> None:
    assert Serial.parse(str(serial)) == serial
    assert Serial.parse(str(serial).lower()) == serial


@given(serials, st.data())
def test_one_wrong_digit_is_noticed(serial: Serial, data: st.DataObject) -> None:
    text = str(serial)
    places = [place for place, character in enumerate(text[:-1]) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
    with pytest.raises(SerialMalformed):
        Serial.parse(text[:place] + wrong + text[place + 1 :])


def test_the_holder_keeps_the_head_and_the_tail_is_taken() -> None:
    (piece,) = take([(1, Span(1, 3000))], Tonnes(1000))
    assert piece.taken == Span(2001, 3000)
    assert piece.left == Span(1, 2000)


def test_whole_blocks_go_first_and_only_the_last_is_split() -> None:
    first, second = take([(1, Span(1, 10)), (2, Span(21, 40))], Tonnes(15))
    assert (first.taken, first.left) == (Span(1, 10), None)
    assert (second.taken, second.left) == (Span(36, 40), Span(21, 35))


@pytest.mark.parametrize("quantity", [0, -1, 31])
def test_more_than_there_is_or_nothing_is_refused(quantity: int) -> None:
    with pytest.raises(NotEnoughUnits):
        take([(1, Span(1, 30))], Tonnes(quantity))


def test_neighbouring_spans_are_written_as_one() -> None:
    assert merged([Span(11, 20), Span(1, 10), Span(30, 31)]) == (Span(1, 20), Span(30, 31))
