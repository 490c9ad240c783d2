"""The rows of a batch that were not counted in full as an Excel file (批次报告导出): every text a text, so nothing is a formula."""

from __future__ import annotations

import tempfile
from itertools import islice
from typing import IO

from django.utils.translation import gettext
from openpyxl import Workbook

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.interfaces.design.sheets import IN_MEMORY_MAX, text_cell

ROWS_MAX = 1_000_000
"""A sheet of Excel holds 1,048,576 rows; what is more is named in the last line and stands in the CSV."""


def batch_sheet(batch_id: int, *, locale: str) -> IO[bytes]:
    """Return the file, open at its beginning. Columns as in the CSV."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.freeze_panes = "A2"
    sheet.append([text_cell(sheet, name) for name in activity.COLUMNS])
    rows = activity.batch_rows(batch_id)
    for row in islice(rows, ROWS_MAX):
        sheet.append([row.row_number, *(text_cell(sheet, cell) for cell in row.cells(locale)[1:])])
    left_out = sum(1 for _ in rows)
    if left_out:
        note = gettext("另有 %(n)s 行没有写入，见 CSV。") % {"n": left_out}
        sheet.append([text_cell(sheet, note)])
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_MAX)  # noqa: SIM115  closed by the response
    book.save(file)
    file.seek(0)
    return file
