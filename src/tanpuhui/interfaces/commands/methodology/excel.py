"""Reading a workbook (读取 Excel): one sheet, row by row, read-only; a formula stays a formula and counts for nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import zipfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa

from tanpuhui.interfaces.commands.methodology.sentences import Unusable

ROWS_MAX = 1_048_576
ROWS_OF_A_BLOCK = 20_000
UNPACKED_BYTES_MAX = 2_000_000_000
STRINGS_BYTES_MAX = 300_000_000
"""The shared strings of a workbook are held in memory as a whole; a sheet is not."""

Tables = Callable[[Sequence[str]], Iterator[pa.Table]]


@contextlib.contextmanager
def open_sheet(path: Path, *, sheet: str | None) -> Iterator[tuple[tuple[str, ...], Tables]]:
    """Open a sheet: the names in its first row, and its rows below as tables of text with their row numbers.

    Raises Unusable for what is no workbook, is packed to burst, or has no such sheet.
    """
    _refuse_bomb(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except Exception as error:
        # openpyxl raises anything for a damaged workbook.
        raise _damaged(path) from error
    try:
        found = _sheet(book, sheet)
        rows = _rows(found, path)
        header = tuple(_text(cell) or "" for cell in next(rows, (0, ()))[1])
        if not any(header):
            raise Unusable(zh="工作表的第一行没有列名。", en="The first row of the sheet names no column.")
        yield tuple(name.strip() for name in header), lambda wanted: _tables(rows, header, wanted)
    finally:
        book.close()


def _damaged(path: Path) -> Unusable:
    return Unusable(
        zh=f"{path} 不是完好的 .xlsx 工作簿。请用 Excel 或 WPS 另存一次。",
        en=f"{path} is no sound .xlsx workbook. Save it again with a spreadsheet program.",
    )


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as container:
            entries = container.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(path) from error
    whole = sum(entry.file_size for entry in entries)
    strings = sum(
        entry.file_size for entry in entries if entry.filename.lower().endswith("sharedstrings.xml")
    )
    if whole > UNPACKED_BYTES_MAX or strings > STRINGS_BYTES_MAX:
        raise Unusable(
            zh=f"{path} 解压后太大。请另存为 CSV（UTF-8）再算。",
            en=f"{path} is too large when unpacked. Save it as CSV (UTF-8) and calculate that.",
        )


def _sheet(book: Any, name: str | None) -> Any:
    sheets = [sheet.title for sheet in book.worksheets]
    if not sheets or (name is not None and name not in sheets):
        listed = ", ".join(sheets) or "-"
        raise Unusable(
            zh=f"没有工作表“{name or ''}”。有：{listed}。",
            en=f"There is no sheet '{name or ''}'. There is: {listed}.",
        )
    return book[name] if name is not None else book.worksheets[0]


def _rows(sheet: Any, path: Path) -> Iterator[tuple[int, tuple[Any, ...]]]:
    sheet.reset_dimensions()
    number = 0
    try:
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > ROWS_MAX:
                break
            yield number, row
    except Unusable:
        raise
    except Exception as error:
        raise Unusable(
            zh=f"{path} 在第 {number} 行之后读不下去。请用 Excel 或 WPS 另存一次。",
            en=f"{path} cannot be read after row {number}. Save it again with a spreadsheet program.",
        ) from error


def _tables(
    rows: Iterator[tuple[int, tuple[Any, ...]]], header: Sequence[str], wanted: Sequence[str]
) -> Iterator[pa.Table]:
    places = {name.strip(): place for place, name in enumerate(header)}
    chosen = [places[name] for name in wanted]
    numbers: list[int] = []
    cells: list[list[str | None]] = [[] for _ in wanted]
    for number, row in rows:
        if all(cell.value is None for cell in row):
            continue
        numbers.append(number)
        for column, place in zip(cells, chosen, strict=True):
            column.append(_text(row[place]) if place < len(row) else None)
        if len(numbers) == ROWS_OF_A_BLOCK:
            yield _table(numbers, cells, wanted)
            numbers, cells = [], [[] for _ in wanted]
    if numbers:
        yield _table(numbers, cells, wanted)


def _table(numbers: list[int], cells: list[list[str | None]], wanted: Sequence[str]) -> pa.Table:
    columns = [pa.array(numbers, pa.int64()), *(pa.array(column, pa.string()) for column in cells)]
    return pa.table(columns, names=["row_number", *wanted])


def _text(cell: Any) -> str | None:
    """Return a cell as text: a number by its shortest decimal, a date as written in ISO 8601, a formula as it stands."""
    value = cell.value
    if cell.data_type == "f":
        return f"={str(getattr(value, 'text', value) or '').removeprefix('=')}"
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{Decimal(repr(value)):f}"
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
    return None if value is None else str(value)
