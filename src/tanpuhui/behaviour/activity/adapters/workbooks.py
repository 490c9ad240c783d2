"""Workbooks (电子表格): the one filled sheet of an .xlsx file as lines of CSV, one line a row, so that row numbers agree.

A cell is read as it was written, never as it would be computed: a formula comes out with its `=` and is refused
later as FORMULA_CELL. What a spreadsheet cannot hold without loss is refused here, row by row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from tanpuhui.behaviour.activity.domain import FileUnusable

WORKBOOK_MEMBER = "xl/workbook.xml"
ROWS_MAX = 1_048_576
"""Rows of a sheet, by the format itself; a row that claims a higher number would be endless empty rows before it."""
DIGITS_KEPT = 15
"""Decimal digits that a number in a spreadsheet keeps; of a longer one the end is already lost."""


class _Lossy(ValueError):
    """The cell cannot be given back as it was meant."""


class _Lines:
    """Lines of text as a stream of bytes."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._waiting = bytearray()
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; raises FileUnusable."""
        while not self._ended and (size < 0 or len(self._waiting) < size):
            line = next(self._lines, None)
            if line is None:
                self._ended = True
            else:
                self._waiting += line
        taken = len(self._waiting) if size < 0 else size
        piece = bytes(self._waiting[:taken])
        del self._waiting[:taken]
        return piece


def sheet_as_csv(stream: BinaryIO) -> _Lines:
    """Return the filled sheet as CSV in UTF-8. Raises FileUnusable: damaged, or more than one sheet is filled."""
    stream.seek(0)
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
        filled = [sheet for sheet in book.worksheets if _has_cells(sheet)]
    except Exception as error:
        # openpyxl raises anything for a damaged workbook.
        raise FileUnusable(fault="WORKBOOK_UNREADABLE") from error
    if not filled:
        raise FileUnusable(fault="EMPTY_FILE")
    if len(filled) > 1:
        raise FileUnusable(fault="WORKBOOK_SHEETS", at=", ".join(sheet.title for sheet in filled))
    return _Lines(_lines(filled[0]))


def _has_cells(sheet: Any) -> bool:
    # What a sheet says of its own size is the sender's word; without it rows are as wide as they are.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=ROWS_MAX, values_only=True)
    return any(value is not None for row in rows for value in row)


def _lines(sheet: Any) -> Iterator[bytes]:
    width = 0
    rows = iter(sheet.iter_rows(max_row=ROWS_MAX, values_only=True))
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise FileUnusable(fault="WORKBOOK_UNREADABLE") from error
        if row is None:
            return
        cells = _without_empty_end(row)
        width = width or len(cells)
        yield _line(cells, width)


def _without_empty_end(row: Sequence[object]) -> list[object]:
    cells = list(row)
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _line(cells: list[object], width: int) -> bytes:
    """Return one line; an empty row stays an empty line. A row with a lossy cell has an open quote: it is no row."""
    if not cells:
        return b"\n"
    try:
        texts = [_text(cell) for cell in cells]
    except _Lossy as error:
        return b'"' + str(error).replace('"', "").encode() + b"\n"
    texts += [""] * (width - len(texts))
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(texts)
    return written.getvalue().encode(errors="replace")


def _text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case int() | float():
            return _number(cell)
        case datetime() | date():
            return cell.isoformat()
        case ArrayFormula() | DataTableFormula():
            return "=" + str(getattr(cell, "text", None) or "").removeprefix("=")
        case _:
            text = str(cell)
    if any(end in text for end in "\r\n\0"):
        raise _Lossy(" ".join(text.replace("\0", " ").split()))
    return text


def _number(cell: float) -> str:
    """Return the number as the sheet shows it: its shortest decimal writing, without exponent."""
    number = Decimal(repr(cell))
    if not number.is_finite() or len(number.normalize().as_tuple().digits) > DIGITS_KEPT:
        raise _Lossy(str(cell))
    if number and number.adjusted() >= DIGITS_KEPT:
        raise _Lossy(str(cell))
    return format(number, "f")
