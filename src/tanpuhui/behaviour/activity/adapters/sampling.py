"""How a sample is written (样本的写法): its columns by name, compression, byte order mark, line ends."""

from __future__ import annotations

import codecs
import io
import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet

from tanpuhui.behaviour.activity.adapters.containers import unwrap
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import Format, TextFile, format_of
from tanpuhui.behaviour.activity.domain import FileUnusable
from tanpuhui.behaviour.activity.domain.mappings import PLAIN, TextStyle


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What the bytes look like before any row is read; `columns` in the order in which they first stand."""

    columns: tuple[str, ...]
    compressed: bool
    byte_order_mark: bool
    line_end: str


def writing_of(content: bytes, *, file_format: Format, limits: Limits, style: TextStyle = PLAIN) -> Writing:
    """Return how a sample is written; of a file that cannot be read, what can be said. A sample fits the memory."""
    text, compressed, member_name, style = _opened(content, limits.file_bytes_max, style)
    if member_name:
        file_format = format_of(member_name, "")
    columns: tuple[str, ...] = ()
    try:
        columns = (
            tuple(pa.parquet.read_schema(io.BytesIO(text)).names)
            if file_format == "parquet"
            else tuple(
                name
                for name in TextFile.open(
                    io.BytesIO(text), file_format="csv", limits=limits, style=style
                ).header
                if name
            )
            if file_format == "csv"
            else _keys(text.decode(style.encoding, errors="replace"))
        )
    except (FileUnusable, pa.ArrowException, OSError):
        columns = ()
    return Writing(
        columns=columns,
        compressed=compressed,
        byte_order_mark=text.startswith(codecs.BOM_UTF8),
        line_end="CRLF" if b"\r\n" in text else "LF",
    )


def _opened(content: bytes, most: int, style: TextStyle) -> tuple[bytes, bool, str, TextStyle]:
    """Return at most `most` bytes of the text inside (of a damaged file, nothing), whether wrapped, its name and its style."""
    try:
        inside = unwrap(io.BytesIO(content), bytes_max=most)
        return (
            inside.stream.read(most),
            inside.wrapped,
            inside.member_name,
            PLAIN if inside.is_sheet else style,
        )
    except FileUnusable:
        return b"", True, "", style


def _keys(text: str) -> tuple[str, ...]:
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
