"""Chunks (记录分块): records of one bucket of accounts as two Arrow IPC payloads, compressed with zstd."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute

AMOUNTS = (
    "row",
    "account_id",
    "day",
    "area",
    "verdict",
    "variant",
    "granted",
    "grams",
    "floor_g",
    "remainder_g",
)
"""Columns of *amounts* besides the methodology's fields that are amounts."""

TRACES = ("row", "record_id", "started_at", "ended_at", "line", "from_place", "to_place", "device")
"""Columns of *traces* besides the methodology's fields that are traces."""

KEYS = ("row", "account_id", "day", "granted")
"""What a calculation takes besides the methodology's fields: which record of whom, and the allowance left to it."""

RESULTS = ("row", "variant", "grams", "remainder_g")
"""What a calculation gives: the way it went, whole grams, and the remainder that the rounding left (余数)."""


NEW_RESULTS = ("row", "account_id", "day", "variant", "grams", "floor_g", "remainder_g", "reason")
"""Columns of results that were calculated again (重算结果)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """One encoded chunk."""

    bucket: int
    n_records: int
    amounts: bytes
    traces: bytes
    amounts_sha256: bytes
    traces_sha256: bytes
    inputs_sha256: bytes
    results_sha256: bytes


def encode_chunk(bucket: int, amounts: pa.Table, traces: pa.Table) -> Chunk:
    """Return the chunk of a bucket; both tables hold the same records in the same order."""
    first, second = encode_payload(amounts), encode_payload(traces)
    return Chunk(
        bucket=bucket,
        n_records=amounts.num_rows,
        amounts=first,
        traces=second,
        amounts_sha256=hashlib.sha256(first).digest(),
        traces_sha256=hashlib.sha256(second).digest(),
        inputs_sha256=columns_sha256(inputs_of(amounts, traces)),
        results_sha256=columns_sha256(amounts.select(RESULTS)),
    )


def inputs_of(amounts: pa.Table, traces: pa.Table | None) -> pa.Table:
    """Return what the records were calculated from: keys and the methodology's fields, by name.

    Without traces, fields that stand there are missing (轨迹已删除).
    """
    table = amounts.select(KEYS)
    held = {name: amounts.column(name) for name in amounts.column_names if name not in AMOUNTS}
    if traces is not None:
        held |= {name: traces.column(name) for name in traces.column_names if name not in TRACES}
    for name in sorted(held):
        table = table.append_column(name, held[name])
    return table


def columns_sha256(table: pa.Table) -> bytes:
    """Return SHA-256 over the values of a table: the same values give the same bytes with any version of any library.

    Each column gives its name, type and length, one byte a row for null or not, then the values: whole numbers and days
    as 64-bit, decimals as 128-bit unscaled two's complement (all little-endian), texts as UTF-8 behind their lengths.
    """
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        digest.update(f"{name}\0{column.type}\0{len(column)}\0".encode())
        digest.update(np.ascontiguousarray(column.is_null().to_numpy(zero_copy_only=False)).tobytes())
        for part in _values(column):
            digest.update(part)
    return digest.digest()


def _values(column: pa.Array) -> Sequence[bytes]:
    if pa.types.is_decimal(column.type):
        filled = pa.compute.fill_null(column, pa.scalar(0, column.type))
        width = 16
        start = filled.offset * width
        return (filled.buffers()[1][start : start + len(filled) * width].to_pybytes(),)
    if pa.types.is_string(column.type):
        filled = pa.compute.fill_null(column, "")
        ends = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled) + 1]
        text = filled.buffers()[2]
        content = text[int(ends[0]) : int(ends[-1])].to_pybytes() if text is not None and len(filled) else b""
        return (np.diff(ends).astype("<i8").tobytes(), content)
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    filled = pa.compute.fill_null(column, 0).cast(pa.int64())
    return (filled.to_numpy().astype("<i8").tobytes(),)


def decode_payload(payload: bytes) -> pa.Table:
    """Return the table of a payload."""
    with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
        return reader.read_all()


def encode_payload(table: pa.Table) -> bytes:
    """Return a table as a payload: Arrow IPC, compressed with zstd."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())
