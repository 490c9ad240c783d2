"""Chunks (记录分块): records of one bucket of accounts as two Arrow IPC payloads, compressed with zstd."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """One encoded chunk."""

    bucket: int
    n_records: int
    amounts: bytes
    traces: bytes
    amounts_sha256: bytes
    traces_sha256: bytes


def encode_chunk(bucket: int, amounts: pa.Table, traces: pa.Table) -> Chunk:
    """Return the chunk of a bucket; both tables hold the same records in the same order."""
    first, second = _payload(amounts), _payload(traces)
    return Chunk(
        bucket=bucket,
        n_records=amounts.num_rows,
        amounts=first,
        traces=second,
        amounts_sha256=hashlib.sha256(first).digest(),
        traces_sha256=hashlib.sha256(second).digest(),
    )


def decode_payload(payload: bytes) -> pa.Table:
    """Return the table of a payload."""
    with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
        return reader.read_all()


def _payload(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())
