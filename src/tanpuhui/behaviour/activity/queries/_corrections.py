"""What of a batch is still to be corrected (待更正的行), and a file of only those rows to correct and send again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

import pyarrow as pa
from django.db.models import QuerySet

from tanpuhui.behaviour.activity.adapters import reading_adapter
from tanpuhui.behaviour.activity.adapters.parquet import parquet_blocks
from tanpuhui.behaviour.activity.adapters.reading import TextFile, format_of
from tanpuhui.behaviour.activity.domain import (
    BatchNotFound,
    NothingToCorrect,
    RowsStillOpen,
    neutral_cell,
    reason_text,
)
from tanpuhui.behaviour.activity.domain.verdicts import CORRECTS_ROW, MENDABLE
from tanpuhui.behaviour.activity.models import Batch, Feed, MendedRow, RowOutcome
from tanpuhui.behaviour.activity.queries._mappings import batch_style
from tanpuhui.behaviour.activity.queries._reading_terms import field_codes, limits
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.science.methodology import queries as methodology

_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")


def rows_open(batch_id: int) -> int:
    """Return how many rows of a batch its sender can correct and has not made good."""
    return _to_mend(batch_id).count() - MendedRow.objects.filter(batch_id=batch_id).count()


def every_row_mended(*, at: datetime, case_id: int, subject_id: str) -> None:  # noqa: ARG001  every guard is called alike
    """Pass where a corrected file came and no row is open: the guard of the system's own step. Raises RowsStillOpen.

    A refused file has no rows, so it is never made good by itself.
    """
    left = rows_open(int(subject_id))
    if left or not MendedRow.objects.filter(batch_id=int(subject_id)).exists():
        raise RowsStillOpen(batch_id=subject_id, rows=left)


def mended_by(batch_id: int, row_numbers: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """Return, for those of these rows that were made good, the batch and the row that did it."""
    found = MendedRow.objects.filter(batch_id=batch_id, row_number__in=row_numbers)
    return {one.row_number: (one.by_batch_id, one.by_row_number) for one in found}


def corrections_of(batch_id: int) -> tuple[int, ...]:
    """Return the batches that were sent to correct a batch, oldest first."""
    return tuple(Batch.objects.filter(corrects_id=batch_id).order_by("id").values_list("id", flat=True))


def rows_to_correct_csv(batch_id: int, *, locale: str = "zh") -> Iterator[str]:
    """Yield the rows that are still to be corrected, as they were sent, as CSV to correct and send again.

    Behind the file's own columns stand `corrects_row` (the row's number in the file), the column at fault and what is
    wrong. A row that could not be read into columns has only those. No cell is a formula; a number stays a number.
    Raises BatchNotFound, NothingToCorrect (no row is open), DocumentDestroyed.
    """
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFound(batch_id=batch_id)
    mended = MendedRow.objects.filter(batch_id=batch_id).values("row_number")
    wrong = {one.row_number: one for one in _to_mend(batch_id).exclude(row_number__in=mended)}
    if not wrong:
        raise NothingToCorrect(batch_id=batch_id)
    stream = open_document(batch.file_sha256)
    return _lines(batch, stream, wrong, locale)


def encoding_to_correct(batch_id: int) -> str:
    """Return the encoding in which a batch's corrected rows are read, so that they are given back in it. Raises BatchNotFound."""
    batch = Batch.objects.select_related("mapping").filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFound(batch_id=batch_id)
    return batch_style(batch).encoding


def _to_mend(batch_id: int) -> QuerySet[RowOutcome]:
    return RowOutcome.objects.filter(batch_id=batch_id, reason__in=sorted(MENDABLE))


def _lines(batch: Batch, stream: BinaryIO, wrong: dict[int, RowOutcome], locale: str) -> Iterator[str]:
    with stream:
        names, blocks = _columns_and_blocks(batch, stream)
        comma = batch_style(batch).delimiter
        own = [name for name in names if name not in {CORRECTS_ROW, "corrects_field", "corrects_reason"}]
        yield _line((*own, CORRECTS_ROW, "corrects_field", "corrects_reason"), comma)
        left = dict(wrong)
        for table in blocks:
            numbers = table.column("row_number").to_pylist()
            places = [place for place, number in enumerate(numbers) if number in left]
            chosen = table.take(pa.array(places, pa.int64()))
            cells = [
                chosen.column(name).to_pylist() if name in chosen.column_names else [""] * len(places)
                for name in own
            ]
            for index, place in enumerate(places):
                outcome = left.pop(numbers[place])
                yield _line((*(_cell(column[index]) for column in cells), *_wrong(outcome, locale)), comma)
        for outcome in sorted(left.values(), key=lambda one: one.row_number):
            yield _line((*("" for _ in own), *_wrong(outcome, locale)), comma)


def _columns_and_blocks(batch: Batch, stream: BinaryIO) -> tuple[Sequence[str], Iterator[pa.Table]]:
    """Return the columns to give back and the rows: all columns where the file names them, else those that were read."""
    form = reading_adapter(batch.adapter, document=batch.mapping.document if batch.mapping else "")
    scenarios = set(
        Feed.objects.filter(partner_id=batch.partner_id, adapter=batch.adapter).values_list(
            "scenario__code", flat=True
        )
    )
    fields = field_codes(
        view.id for view in methodology.library() if view.scenario in scenarios and view.filed_at is not None
    )
    bounds = limits(batch.received_at)
    file_format = format_of(batch.file_name, batch.media_type)
    if file_format == "parquet":
        wanted = form.wanted(fields)
        found = parquet_blocks(stream, limits=bounds, wanted=wanted, required=form.required)
    else:
        file = TextFile.open(stream, file_format=file_format, limits=bounds, style=form.style)
        wanted = tuple(name for name in dict.fromkeys(file.header) if name) or form.wanted(fields)
        found = file.blocks(wanted)
    return wanted, (table for table, _ in found)


def _wrong(outcome: RowOutcome, locale: str) -> tuple[str, str, str]:
    return str(outcome.row_number), outcome.field, reason_text(outcome.reason, locale)


def _cell(value: str | None) -> str:
    said = value or ""
    return said if _NUMBER.fullmatch(said) else neutral_cell(said)


def _line(cells: Sequence[str], delimiter: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerow(cells)
    return buffer.getvalue()
