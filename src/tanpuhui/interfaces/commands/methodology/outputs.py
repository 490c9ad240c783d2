"""Writing results (写出结果): beside the target under another name, and renamed when whole, so that no half file stands."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.interfaces.commands.methodology.sentences import Unusable, writing

KINDS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet", ".xlsx": "xlsx"}
SHEET_ROWS_MAX = 1_000_000
EXCEL_DIGITS_MAX = 15
CELL_CHARACTERS_MAX = 32_767
_LOOKS_LIKE_FORMULA = r"^[=+\-@\t\r]"
_PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Writer(Protocol):
    """Takes tables of one schema, in order."""

    def write(self, table: pa.Table) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Finish the file."""


def kind_of(path: Path) -> str:
    """Tell the format from the name. Raises Unusable for a name that says none."""
    kind = KINDS.get(path.suffix.lower(), "")
    if not kind:
        listed = " ".join(KINDS)
        raise Unusable(
            zh=f"从文件名看不出要写的格式：{path.name}。可用：{listed}。",
            en=f"The name tells no format to write: {path.name}. Known: {listed}.",
        )
    return kind


def refuse_unwanted(path: Path, *, force: bool, inputs: list[Path]) -> None:
    """Refuse an output that is an input, that is there already, or whose folder is not."""
    if any(path.exists() and other.exists() and path.samefile(other) for other in inputs):
        raise Unusable(zh=f"{path} 是输入，不能覆盖。", en=f"{path} is an input; it must not be overwritten.")
    if path.exists() and not force:
        raise Unusable(
            zh=f"{path} 已经有了。要覆盖请加 --force。",
            en=f"{path} is there already. Add --force to overwrite it.",
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise Unusable(zh=f"不能写到 {path}。", en=f"Cannot write to {path}.")


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside the target and remove it, whatever happens."""
    with writing(path):
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.absolute().parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def open_output(path: Path, schema: pa.Schema, *, tables: Any, folder: Path) -> Iterator[Writer]:
    """Open a writer for the target; the file appears there when the block ends without an error."""
    unfinished = folder / f"output{path.suffix.lower()}"
    kind = kind_of(path)
    writer: Writer
    with writing(path):
        if kind == "csv":
            writer = _Csv(unfinished, schema)
        elif kind == "ndjson":
            writer = _NdJson(unfinished, tables)
        elif kind == "parquet":
            writer = _Parquet(unfinished, schema)
        else:
            writer = _Excel(unfinished, schema)
    try:
        yield writer
    finally:
        with writing(path):
            writer.close()
    with writing(path):
        unfinished.replace(path)


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._schema = schema

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        from pyarrow.csv import CSVWriter, WriteOptions

        shown = pa.schema([(item.name, _shown_type(item.type)) for item in schema])
        self._stream = path.open("wb")
        # A spreadsheet takes the file for its own alphabet unless it begins so.
        self._stream.write(b"\xef\xbb\xbf")
        self._writer = CSVWriter(self._stream, shown, write_options=WriteOptions(quoting_style="needed"))
        self._schema = shown

    def write(self, table: pa.Table) -> None:
        columns = [
            _neutral(column) if pa.types.is_string(column.type) else column for column in table.columns
        ]
        self._writer.write_table(pa.table(columns, names=table.column_names).cast(self._schema))

    def close(self) -> None:
        self._writer.close()
        self._stream.close()


class _NdJson:
    """Grams are whole numbers; every other number is text, so that no reader makes a double of it."""

    def __init__(self, path: Path, tables: Any) -> None:
        self._stream = path.open("wb")
        self._tables = tables

    def write(self, table: pa.Table) -> None:
        columns = [
            pc.cast(column, pa.string()) if pa.types.is_decimal(column.type) else column
            for column in table.columns
        ]
        # Names of columns are of the file; JSON takes them as text, SQL never sees them.
        places = [f"c{place}" for place in range(len(columns))]
        self._tables.register("written", pa.table(columns, names=places))
        names = [json.dumps(name, ensure_ascii=False) for name in table.column_names]
        try:
            found = [
                self._tables.sql(f"select to_json({place})::varchar as j from written").to_arrow_table()["j"]  # noqa: S608
                for place in places
            ]
        finally:
            self._tables.unregister("written")
        pieces: list[Any] = []
        for name, column in zip(names, found, strict=True):
            pieces += [f"{',' if pieces else '{'}{name}:", pc.fill_null(column, "null")]
        lines = pc.binary_join_element_wise(*pieces, "}\n", "")
        for chunk in lines.chunks:
            self._stream.write("".join(chunk.to_pylist()).encode())

    def close(self) -> None:
        self._stream.close()


class _Excel:
    """A number with more digits than a spreadsheet keeps goes in as text; a text never becomes a formula."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        self._path, self._names = path, schema.names
        self._book = Workbook(write_only=True)
        self._cell = WriteOnlyCell
        self._rows = 0
        self._sheet: Any = None
        self._next_sheet()

    def _next_sheet(self) -> None:
        number = len(self._book.sheetnames) + 1
        self._sheet = self._book.create_sheet(f"结果 {number}" if number > 1 else "结果")
        self._sheet.freeze_panes = "A2"
        self._sheet.append(self._names)
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if self._rows == SHEET_ROWS_MAX:
                self._next_sheet()
            self._sheet.append([self._value(value) for value in row])
            self._rows += 1

    def _value(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, int | Decimal):
            digits = len(Decimal(value).normalize().as_tuple().digits)
            if digits <= EXCEL_DIGITS_MAX:
                return value
            value = f"{value:f}" if isinstance(value, Decimal) else str(value)
        cell = self._cell(self._sheet, value=None)
        cell.value = _NOT_IN_XML.sub(" ", str(value))[:CELL_CHARACTERS_MAX]
        cell.data_type = "s"
        return cell

    def close(self) -> None:
        self._book.save(self._path)


def _shown_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_decimal(kind) or pa.types.is_large_string(kind) else kind


def _neutral(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; numbers stay."""
    formula = pc.and_(
        pc.match_substring_regex(column, _LOOKS_LIKE_FORMULA),
        pc.invert(pc.match_substring_regex(column, _PLAIN_NUMBER)),
    )
    if not pc.any(formula).as_py():
        return column
    return pc.if_else(formula, pc.binary_join_element_wise("'", column, ""), column)
