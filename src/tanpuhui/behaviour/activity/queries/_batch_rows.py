"""Every row of a batch that was not counted in full (批次逐行报告), the clipped ones with what was asked and granted."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters.calculator import capped_field
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.domain import Verdict, neutral_cell, reason_text
from tanpuhui.behaviour.activity.models import Posting, RecordChunk, RowOutcome
from tanpuhui.behaviour.activity.queries._intake import batch_report
from tanpuhui.behaviour.activity.queries._settlements import rows_readmitted
from tanpuhui.science.methodology import queries as methodology

REPORT_FORMAT = "tanpuhui-batch-report/1"
COLUMNS = ("row_number", "verdict", "reason", "field", "value", "text", "asked", "granted")
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """A row that was not counted in full. `asked` and `granted` are decimals as text in the unit of the capped `field`.

    Where the cap counts records, `field` is empty, one was asked and 0 granted. Other rows have neither.
    """

    row_number: int
    verdict: str
    reason: str
    field: str
    value: str
    asked: str = ""
    granted: str = ""

    def cells(self, locale: str) -> tuple[str, ...]:
        """Return the row as texts in the order of COLUMNS."""
        return (
            str(self.row_number),
            self.verdict,
            self.reason,
            self.field,
            self.value,
            reason_text(self.reason, locale),
            self.asked,
            self.granted,
        )


def batch_rows(batch_id: int) -> Iterator[ReportRow]:
    """Yield the rows of a batch that were not counted in full, by row number."""
    return merge(_outcomes(batch_id), _clipped(batch_id), key=lambda row: row.row_number)


def batch_report_csv(batch_id: int, *, locale: str = "zh") -> Iterator[str]:
    """Yield the rows that were not counted in full as CSV lines, in which no spreadsheet finds a formula.

    Raises BatchNotFound.
    """
    batch_report(batch_id, limit=0)
    yield _csv_line(COLUMNS)
    for row in batch_rows(batch_id):
        number, *cells = row.cells(locale)
        yield _csv_line((number, *(neutral_cell(cell) for cell in cells)))


def batch_report_json(batch_id: int, *, locale: str = "zh") -> Iterator[str]:
    """Yield the report of a batch as one JSON object, row by row, so that any length fits the memory.

    Numbers are whole; decimals are text. Raises BatchNotFound.
    """
    found = batch_report(batch_id, limit=0)
    view = found.batch
    head = {
        "format": REPORT_FORMAT,
        "batch": view.id,
        "state": view.state,
        "file_name": view.file_name,
        "file_sha256": view.file_sha256,
        "received_at": view.received_at.isoformat(),
        "settled_at": view.settled_at.isoformat() if view.settled_at else None,
        "corrects": view.corrects,
        "fault": found.fault,
        "fault_at": found.fault_at,
        "rows": view.rows,
        "verdicts": dict(view.verdicts),
        "reasons": dict(found.reasons),
        "settles_on": {day.isoformat(): n for day, n in found.settles_on.items()},
        "grams": view.grams.value,
        "points": view.points.value,
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "outcomes": ['
    separator = ""
    for row in batch_rows(batch_id):
        said = dict(zip(COLUMNS, (row.row_number, *row.cells(locale)[1:]), strict=True))
        yield f"{separator}\n{json.dumps(said, ensure_ascii=False)}"
        separator = ","
    yield "\n]}\n"


def _outcomes(batch_id: int) -> Iterator[ReportRow]:
    rows = RowOutcome.objects.filter(batch_id=batch_id).order_by("row_number")
    count_now = rows_readmitted(batch_id)
    for one in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if one.row_number in count_now:
            continue
        yield ReportRow(
            row_number=one.row_number,
            verdict=one.verdict,
            reason=one.reason,
            field=one.field,
            value=one.value,
        )


def _clipped(batch_id: int) -> Iterator[ReportRow]:
    """Yield the clipped rows out of the chunks of the batch's postings; only these few are kept in memory."""
    found = [
        table
        for posting in Posting.objects.filter(batch_id=batch_id).order_by("id")
        for table in _clipped_of(posting)
    ]
    if not found:
        return
    clipped = pa.concat_tables(found).sort_by("row")
    for part in clipped.to_batches(max_chunksize=ROWS_AT_ONCE):
        for item in part.to_pylist():
            yield ReportRow(
                row_number=item["row"],
                verdict=Verdict.CLIPPED.value,
                reason="CLIPPED_BY_CAP",
                field=item["field"],
                value="",
                asked=item["asked"],
                granted=item["granted"],
            )


def _clipped_of(posting: Posting) -> Iterator[pa.Table]:
    item = capped_field(methodology.loaded(posting.methodology_version_id))
    code = item.code if item is not None else ""
    chunks = RecordChunk.objects.filter(posting_id=posting.pk).order_by("bucket")
    for payload in chunks.values_list("amounts", flat=True).iterator(chunk_size=8):
        table = decode_payload(bytes(payload))
        cut = table.filter(pa.compute.equal(table.column("verdict"), Verdict.CLIPPED.value))
        if not cut.num_rows:
            continue
        asked = cut.column(code) if code else pa.repeat(pa.scalar("1"), cut.num_rows)
        yield pa.table(
            {
                "row": cut.column("row").cast(pa.int64()),
                "field": pa.repeat(pa.scalar(code), cut.num_rows),
                "asked": pa.compute.cast(asked, pa.string()),
                "granted": pa.compute.cast(cut.column("granted"), pa.string()),
            }
        )


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
