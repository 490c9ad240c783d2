"""Reading activity data (读取活动数据): CSV, NDJSON, Parquet or Excel as blocks of rows, whatever their length."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import TextFile
from tanpuhui.interfaces.commands.methodology.columns import Columns, find_columns
from tanpuhui.interfaces.commands.methodology.sentences import Unusable, reading
from tanpuhui.science.engine import MethodologyVersion

LINE_BYTES_MAX = 4_000_000
FILE_BYTES_MAX = 1 << 50
"""No bound: rows come in blocks, so a file may be as long as the disk."""
FIRST_BYTES = 1_000_000
PARQUET_ROWS = 1 << 17
KINDS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet", ".xlsx": "xlsx"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """A row that could not be read at all, with its reason and the beginning of what stands there."""

    row_number: int
    reason: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Some rows in the order of the file: int64 row_number, kept columns, and a column per field, by field code.

    A column is text, or what an exact Parquet column holds; null where nothing stands.
    """

    rows: pa.Table
    faults: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """An opened file: its columns, and its rows as blocks that can be walked once."""

    columns: Columns
    blocks: Iterator[Block]
    exponents: bool
    """Whether 1e3 is a number here: JSON and doubles write so; in CSV it is what a spreadsheet left of a longer one."""


def kind_of(path: Path) -> str:
    """Tell the format from the name. Raises Unusable for a name that says none."""
    name = path.name.lower().removesuffix(".gz")
    kind = KINDS.get(Path(name).suffix, "")
    if not kind or (path.name.lower().endswith(".gz") and kind in {"parquet", "xlsx"}):
        listed = " ".join(KINDS)
        raise Unusable(
            zh=f"从文件名看不出格式：{path.name}。可用：{listed}（文本可再加 .gz）。",
            en=f"The name tells no format: {path.name}. Known: {listed} (text also with .gz).",
        )
    return kind


@contextlib.contextmanager
def open_input(
    path: Path, version: MethodologyVersion, *, keep: Sequence[str] = (), sheet: str | None = None
) -> Iterator[Input]:
    """Open a file and find the version's fields in it. Raises Unusable, or FileUnusable for a damaged text."""
    kind = kind_of(path)
    if sheet is not None and kind != "xlsx":
        raise Unusable(zh="--sheet 只用于 Excel。", en="--sheet is for Excel only.")
    with contextlib.ExitStack() as stack:
        with reading(path):
            if kind == "parquet":
                found = _parquet(path, version, keep, stack)
            elif kind == "xlsx":
                found = _excel(path, version, keep, stack, sheet)
            else:
                found = _text(path, kind, version, keep, stack)
        yield replace(found, blocks=_guarded(found.blocks, path))


def _guarded(blocks: Iterator[Block], path: Path) -> Iterator[Block]:
    while True:
        with reading(path):
            block = next(blocks, None)
        if block is None:
            return
        yield block


def _excel(
    path: Path,
    version: MethodologyVersion,
    keep: Sequence[str],
    stack: contextlib.ExitStack,
    sheet: str | None,
) -> Input:
    from tanpuhui.interfaces.commands.methodology.excel import open_sheet

    header, tables = stack.enter_context(open_sheet(path, sheet=sheet))
    columns = find_columns([name for name in header if name], version, keep)
    blocks = (Block(rows=_by_field(table, columns), faults=()) for table in tables(columns.wanted))
    return Input(columns=columns, blocks=blocks, exponents=True)


def _text(
    path: Path, kind: str, version: MethodologyVersion, keep: Sequence[str], stack: contextlib.ExitStack
) -> Input:
    limits = Limits(file_bytes_max=FILE_BYTES_MAX, line_bytes_max=LINE_BYTES_MAX)
    csv = kind == "csv"
    file_format: Any = "csv" if csv else "ndjson"
    text = TextFile.open(stack.enter_context(path.open("rb")), file_format=file_format, limits=limits)
    header = text.header if csv else _keys(path)
    columns = find_columns([name for name in header if name], version, keep, may_lack=not csv)

    def blocks() -> Iterator[Block]:
        for table, faults in text.blocks(columns.wanted):
            found = [
                Fault(row_number=fault.row_number, reason=fault.reason, value=fault.value) for fault in faults
            ]
            yield Block(rows=_by_field(table, columns), faults=tuple(found))

    return Input(columns=columns, blocks=blocks(), exponents=not csv)


def _keys(path: Path) -> tuple[str, ...]:
    """Return the keys that the first lines of an NDJSON file show, in their order."""
    keys: dict[str, None] = {}
    # What is wrong with the file is told by the reading that follows, line by line.
    with path.open("rb") as raw, contextlib.suppress(EOFError, zlib.error, gzip.BadGzipFile):
        compressed = raw.peek(2)[:2] == b"\x1f\x8b"
        stream: Any = gzip.GzipFile(fileobj=raw) if compressed else raw
        for line in stream.read(FIRST_BYTES).split(b"\n")[:1000]:
            with contextlib.suppress(ValueError, RecursionError):
                row = json.loads(line)
                keys.update(dict.fromkeys(row if isinstance(row, dict) else ()))
    return tuple(keys)


def _parquet(
    path: Path, version: MethodologyVersion, keep: Sequence[str], stack: contextlib.ExitStack
) -> Input:
    import pyarrow.parquet as pq

    try:
        file = stack.enter_context(pq.ParquetFile(path, pre_buffer=False))
    except (pa.ArrowException, OSError) as error:
        # Arrow raises OSError, too, for what it cannot decode; one of the system has a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unusable(
            zh=f"{path} 不是完好的 Parquet 文件。", en=f"{path} is no sound Parquet file."
        ) from error
    columns = find_columns(file.schema_arrow.names, version, keep)

    def blocks() -> Iterator[Block]:
        number = 1
        try:
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=list(columns.wanted)):
                table = pa.Table.from_batches([batch])
                numbers = pa.array(range(number, number + len(batch)), pa.int64())
                number += len(batch)
                yield Block(rows=_by_field(table.add_column(0, "row_number", numbers), columns), faults=())
        except (pa.ArrowException, OSError) as error:
            raise Unusable(
                zh=f"{path} 从第 {number} 行起损坏。", en=f"{path} is damaged from row {number} on."
            ) from error

    return Input(columns=columns, blocks=blocks(), exponents=True)


def _by_field(table: pa.Table, columns: Columns) -> pa.Table:
    """Name the columns by field code and make an empty text a missing value."""
    names = ["row_number", *columns.kept, *columns.fields]
    found = [table["row_number"]]
    found += [_plain(table[name]) for name in (*columns.kept, *columns.fields.values())]
    return pa.table(found, names=names)


def _json(value: object) -> str | None:
    """Return the rows of a group, which Parquet holds as a list, as the other formats write them."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text, but for one that is exact: whole numbers and decimals stay what they are."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_decimal128(kind):
        return column
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return pa.chunked_array([pa.array(map(_json, column.to_pylist()), pa.string())])
    text = column if pa.types.is_string(kind) else pc.cast(column, pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)
