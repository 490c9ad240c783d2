"""Chunks (记录分块): records of one bucket of accounts as two Arrow IPC payloads, compressed with zstd."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

DECIMAL_BYTES = 16
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


def encode_chunks(amounts: pa.Table, traces: pa.Table, spans: Sequence[tuple[int, int, int]]) -> list[Chunk]:
    """Return the chunks of some buckets (bucket, from, to); both tables hold the same records in the same order."""
    amounts, traces = amounts.combine_chunks(), traces.combine_chunks()
    inputs = hashed_columns(inputs_of(amounts, traces))
    results = hashed_columns(amounts.select(RESULTS))
    chunks = []
    for bucket, start, end in spans:
        first = encode_payload(amounts.slice(start, end - start))
        second = encode_payload(traces.slice(start, end - start))
        chunks.append(
            Chunk(
                bucket=bucket,
                n_records=end - start,
                amounts=first,
                traces=second,
                amounts_sha256=hashlib.sha256(first).digest(),
                traces_sha256=hashlib.sha256(second).digest(),
                inputs_sha256=_sha256(inputs, start, end),
                results_sha256=_sha256(results, start, end),
            )
        )
    return chunks


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


@dataclass(frozen=True, kw_only=True, slots=True)
class HashedColumn:
    """A column as the bytes that its hash is over; `ends` are the ends of texts in `values`, None for fixed `width`."""

    name: str
    kind: str
    nulls: memoryview
    values: memoryview
    width: int
    ends: NDArray[np.int64] | None = None


def columns_sha256(table: pa.Table) -> bytes:
    """Return SHA-256 over the values of a table: the same values give the same bytes with any version of any library.

    Each column gives its name, type and length, one byte a row for null or not, then the values: whole numbers and days
    as 64-bit, decimals as 128-bit unscaled two's complement (all little-endian), texts as UTF-8 behind their lengths.
    """
    return _sha256(hashed_columns(table), 0, table.num_rows)


def hashed_columns(table: pa.Table) -> list[HashedColumn]:
    """Return the columns as bytes, once for all the parts of a table that are hashed one by one."""
    return [_hashed(name, table.column(name).combine_chunks()) for name in table.column_names]


def _sha256(columns: Sequence[HashedColumn], start: int, end: int) -> bytes:
    digest = hashlib.sha256()
    for one in columns:
        digest.update(f"{one.name}\0{one.kind}\0{end - start}\0".encode())
        digest.update(one.nulls[start:end])
        if one.ends is None:
            digest.update(one.values[start * one.width : end * one.width])
        else:
            ends = one.ends[start : end + 1]
            digest.update(np.diff(ends).astype("<i8").tobytes())
            digest.update(one.values[int(ends[0]) : int(ends[-1])])
    return digest.digest()


def _hashed(name: str, column: pa.Array) -> HashedColumn:
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    kind = str(column.type)
    nulls = memoryview(np.ascontiguousarray(column.is_null().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_string(column.type):
        filled = pa.compute.fill_null(column, "") if column.null_count else column
        ends = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled) + 1]
        text = filled.buffers()[2]
        values = memoryview(text) if text is not None else memoryview(b"")
        return HashedColumn(
            name=name, kind=kind, nulls=nulls, values=values, width=0, ends=ends.astype(np.int64)
        )
    if pa.types.is_decimal(column.type):
        filled = pa.compute.fill_null(column, pa.scalar(0, column.type)) if column.null_count else column
        start = filled.offset * DECIMAL_BYTES
        values = memoryview(filled.buffers()[1][start : start + len(filled) * DECIMAL_BYTES])
        return HashedColumn(name=name, kind=kind, nulls=nulls, values=values, width=DECIMAL_BYTES)
    if pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    numbers = pa.compute.fill_null(column, 0).cast(pa.int64()).to_numpy().astype("<i8")
    return HashedColumn(name=name, kind=kind, nulls=nulls, values=memoryview(numbers.tobytes()), width=8)


def erased_rows(traces: pa.Table) -> NDArray[np.bool_]:
    """Say of each record whether its traces were erased (轨迹已删除): it keeps its row number and nothing else."""
    found: NDArray[np.bool_] = traces.column("record_id").is_null().to_numpy()
    return found


def without_traces(traces: pa.Table, records: NDArray[np.bool_], *, keep: Collection[str]) -> pa.Table:
    """Return the table with null in every column of these records that is not to be kept.

    No byte of them stays: a null that is laid over a value would leave the value beneath it, and a dictionary its text.
    """
    stay = pa.array(~records)
    index = pa.array(np.cumsum(~records) - 1, mask=records)
    for place, item in enumerate(traces.schema):
        if item.name not in keep:
            plain = item.type.value_type if pa.types.is_dictionary(item.type) else item.type
            left = pa.concat_arrays(
                [pa.array([], plain), *traces.column(place).cast(plain).filter(stay).chunks]
            )
            traces = traces.set_column(place, item.name, left.take(index))
    return traces


def decode_payload(payload: bytes, *, without: Collection[str] = ()) -> pa.Table:
    """Return the table of a payload, without the columns that the caller does not need: they are not unpacked."""
    source = pa.py_buffer(payload)
    if not without:
        with pa.ipc.open_stream(source) as reader:
            return reader.read_all()
    with pa.ipc.open_stream(source) as reader:
        wanted = [place for place, name in enumerate(reader.schema.names) if name not in without]
    options = pa.ipc.IpcReadOptions(included_fields=wanted)
    with pa.ipc.open_stream(source, options=options) as reader:
        return reader.read_all()


def encode_payload(table: pa.Table) -> bytes:
    """Return a table as a payload: Arrow IPC, compressed with zstd."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    batches = table.to_batches()
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for batch in batches if len(batches) == 1 else table.combine_chunks().to_batches():
            writer.write_batch(batch)
    return bytes(sink.getvalue())
