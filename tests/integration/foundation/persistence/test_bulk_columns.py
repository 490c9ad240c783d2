"""Columns go to the database and come back as they were; a value that is missing is never passed over."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection

from tanpuhui.foundation.persistence.bulk import copy_in, copy_payloads, days, fetch_columns

pytestmark = pytest.mark.django_db
KINDS = {"n": "int8", "small": "int2", "day": "date", "key": "bytes4"}


def test_columns_come_back_as_they_went_and_payloads_keep_every_byte() -> None:
    size = 1000
    made = np.random.default_rng(3)
    sent = {
        "n": made.integers(-(2**62), 2**62, size),
        "small": made.integers(-9, 9, size).astype(np.int16),
        "day": days(np.datetime64("1990-01-01") + made.integers(0, 20_000, size).astype("timedelta64[D]")),
        "key": np.frombuffer(made.bytes(4 * size), "V4"),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table sheet (n bigint, small smallint, day date, key bytea) on commit drop"
        )
        copy_in(cursor, "sheet", KINDS, sent)
        found = fetch_columns(
            cursor, "select n, small, day, key from sheet where n <> %s order by n", KINDS, [0]
        )
        cursor.execute("create temporary table payload (name text, content bytea) on commit drop")
        copy_payloads(
            cursor, "payload", {"name": "text", "content": "bytea"}, [("甲", b"\0\\x'\n"), ("", b"")]
        )
        cursor.execute("select name, content from payload order by name")
        payloads = [(name, bytes(content)) for name, content in cursor.fetchall()]
    order, back = np.argsort(sent["n"]), np.argsort(found["n"])
    for name in ("n", "small", "day"):
        assert (found[name][back] == sent[name][order]).all()
    assert found["key"][back].tobytes() == sent["key"][order].tobytes()
    assert payloads == [("", b""), ("甲", b"\0\\x'\n")]


@pytest.mark.parametrize("value", ["null::bytea", "'\\x0102'::bytea"])
def test_a_missing_value_or_one_of_another_width_is_an_error_and_not_a_shifted_column(value: str) -> None:
    with connection.cursor() as cursor, pytest.raises(ValueError, match="null or not of its width"):
        fetch_columns(cursor, f"select 1::bigint, {value}", {"n": "int8", "key": "bytes4"})


def test_no_rows_are_empty_columns() -> None:
    with connection.cursor() as cursor:
        found = fetch_columns(cursor, "select 1::bigint where false", {"n": "int8"})
    assert found["n"].tolist() == []
