"""Reading (读取): bytes to a table of text with row numbers. Bad lines leave by name; no line can fill the memory."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from tanpuhui.behaviour.activity.adapters._port import RowVerdict
from tanpuhui.behaviour.activity.adapters.containers import Readable, unwrap
from tanpuhui.behaviour.activity.adapters.limits import Limits, check_header
from tanpuhui.behaviour.activity.adapters.parquet import parquet_blocks
from tanpuhui.behaviour.activity.adapters.person_parts import HeldRows, Parting, PersonParts
from tanpuhui.behaviour.activity.adapters.tables import open_tables, quoted
from tanpuhui.behaviour.activity.adapters.tables import text as text_constant
from tanpuhui.behaviour.activity.domain import FileUnusable
from tanpuhui.behaviour.activity.domain.mappings import PLAIN, TextStyle

BLOCK_BYTES = 8 * 1024 * 1024
PARALLEL_BLOCKS = 2
VALUE_SHOWN = 120
_NEWLINE, _RETURN, _QUOTE, _NUL = 10, 13, 34, 0
_WRONG_ENCODING = {"utf-8": "BAD_ENCODING", "gb18030": "NOT_GB18030"}
_LONG_NUMBER = re.compile(rb":\s*-?[0-9.]{16,}")
"""A number of JSON with so many digits that a binary float could not give them back."""

Format = Literal["csv", "ndjson", "parquet"]


@dataclass(kw_only=True, slots=True)
class FileRead:
    """The rows that could be read, those that could not, and how many there were in all."""

    table: pa.Table
    rows: int = 0
    faults: list[RowVerdict] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """Whole good lines, the file's line number of each, and the lines left out."""

    text: bytes
    numbers: np.ndarray
    faults: tuple[RowVerdict, ...]


def format_of(file_name: str, media_type: str) -> Format:
    """Tell the format from the name, else from the media type; a table of text is the default."""
    name = re.sub(r"\.(gz|zst|zip)$", "", file_name.lower())
    if name.endswith(".parquet") or "parquet" in media_type:
        return "parquet"
    if name.endswith((".ndjson", ".jsonl", ".json")) or "json" in media_type:
        return "ndjson"
    return "csv"


def read_file(
    stream: BinaryIO,
    *,
    file_format: Format,
    limits: Limits,
    wanted: Sequence[str],
    required: Sequence[str],
    style: TextStyle = PLAIN,
) -> FileRead:
    """Read the wanted columns as text; a row is one line, numbered as in an editor (the header is line 1).

    `style` says how text is written; a workbook and Parquet say it themselves.
    Raises FileUnusable when nothing can be read: empty, wrong encoding throughout, damaged, too large, a column missing.
    """
    (whole,) = read_slices(
        stream, file_format=file_format, limits=limits, wanted=wanted, required=required, style=style
    )
    return whole


def read_slices(
    stream: BinaryIO,
    *,
    file_format: Format,
    limits: Limits,
    wanted: Sequence[str],
    required: Sequence[str],
    parting: Parting | None = None,
    style: TextStyle = PLAIN,
) -> Iterator[FileRead]:
    """Yield the rows of a file: at once, or, where it is longer than a slice, parted by person; see read_file.

    Every row is read before the first slice comes, so a file that turns out damaged gives none. Raises FileUnusable.
    """
    blocks = (
        parquet_blocks(stream, limits=limits, wanted=wanted, required=required)
        if file_format == "parquet"
        else _text_blocks(
            stream, file_format=file_format, limits=limits, wanted=wanted, required=required, style=style
        )
    )
    with ExitStack() as stack:
        parts: PersonParts | None = None
        held = HeldRows()
        for table, faults in blocks:
            held.add(table, faults, unreadable=sum(f.reason in _WRONG_ENCODING.values() for f in faults))
            if parting is not None and held.rows > parting.rows_max:
                parts = parts or stack.enter_context(
                    PersonParts(folder=parting.folder, person=parting.person)
                )
                parts.add(*held.take())
        if held.rows_seen == 0:
            raise FileUnusable(fault="EMPTY_FILE")
        if held.first_fault is not None and held.unreadable == held.rows_seen:
            raise FileUnusable(fault=held.first_fault.reason, at=held.first_fault.value)
        if parts is None or parting is None:
            table, faults = held.take()
            yield FileRead(table=table, rows=held.rows_seen, faults=faults)
            return
        if held.rows:
            parts.add(*held.take())
        for part in parts.slices(parting.rows_max):
            yield FileRead(table=part.table, rows=part.rows, faults=part.faults)


def _text_blocks(
    stream: BinaryIO,
    *,
    file_format: Format,
    limits: Limits,
    wanted: Sequence[str],
    required: Sequence[str],
    style: TextStyle,
) -> Iterator[tuple[pa.Table, list[RowVerdict]]]:
    text = TextFile.open(stream, file_format=file_format, limits=limits, style=style)
    if text.header:
        check_header(text.header, required)
    yield from text.blocks(wanted)


class _Lines:
    """Cuts a stream into blocks of whole lines and never holds more than one block and one line."""

    def __init__(self, *, stream: Readable, limits: Limits, style: TextStyle = PLAIN) -> None:
        self._stream = stream
        self._limits = limits
        self._style = style
        self._read = 0
        self._carry = b""
        self._number = 1
        self._offset = 0
        self._ended = False

    def header(self) -> tuple[str, ...]:
        """Take the first line as names of columns."""
        while b"\n" not in self._carry and len(self._carry) <= self._limits.line_bytes_max and self._more():
            pass
        first, newline, rest = self._carry.partition(b"\n")
        if not first.strip():
            raise FileUnusable(fault="EMPTY_FILE" if not rest.strip() else "HEADER_UNREADABLE")
        if len(first) > self._limits.line_bytes_max:
            raise FileUnusable(fault="HEADER_UNREADABLE")
        try:
            text = first.decode(self._style.encoding)
        except UnicodeDecodeError as error:
            raise FileUnusable(fault=_WRONG_ENCODING[self._style.encoding], at=error.start + 1) from error
        if "\0" in text:
            raise FileUnusable(fault="BAD_ENCODING", at=text.index("\0") + 1)
        self._carry = rest
        self._number = 2
        self._offset += len(first) + len(newline)
        return tuple(
            cell.strip().strip('"').strip() for cell in text.rstrip("\r").split(self._style.delimiter)
        )

    def blocks(self) -> Iterator[_Block]:
        """Yield blocks; a line beyond the bound is passed over as it streams by, and named."""
        while True:
            cut = self._carry.rfind(b"\n")
            if cut >= 0:
                text, self._carry = self._carry[: cut + 1], self._carry[cut + 1 :]
                yield self._checked(text)
            if len(self._carry) > self._limits.line_bytes_max:
                yield self._skipped()
            elif not self._more():
                break
        if self._carry:
            text, self._carry = self._carry + b"\n", b""
            yield self._checked(text)

    def _more(self) -> bool:
        if self._ended:
            return False
        piece = self._stream.read(BLOCK_BYTES)
        if self._read == 0 and self._style.encoding == "utf-8" and piece.startswith(codecs.BOM_UTF8):
            self._offset += len(codecs.BOM_UTF8)
            self._carry += piece[len(codecs.BOM_UTF8) :]
        else:
            self._carry += piece
        self._read += len(piece)
        if self._read > self._limits.file_bytes_max:
            raise FileUnusable(fault="FILE_TOO_LARGE", at=self._limits.file_bytes_max)
        self._ended = not piece
        return not self._ended

    def _skipped(self) -> _Block:
        """Drop the rest of a line that is too long, piece by piece."""
        fault = RowVerdict(
            row_number=self._number, reason="LINE_TOO_LONG", value=str(self._limits.line_bytes_max)
        )
        self._number += 1
        while b"\n" not in self._carry:
            self._offset += len(self._carry)
            self._carry = b""
            if not self._more():
                break
        dropped, newline, self._carry = self._carry.partition(b"\n")
        self._offset += len(dropped) + len(newline)
        return _Block(text=b"", numbers=np.empty(0, np.int64), faults=(fault,))

    def _checked(self, text: bytes) -> _Block:
        """Number the lines, leave blank ones out, and name those that are too long or in a wrong encoding."""
        octets = np.frombuffer(text, np.uint8)
        ends = np.flatnonzero(octets == _NEWLINE)
        starts = np.concatenate(([0], ends[:-1] + 1))
        numbers = np.arange(self._number, self._number + len(ends), dtype=np.int64)
        lengths = ends - starts
        lengths = lengths - ((lengths > 0) & (octets[np.maximum(ends - 1, 0)] == _RETURN))
        bad: dict[int, RowVerdict] = {}
        for index in np.flatnonzero(lengths > self._limits.line_bytes_max).tolist():
            bad[index] = RowVerdict(
                row_number=int(numbers[index]), reason="LINE_TOO_LONG", value=str(self._limits.line_bytes_max)
            )
        encoding = self._style.encoding
        if not _is_text(text, encoding):
            for index, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
                position = _first_bad_byte(text[start:end], encoding)
                if position is not None and index not in bad:
                    where = str(self._offset + start + position + 1)
                    bad[index] = RowVerdict(
                        row_number=int(numbers[index]), reason=_WRONG_ENCODING[encoding], value=where
                    )
        self._number += len(ends)
        self._offset += len(text)
        blank = lengths == 0
        if not bad and not blank.any():
            return _Block(text=_as_utf8(text, encoding), numbers=numbers, faults=())
        keep = ~blank
        keep[list(bad)] = False
        kept = b"".join(text[starts[i] : ends[i] + 1] for i in np.flatnonzero(keep).tolist())
        return _Block(text=_as_utf8(kept, encoding), numbers=numbers[keep], faults=tuple(bad.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFile:
    """A file of text whose header has been read and whose rows come in blocks, so that any length fits the memory."""

    header: tuple[str, ...]
    """The names of the columns; none for NDJSON, where every line names its own."""
    lines: _Lines
    delimiter: str = ","

    @classmethod
    def open(
        cls, stream: BinaryIO, *, file_format: Format, limits: Limits, style: TextStyle = PLAIN
    ) -> TextFile:
        """Read the header; raises FileUnusable when there is none or it cannot be read."""
        inside = unwrap(stream, bytes_max=limits.file_bytes_max)
        if inside.member_name:
            file_format = format_of(inside.member_name, "")
        if file_format == "parquet":
            raise FileUnusable(fault="ZIP_PARQUET")
        if inside.is_sheet:
            style = PLAIN
        lines = _Lines(stream=inside.stream, limits=limits, style=style)
        header = lines.header() if file_format == "csv" else ()
        return cls(header=header, lines=lines, delimiter=style.delimiter)

    def blocks(self, wanted: Sequence[str]) -> Iterator[tuple[pa.Table, list[RowVerdict]]]:
        """Yield the rows block by block: row_number and the wanted columns as text, and the rows that are none.

        Blocks come in the order of the file and are parsed with a bounded look-ahead. Raises FileUnusable.
        """

        def parse(block: _Block) -> tuple[pa.Table, list[RowVerdict]]:
            table, faults = (
                _parse_csv(block, self.header, wanted, self.delimiter)
                if self.header
                else _parse_ndjson(block, wanted)
            )
            return table, [*block.faults, *faults]

        with ThreadPoolExecutor(PARALLEL_BLOCKS) as pool:
            waiting = []
            for block in self.lines.blocks():
                waiting.append(pool.submit(parse, block))
                if len(waiting) > PARALLEL_BLOCKS:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()


def _is_text(text: bytes, encoding: str) -> bool:
    if _NUL in text:
        return False
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _first_bad_byte(line: bytes, encoding: str) -> int | None:
    nul = line.find(b"\0")
    try:
        line.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start if nul < 0 else min(nul, error.start)
    return nul if nul >= 0 else None


def _as_utf8(text: bytes, encoding: str) -> bytes:
    """Return whole lines in UTF-8. No character of GB18030 but the line break itself has its byte, so lines stay lines."""
    return text if encoding == "utf-8" else text.decode(encoding).encode()


def _bad_row(number: int, line: bytes) -> RowVerdict:
    return RowVerdict(
        row_number=number, reason="BAD_ROW", value=line[:VALUE_SHOWN].decode(errors="replace").strip()
    )


def _parse_csv(
    block: _Block, header: Sequence[str], wanted: Sequence[str], delimiter: str
) -> tuple[pa.Table, list[RowVerdict]]:
    text, numbers, faults = _without_open_quotes(block)
    names = [name or f"column {index + 1}" for index, name in enumerate(header)]
    columns = [name for name in wanted if name in names]
    if not len(numbers):
        return _empty(columns), faults
    skipped: list[int] = []
    bad: list[RowVerdict] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        skipped.append(row.number - 1)
        if row.number <= len(numbers):
            bad.append(_bad_row(int(numbers[row.number - 1]), row.text.encode()))
        return "skip"

    table = pa.csv.read_csv(
        pa.BufferReader(text),
        read_options=pa.csv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=False,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=columns
        ),
    )
    if table.num_rows + len(skipped) != len(numbers):
        # A quote within a cell or a lone carriage return has joined or parted lines.
        table, bad = _line_by_line(text, numbers, names, columns, delimiter)
        return table, [*faults, *bad]
    return table.add_column(0, "row_number", pa.array(np.delete(numbers, skipped))), [*faults, *bad]


def _line_by_line(
    text: bytes, numbers: np.ndarray, names: Sequence[str], columns: Sequence[str], delimiter: str
) -> tuple[pa.Table, list[RowVerdict]]:
    """Parse every line alone: slow, and nothing in one line can touch another."""
    lines = _split(text, np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE))
    places = [names.index(name) for name in columns]
    good: list[int] = []
    cells: list[list[str]] = []
    bad: list[RowVerdict] = []
    for number, line in zip(numbers.tolist(), lines, strict=True):
        try:
            (row,) = csv.reader(
                [line.decode().removesuffix("\n").removesuffix("\r")], strict=True, delimiter=delimiter
            )
        except (csv.Error, ValueError):
            row = []
        if len(row) == len(names):
            good.append(number)
            cells.append([row[place] for place in places])
        else:
            bad.append(_bad_row(number, line))
    found = [pa.array([row[place] for row in cells], pa.string()) for place in range(len(columns))]
    return pa.table([pa.array(good, pa.int64()), *found], names=["row_number", *columns]), bad


def _without_open_quotes(block: _Block) -> tuple[bytes, np.ndarray, list[RowVerdict]]:
    """Take out lines whose quotes do not close; the parser would join them with the lines that follow."""
    octets = np.frombuffer(block.text, np.uint8)
    quotes = np.flatnonzero(octets == _QUOTE)
    if not len(quotes):
        return block.text, block.numbers, []
    ends = np.flatnonzero(octets == _NEWLINE)
    odd = np.bincount(np.searchsorted(ends, quotes), minlength=len(ends)) % 2 == 1
    if not odd.any():
        return block.text, block.numbers, []
    lines = block.text.splitlines(keepends=True) if len(ends) == 0 else _split(block.text, ends)
    faults = [_bad_row(int(block.numbers[i]), lines[i]) for i in np.flatnonzero(odd).tolist()]
    kept = b"".join(lines[i] for i in np.flatnonzero(~odd).tolist())
    return kept, block.numbers[~odd], faults


def _split(text: bytes, ends: np.ndarray) -> list[bytes]:
    starts = [0, *(ends[:-1] + 1).tolist()]
    return [text[start : end + 1] for start, end in zip(starts, ends.tolist(), strict=True)]


def _empty(columns: Sequence[str]) -> pa.Table:
    schema = pa.schema([("row_number", pa.int64()), *((name, pa.string()) for name in columns)])
    return schema.empty_table()


def _parse_ndjson(block: _Block, wanted: Sequence[str]) -> tuple[pa.Table, list[RowVerdict]]:
    if not len(block.numbers):
        return _empty(wanted), []
    text = _with_long_numbers_quoted(block.text) if _LONG_NUMBER.search(block.text) else block.text
    octets = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(octets == _NEWLINE)
    offsets = np.concatenate(([0], ends + 1)).astype(np.int64)
    lines = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
    source = pa.table({"row_number": pa.array(block.numbers), "line": lines})
    with closing(open_tables(threads=1)) as tables:
        tables.register("source", source)
        table = _objects(tables, wanted)
        return (table, []) if table is not None else _objects_one_by_one(tables, wanted)


def _objects(tables: Any, wanted: Sequence[str]) -> pa.Table | None:
    """Parse all lines at once, in a fifth of the time; None where a line is no object, for then each has to be asked."""
    form = "{" + ", ".join(f'{json.dumps(name, ensure_ascii=False)}: "VARCHAR"' for name in wanted) + "}"
    cells = ", ".join(f"coalesce(v.{quoted(name)}, '') as {quoted(name)}" for name in wanted)
    try:
        table = tables.sql(
            f"select row_number, v is null as is_none, {cells} from "
            f"(select row_number, json_transform(line, {text_constant(form)}) as v from source)"
        ).to_arrow_table()
    except duckdb.Error:
        return None
    if pa.compute.any(table.column("is_none")).as_py():
        return None
    return table.drop_columns(["is_none"]).sort_by("row_number")


def _objects_one_by_one(tables: Any, wanted: Sequence[str]) -> tuple[pa.Table, list[RowVerdict]]:
    paths = ", ".join("'$.\"" + name.replace('"', "").replace("'", "''") + "\"'" for name in wanted)
    cells = ", ".join(f"coalesce(v[{i + 1}], '') as {quoted(name)}" for i, name in enumerate(wanted))
    tables.execute(
        "create table parsed as select row_number, line, "
        f"case when json_valid(line) and line[1] = '{{' then json_extract_string(line, [{paths}]) end as v "
        "from (select row_number, trim(line, e' \\t\\r\\n') as line from source)"
    )
    table = tables.sql(
        f"select row_number, {cells} from parsed where v is not null order by 1"
    ).to_arrow_table()
    bad = tables.execute("select row_number, line from parsed where v is null order by 1").fetchall()
    return table, [_bad_row(number, line.encode()) for number, line in bad]


def _with_long_numbers_quoted(text: bytes) -> bytes:
    """Rewrite lines that hold very long numbers so that every number is text, digit by digit as sent."""
    rewritten = [
        _with_numbers_quoted(line) if _LONG_NUMBER.search(line) else line for line in text.split(b"\n")[:-1]
    ]
    return b"\n".join(rewritten) + b"\n"


def _with_numbers_quoted(line: bytes) -> bytes:
    """Return the line with every number as text; a line that is no JSON stays, to be named later."""
    try:
        return json.dumps(json.loads(line, parse_float=str, parse_int=str), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return line
