"""Cells of Excel files that nobody can turn into formulas (Excel 导出): every text stays a text."""

from __future__ import annotations

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CELL_CHARACTERS_MAX = 32_767
IN_MEMORY_MAX = 4 * 1024 * 1024


def text_cell(sheet: object, words: str) -> WriteOnlyCell:
    """Return a cell that is text whatever it begins with: `=1+1` stays four characters."""
    cell = WriteOnlyCell(sheet, value="")
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", words)[:CELL_CHARACTERS_MAX]
    cell.data_type = "s"
    return cell
