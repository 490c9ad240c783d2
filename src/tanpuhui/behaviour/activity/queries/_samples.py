"""Samples of the sandbox: their reports, rows, and why a row gave what it gave."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute

from tanpuhui.behaviour.activity.adapters.contents import opened_rows, report_of
from tanpuhui.behaviour.activity.domain import FileUnusable, RecordNotFound, neutral_cell, reason_text
from tanpuhui.behaviour.activity.domain.quality import (
    QualityReport,
    SampleMissing,
    SampleNotPassed,
    SampleRowsGone,
    SampleVerdict,
)
from tanpuhui.behaviour.activity.models import Sample, SampleAcceptance
from tanpuhui.behaviour.activity.queries._applications import application
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.science.engine.explanation import Explanation, explain
from tanpuhui.science.methodology import queries as methodology

REPORT_FORMAT = "tanpuhui-quality-report/1"
_LISTED = ("content", "rows")


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptanceView:
    """Who accepted a sample in writing, when, and why."""

    reason: str
    accepted_by_kind: str
    accepted_by_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleView:
    """A sample with its report. `current`: it was tried under the definition that the application has now."""

    id: int
    application_id: int
    version: int
    definition_sha256: str
    current: bool
    file_name: str
    size_bytes: int
    file_sha256: str
    received_at: datetime
    sent_by_kind: str
    sent_by_id: str
    report: QualityReport
    verdict: str
    erase_on: date | None
    erased_at: datetime | None
    acceptance: AcceptanceView | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRow:
    """One row of a sample: its verdict with the reason, or its grams; not kept beyond the retention time."""

    row_number: int
    verdict: str
    reason: str
    field: str
    value: str
    version_id: int | None
    grams: int | None

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence, empty for a row that counts."""
        return reason_text(self.reason, locale) if self.reason else ""


def sample(sample_id: int) -> SampleView:
    """Return one sample. Raises NotFound."""
    row = Sample.objects.defer(*_LISTED).filter(pk=sample_id).first()
    if row is None:
        raise NotFound(what="沙箱样本 / sample", id=sample_id)
    return _view(row, application(row.application_id).definition_sha256)


def samples(application_id: int) -> tuple[SampleView, ...]:
    """Return the samples of an application, the newest first."""
    current = application(application_id).definition_sha256
    rows = Sample.objects.defer(*_LISTED).filter(application_id=application_id).order_by("-id")
    return tuple(_view(row, current) for row in rows)


def sample_in_force(application_id: int) -> SampleView:
    """Return the sample that proves the present definition: one accepted in writing, else the latest if it passed.

    Raises SampleMissing, SampleNotPassed.
    """
    found = [one for one in samples(application_id) if one.current]
    if not found:
        raise SampleMissing
    accepted = next((one for one in found if one.acceptance is not None), None)
    if accepted is not None:
        return accepted
    latest = found[0]
    if latest.verdict != SampleVerdict.PASSED:
        zh, en = {
            SampleVerdict.FAILED.value: (
                "最近一份没有达到规则的要求",
                "the latest one does not meet the rules",
            ),
        }.get(latest.verdict, ("规则未定，需要人工判断", "the rules are unset, so a person must judge"))
        raise SampleNotPassed(zh=zh, en=en, sample=latest.id)
    return latest


def sample_rows(sample_id: int, *, after_row: int = 0, limit: int = 100) -> tuple[SampleRow, ...]:
    """Return the rows of a sample after a row number. Raises NotFound, SampleRowsGone."""
    table = _rows(sample_id)
    column = table.column("row_number").to_numpy()
    start = int(column.searchsorted(after_row, "right"))
    return tuple(_row(item) for item in table.slice(start, limit).to_pylist())


def sample_outcomes(sample_id: int, *, limit: int = 100) -> tuple[SampleRow, ...]:
    """Return the first rows of a sample that do not count, by number. Raises NotFound, SampleRowsGone."""
    table = _rows(sample_id)
    kept = table.filter(pa.compute.not_equal(table.column("verdict"), "counted"))
    return tuple(_row(item) for item in kept.slice(0, limit).to_pylist())


def sample_report_csv(sample_id: int, *, locale: str = "zh") -> Iterator[str]:
    """Return every row of a sample as CSV lines, in which no spreadsheet finds a formula. Raises NotFound, SampleRowsGone."""
    return _csv_lines(_rows(sample_id), locale)


def _csv_lines(table: pa.Table, locale: str) -> Iterator[str]:
    yield _csv_line(("row_number", "verdict", "reason", "field", "value", "grams", "text"))
    for batch in table.to_batches(max_chunksize=5_000):
        for item in batch.to_pylist():
            row = _row(item)
            cells = (row.verdict, row.reason, row.field, row.value)
            grams = "" if row.grams is None else str(row.grams)
            yield _csv_line(
                (str(row.row_number), *(neutral_cell(cell) for cell in cells), grams, row.text(locale))
            )


def sample_report_json(sample_id: int) -> dict[str, Any]:
    """Return a sample's report as plain data, with what it is of. Raises NotFound."""
    row = Sample.objects.defer(*_LISTED).filter(pk=sample_id).first()
    if row is None:
        raise NotFound(what="沙箱样本 / sample", id=sample_id)
    return {
        "format": REPORT_FORMAT,
        "sample": row.pk,
        "file_name": row.file_name,
        "file_sha256": row.file_sha256,
        "definition_sha256": row.definition_sha256,
        "received_at": row.received_at.isoformat(),
        **row.report,
    }


def file_fault_text(fault: str, at: str, locale: str = "zh") -> str:
    """Return why nothing of a file could be read, as a sentence."""
    return FileUnusable(fault=fault, at=at).message(locale)


def explain_sample_row(sample_id: int, row_number: int, *, locale: str = "zh") -> Explanation:
    """Return why a row of a sample gives so many grams, or does not count. Raises NotFound, SampleRowsGone, RecordNotFound."""
    table = _rows(sample_id)
    found = table.filter(pa.compute.equal(table.column("row_number"), row_number)).to_pylist()
    if not found or found[0]["version_id"] is None:
        raise RecordNotFound(posting_id=f"sample {sample_id}", row=row_number)
    version = methodology.loaded(found[0]["version_id"])
    given = json.loads(found[0]["given"])
    values = {
        item.code: Decimal(given[item.code])
        if item.kind == "number" and given[item.code] is not None
        else given[item.code]
        for item in version.fields
    }
    return explain(version, values, locale=locale)


def _rows(sample_id: int) -> pa.Table:
    row = Sample.objects.defer("content").filter(pk=sample_id).first()
    if row is None:
        raise NotFound(what="沙箱样本 / sample", id=sample_id)
    if row.rows is None:
        raise SampleRowsGone
    return opened_rows(bytes(row.rows))


def _row(item: dict[str, object]) -> SampleRow:
    return SampleRow(
        row_number=int(str(item["row_number"])),
        verdict=str(item["verdict"]),
        reason=str(item["reason"]),
        field=str(item["field"]),
        value=str(item["value"]),
        version_id=None if item["version_id"] is None else int(str(item["version_id"])),
        grams=None if item["grams"] is None else int(str(item["grams"])),
    )


def _view(row: Sample, current: str) -> SampleView:
    accepted = SampleAcceptance.objects.filter(sample_id=row.pk).first()
    return SampleView(
        id=row.pk,
        application_id=row.application_id,
        version=row.version,
        definition_sha256=row.definition_sha256,
        current=row.definition_sha256 == current,
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        file_sha256=row.file_sha256,
        received_at=row.received_at,
        sent_by_kind=row.sent_by_kind,
        sent_by_id=row.sent_by_id,
        report=report_of(row.report),
        verdict=row.verdict,
        erase_on=row.erase_on,
        erased_at=row.erased_at,
        acceptance=None
        if accepted is None
        else AcceptanceView(
            reason=accepted.reason,
            accepted_by_kind=accepted.accepted_by_kind,
            accepted_by_id=accepted.accepted_by_id,
            at=accepted.at,
        ),
    )


def _csv_line(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
