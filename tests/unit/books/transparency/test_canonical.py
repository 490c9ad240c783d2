"""Canonical JSON: one text for one value, no binary floats, and a strict reader."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.books.transparency.domain.canonical import (
    DOCUMENT_BYTES_MAX,
    SAFE_INTEGER_MAX,
    NotCanonical,
    Unreadable,
    canonical,
    instant,
    is_instant,
    parse,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE_INTEGER_MAX, SAFE_INTEGER_MAX) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back_and_written_the_same(value: object) -> None:
    text = canonical(value)
    assert parse(text) == value
    assert canonical(parse(text)) == text
    assert canonical(json.loads(json.dumps(value, indent=3))) == text


def test_members_are_ordered_by_utf_16_as_the_rfc_says() -> None:
    """RFC 8785, 3.2.3: the surrogate pair of an emoji sorts before U+FB33, though its code point is larger."""
    assert (
        canonical({"\ufb33": 1, "\U0001f600": 2, "€": 3, "1": 4})
        == '{"1":4,"€":3,"\U0001f600":2,"\ufb33":1}'.encode()
    )


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        0.1,
        float("nan"),
        SAFE_INTEGER_MAX + 1,
        -SAFE_INTEGER_MAX - 1,
        Decimal(1),
        b"x",
        {1: "x"},
        {1, 2},
        "\ud800",
    ],
)
def test_what_has_no_exact_form_is_refused_wherever_it_stands(value: object) -> None:
    for wrapped in (value, [value], {"a": {"b": [value]}}):
        with pytest.raises(NotCanonical):
            canonical(wrapped)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"1.0",
        b"1e0",
        b"-0",
        b"NaN",
        b"Infinity",
        b"9007199254740992",
        b"1" * 5000,
        b'{"a":1',
        b"",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"[" * 100_000,
        b" " * (DOCUMENT_BYTES_MAX + 1),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(text: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_a_moment_has_one_form() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert instant(datetime(2026, 11, 20, 10, 0, tzinfo=shanghai)) == "2026-11-20T02:00:00.000000Z"
    assert instant(datetime(2026, 11, 20, 2, 0, 0, 5, tzinfo=UTC)) == "2026-11-20T02:00:00.000005Z"
    with pytest.raises(NotCanonical):
        instant(datetime(2026, 11, 20))  # noqa: DTZ001  the case under test
    assert is_instant("2026-11-20T02:00:00.000005Z")
    for other in (
        "2026-11-20T02:00:00Z",
        "2026-11-20T02:00:00.000005+00:00",
        "2026-13-20T02:00:00.000005Z",
        5,
        None,
    ):
        assert not is_instant(other)
