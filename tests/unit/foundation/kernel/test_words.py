"""Words of two characters are found, phrases as they stand, numbers with and without zeros, and nothing breaks out."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tanpuhui.foundation.kernel.words import marked_spans, runs, search_document, search_query


def test_a_text_is_split_into_chinese_runs_words_and_numbers() -> None:
    assert runs("烟台市2026年第三季度，Bus-A ＰＤＦ") == ("烟台市", "2026", "年第三季度", "bus", "a", "pdf")


def test_a_run_becomes_its_pairs_and_its_last_character() -> None:
    assert search_document([("碳普惠", "A")]) == "'碳普':1A '普惠':2A '惠':3A"


def test_a_number_stands_with_and_without_its_zeros_at_one_place() -> None:
    assert search_document([("SD-2026-000123", "A")]) == "'sd':1A '2026':2A '000123':3A '123':3A"


def test_texts_lie_a_place_apart_so_that_no_phrase_crosses_them() -> None:
    assert search_document([("公交", "A"), ("地铁", "C")]) == "'公交':1A '交':2A '地铁':4C '铁':5C"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("公交", "'公交'"),
        ("碳普惠", "('碳普' <-> '普惠')"),
        ("惠", "'惠':*"),
        ("SD 12", "'sd':* & '12':*"),
        ("公交 公交", "'公交'"),
        ("，。—", ""),
        ("", ""),
    ],
)
def test_a_query_asks_for_every_run(text: str, query: str) -> None:
    assert search_query(text) == query


def test_a_weight_that_postgresql_does_not_know_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no weight"):
        search_document([("公交", "Z")])


SPEAKS_TO_POSTGRESQL = set("'\\:&|!()<>* ")
"""What means something in a `tsvector` or `tsquery`; an unassigned character inside a block of Chinese ones does not."""


@given(st.text())
@example("\U0002ebe1")
def test_no_character_of_a_text_gets_outside_its_quotes(text: str) -> None:
    for made in (search_document([(text, "A")]), search_query(text)):
        assert made.count("'") == 2 * sum(1 for _ in made.split("'")[1::2])
        assert not any(set(word) & SPEAKS_TO_POSTGRESQL or word.isspace() for word in made.split("'")[1::2])


@given(st.text(), st.text())
def test_the_pieces_are_the_text(text: str, query: str) -> None:
    assert "".join(piece for piece, _ in marked_spans(text, query)) == text


def test_what_was_asked_for_is_marked_whatever_its_case() -> None:
    assert marked_spans("公交 Bus 公司", "bus 公交") == (
        ("公交", True), (" ", False), ("Bus", True), (" 公司", False),
    )  # fmt: skip
