"""Parquet as a source: exact values as text, and what cannot be exact is refused."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import FileRead, format_of, read_file
from tanpuhui.behaviour.activity.domain import FileUnusable

LIMITS = Limits(file_bytes_max=10_000_000, line_bytes_max=1000)
WANTED = ("record_id", "started_at", "distance_km", "line")


def parquet(**columns: Any) -> io.BytesIO:
    stream = io.BytesIO()
    pa.parquet.write_table(pa.table(columns), stream)
    stream.seek(0)
    return stream


def read(stream: io.BytesIO, *, limits: Limits = LIMITS) -> FileRead:
    return read_file(stream, file_format="parquet", limits=limits, wanted=WANTED, required=("record_id",))


def test_values_become_text_digit_by_digit_and_rows_are_numbered_from_one() -> None:
    moment = datetime(2026, 11, 18, 0, 0, 30, tzinfo=UTC)
    found = read(
        parquet(
            record_id=["a", "b"],
            started_at=pa.array([moment, None], pa.timestamp("ms", tz="UTC")),
            distance_km=pa.array([Decimal("8.40"), Decimal("0.05")], pa.decimal128(9, 2)),
            line=[7, 8],
            unknown=[[1], [2]],
        )
    )
    assert found.table.to_pydict() == {
        "row_number": [1, 2],
        "record_id": ["a", "b"],
        "started_at": ["2026-11-18T08:00:30+08:00", None],
        "distance_km": ["8.40", "0.05"],
        "line": ["7", "8"],
    }


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"record_id": ["a"], "distance_km": [8.4]}, "FLOAT_COLUMN"),
        ({"record_id": [["a"]]}, "COLUMN_TYPE"),
        ({"line": ["a"]}, "MISSING_COLUMN"),
        ({"record_id": pa.array([], pa.string())}, "EMPTY_FILE"),
    ],
)
def test_what_cannot_be_read_exactly_is_refused_by_name(columns: dict[str, Any], fault: str) -> None:
    with pytest.raises(FileUnusable) as refused:
        read(parquet(**columns))
    assert refused.value.fault == fault


def test_a_damaged_file_and_one_that_is_too_large_are_refused() -> None:
    with pytest.raises(FileUnusable) as damaged:
        read(io.BytesIO(b"PAR1 and nothing of the kind"))
    assert damaged.value.fault == "BAD_PARQUET"
    with pytest.raises(FileUnusable) as large:
        read(
            parquet(record_id=[str(n) for n in range(1000)]),
            limits=Limits(file_bytes_max=100, line_bytes_max=9),
        )
    assert large.value.fault == "FILE_TOO_LARGE"


def test_the_name_or_the_media_type_tells_the_format() -> None:
    assert format_of("rides.parquet", "application/octet-stream") == "parquet"
    assert format_of("rides", "application/vnd.apache.parquet") == "parquet"
