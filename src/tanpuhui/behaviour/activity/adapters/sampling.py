"""How a sample is written (样本的写法): its columns by name, compression, byte order mark, line ends."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import Format, TextFile
from tanpuhui.behaviour.activity.domain import FileUnusable

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What the bytes look like before any row is read; `columns` in the order in which they first stand."""

    columns: tuple[str, ...]
    compressed: bool
    byte_order_mark: bool
    line_end: str


def writing_of(content: bytes, *, file_format: Format, limits: Limits) -> Writing:
    """Return how a sample is written; of a file that cannot be read, what can be said. A sample fits the memory."""
    compressed = content.startswith(GZIP_MAGIC)
    text = _uncompressed(content, limits.file_bytes_max) if compressed else content
    columns: tuple[str, ...] = ()
    try:
        columns = (
            tuple(pa.parquet.read_schema(io.BytesIO(text)).names)
            if file_format == "parquet"
            else tuple(
                name
                for name in TextFile.open(io.BytesIO(text), file_format="csv", limits=limits).header
                if name
            )
            if file_format == "csv"
            else _keys(text)
        )
    except (FileUnusable, pa.ArrowException, OSError):
        columns = ()
    return Writing(
        columns=columns,
        compressed=compressed,
        byte_order_mark=text.startswith(codecs.BOM_UTF8),
        line_end="CRLF" if b"\r\n" in text else "LF",
    )


def _uncompressed(content: bytes, most: int) -> bytes:
    """Return at most `most` bytes of what was compressed; of a damaged file, nothing."""
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            return stream.read(most)
    except (OSError, EOFError):
        return b""


def _keys(text: bytes) -> tuple[str, ...]:
    """Return the keys of every line that is a JSON object."""
    found: dict[str, None] = {}
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found |= dict.fromkeys(value)
    return tuple(found)
