"""What a payload holds after traces were erased: nothing of the erased records, and all of the others."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from tanpuhui.behaviour.activity.adapters.chunks import (
    decode_payload,
    encode_payload,
    erased_rows,
    without_traces,
)


def traces() -> pa.Table:
    began = datetime(2026, 11, 18, 8, 0)  # noqa: DTZ001  stored as local time
    return pa.table(
        {
            "row": pa.array([1, 2, 3], pa.int64()),
            "record_id": ["SECRET-A", "R-2", "SECRET-C"],
            "started_at": pa.array([began, began, began], pa.timestamp("us")),
            "line": pa.array(["LINE-A", "L2", "LINE-C"]).dictionary_encode(),
            "odometer_km": pa.array([Decimal("7654321.1"), Decimal("1.0"), None], pa.decimal128(10, 1)),
        }
    )


@pytest.mark.parametrize("gone", [(True, False, False), (True, False, True), (True, True, True)])
def test_no_byte_of_an_erased_record_stays_and_the_others_are_whole(gone: tuple[bool, ...]) -> None:
    table = traces()
    payload = encode_payload(without_traces(table, np.array(gone), keep={"row"}))
    again = decode_payload(payload)
    assert erased_rows(again).tolist() == list(gone)
    assert again.column("row").to_pylist() == [1, 2, 3]
    for before, after, out in zip(table.to_pylist(), again.to_pylist(), gone, strict=True):
        assert after == ({**dict.fromkeys(before), "row": before["row"]} if out else before)
    held = b"".join(
        bytes(part)
        for name in again.column_names
        for chunk in again.column(name).chunks
        for part in chunk.buffers()
        if part is not None
    )
    assert b"SECRET-A" not in held
    assert b"LINE-A" not in held
    assert (76543211).to_bytes(4, "little") not in held
    assert b"SECRET-A" not in payload


def test_erasing_twice_gives_the_same_payload_as_erasing_at_once() -> None:
    first, second = np.array([True, False, False]), np.array([False, False, True])
    twice = without_traces(without_traces(traces(), first, keep={"row"}), second, keep={"row"})
    assert encode_payload(twice) == encode_payload(without_traces(traces(), first | second, keep={"row"}))
