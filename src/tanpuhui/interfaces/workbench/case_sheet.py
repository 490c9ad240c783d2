"""A list of cases as an Excel file (导出): written line by line, every text a text, so that nothing in it is a formula."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import IO

from django.utils.translation import gettext
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from tanpuhui.foundation.identity.queries import people
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.rulebook.queries import days_left, processes_by_ids
from tanpuhui.foundation.workflow.queries import ExportLine
from tanpuhui.interfaces.design.sheets import IN_MEMORY_MAX, text_cell
from tanpuhui.interfaces.workbench.words import case_kind, names_of_organisations, names_of_places, worded

AT_ONCE = 1_000
WIDTHS = (26, 12, 44, 30, 14, 16, 17, 17, 12, 12, 12, 17)
DAY, MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


def case_sheet(lines: Iterable[ExportLine], *, title: str, at: datetime, left_out: int) -> IO[bytes]:
    """Return the file, open at its beginning; `left_out` cases that were too many are named in the last line."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for column, width in zip("ABCDEFGHIJKL", WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    heads = []
    for words in _heads():
        cell = text_cell(sheet, words)
        cell.font = bold
        heads.append(cell)
    sheet.append(heads)
    taken = iter(lines)
    while chunk := list(islice(taken, AT_ONCE)):
        for cells in _rows(sheet, chunk, at=at):
            sheet.append(cells)
    if left_out:
        note = gettext("另有 %(n)s 件没有导出。请缩小筛选范围，分几次导出。") % {"n": left_out}
        sheet.append([text_cell(sheet, note)])
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_MAX)  # noqa: SIM115  closed by the response
    book.save(file)
    file.seek(0)
    return file


def _heads() -> tuple[str, ...]:
    return (
        gettext("办件号"),
        gettext("事项"),
        gettext("名称"),
        gettext("机构"),
        gettext("辖区"),
        gettext("环节"),
        gettext("立案"),
        gettext("本环节开始"),
        gettext("办理期限"),
        gettext("剩余工作日"),
        gettext("转给"),
        gettext("办结"),
    )


def _rows(sheet: object, chunk: list[ExportLine], *, at: datetime) -> Iterator[list[object]]:
    """Yield the cells of each case; names are looked up once for the chunk."""
    versions = processes_by_ids({line.process_version_id for line in chunk})
    names = names_of_organisations(line.organisation_id for line in chunk)
    places = names_of_places({line.area for line in chunk})
    holders = people([line.assigned_to for line in chunk if line.assigned_to is not None])
    left = days_left([line.deadline_day for line in chunk if line.deadline_day], today=business_day(at))
    for line in chunk:
        state = versions[line.process_version_id].state(line.state)
        held = holders.get(line.assigned_to or 0)
        yield [
            text_cell(sheet, line.number),
            text_cell(sheet, case_kind(line.process)),
            text_cell(sheet, line.title),
            text_cell(sheet, names.get(line.organisation_id or 0, "")),
            text_cell(sheet, places.get(line.area, line.area)),
            text_cell(sheet, worded(state.label_zh, state.label_en)),
            _moment(sheet, line.opened_at),
            _moment(sheet, line.entered_at),
            _dated(sheet, line.deadline_day, DAY) if line.deadline_day else None,
            left[line.deadline_day] if line.deadline_day else None,
            text_cell(sheet, held.display_name if held else ""),
            _moment(sheet, line.closed_at),
        ]


def _moment(sheet: object, moment: datetime | None) -> WriteOnlyCell | None:
    """Return a moment as Excel knows one: in China's time, without a zone."""
    return None if moment is None else _dated(sheet, moment.astimezone(CHINA).replace(tzinfo=None), MOMENT)


def _dated(sheet: object, value: object, form: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = form
    return cell
