"""Columns over the wire are PostgreSQL's binary COPY format; equal numbers are kept once."""

from __future__ import annotations

import struct

import numpy as np

from tanpuhui.foundation.persistence.bulk import binary_rows, days, distinct


def test_a_row_is_its_fields_behind_their_lengths_and_one_number_stands_for_a_whole_column() -> None:
    content = binary_rows(
        {"account_id": "int8", "day": "date", "key": "bytes3", "fen": "int4"},
        {
            "account_id": np.array([3, -9], np.int64),
            "day": days(np.array(["2000-01-02", "1999-12-31"], "datetime64[D]")),
            "key": np.frombuffer(b"abc\0\0z", "V3"),
            "fen": 7,
        },
    )
    first = struct.pack(">hiqiii3sii", 4, 8, 3, 4, 1, 3, b"abc", 4, 7)
    second = struct.pack(">hiqiii3sii", 4, 8, -9, 4, -1, 3, b"\0\0z", 4, 7)
    assert content == b"PGCOPY\n\xff\r\n\0" + bytes(8) + first + second + b"\xff\xff"


def test_distinct_numbers_are_each_once_in_order() -> None:
    assert distinct(np.array([5, 1, 5, -2, 1])).tolist() == [-2, 1, 5]
    assert distinct(np.array([], np.int64)).tolist() == []
