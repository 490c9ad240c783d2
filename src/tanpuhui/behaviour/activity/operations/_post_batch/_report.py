"""Step 11, report (批次报告): every row has one verdict; the counts add up or nothing is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.csv
from django.db import connection

from tanpuhui.behaviour.activity.domain import FileUnusable, Verdict
from tanpuhui.behaviour.activity.domain.plausibility import HELD
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk


def write_outcomes(desk: Desk) -> None:
    """Write the rows that were not counted in full to the database, as lines of CSV that the tables write themselves."""
    found = desk.tables.sql(
        f"select {desk.batch_id}::bigint as batch_id, row_number, verdict, reason, field, value from outcome "
        "order by row_number"
    ).to_arrow_table()
    if found.num_rows == 0:
        return
    lines = pa.BufferOutputStream()
    pa.csv.write_csv(found, lines, pa.csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy activity_row_outcome (batch_id, row_number, verdict, reason, field, value) from stdin "
            "with (format csv, force_not_null (reason, field, value))"
        ) as copy,
    ):
        copy.write(lines.getvalue())


@dataclass(kw_only=True, slots=True)
class Tally:
    """What became of the rows of a batch so far, slice by slice."""

    rows: int = 0
    verdicts: dict[str, int] = field(default_factory=lambda: {verdict.value: 0 for verdict in Verdict})
    reasons: dict[str, int] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)

    def add(self, desk: Desk, postings: Sequence[Posting]) -> None:
        """Add a slice. Raises AssertionError, which undoes the transaction, when a row has no verdict or two."""
        verdicts, reasons = _counts(desk)
        if sum(verdicts.values()) != desk.rows:
            message = f"batch {desk.batch_id}: {desk.rows} rows, but verdicts {verdicts}"
            raise AssertionError(message)
        self.rows += desk.rows
        for code, n in verdicts.items():
            self.verdicts[code] += n
        for code, n in reasons.items():
            self.reasons[code] = self.reasons.get(code, 0) + n
        self.postings.extend(postings)
        for settles_on, n in desk.waiting.items():
            self.waiting[settles_on.isoformat()] = self.waiting.get(settles_on.isoformat(), 0) + n

    def report(self) -> dict[str, Any]:
        """Return the stored report: rows, one count per verdict, one per reason, postings with grams and points."""
        return {
            "rows": self.rows,
            "verdicts": self.verdicts,
            "reasons": self.reasons,
            "fault": None,
            "postings": [posting.pk for posting in self.postings],
            "grams": sum(posting.grams.value for posting in self.postings),
            "points": sum(posting.points.value for posting in self.postings),
            "settles_on": self.waiting,
        }


def settled_report(
    report: Mapping[str, Any], tally: Tally, settles_on: Mapping[str, int], *, held: int
) -> dict[str, Any]:
    """Return a batch's report after some of its waiting rows were settled: they move to what became of them.

    `settles_on` counts the rows that do not wait for these days any more, `held` those that had been held for review.
    """
    found = tally.report()
    verdicts = {code: n + found["verdicts"].get(code, 0) for code, n in report["verdicts"].items()}
    verdicts[Verdict.WAITING] -= tally.rows
    reasons = dict(report["reasons"])
    for code, n in (*found["reasons"].items(), ("SETTLES_LATER", held - tally.rows), (HELD, -held)):
        reasons[code] = reasons.get(code, 0) + n
    rest = {day: n - settles_on.get(day, 0) for day, n in report["settles_on"].items()}
    return {
        **report,
        "verdicts": verdicts,
        "reasons": {code: n for code, n in reasons.items() if n},
        "postings": [*report["postings"], *found["postings"]],
        "grams": report["grams"] + found["grams"],
        "points": report["points"] + found["points"],
        "settles_on": {day: n for day, n in rest.items() if n},
    }


def readmitted_report(
    report: Mapping[str, Any], tally: Tally, *, before: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return a batch's report after appeals let rows count: these leave the verdict and reason that they had `before`.

    `readmitted` says of how many rows the noted outcome is history.
    """
    found = tally.report()
    verdicts, reasons = dict(report["verdicts"]), dict(report["reasons"])
    for verdict, reason in before:
        verdicts[verdict] -= 1
        reasons[reason] -= 1
    for verdict in (Verdict.COUNTED, Verdict.CLIPPED):
        verdicts[verdict] += found["verdicts"][verdict]
    clipped = found["verdicts"][Verdict.CLIPPED]
    reasons["CLIPPED_BY_CAP"] = reasons.get("CLIPPED_BY_CAP", 0) + clipped
    return {
        **report,
        "verdicts": verdicts,
        "reasons": {code: n for code, n in reasons.items() if n},
        "readmitted": report.get("readmitted", 0) + len(before),
        "postings": [*report["postings"], *found["postings"]],
        "grams": report["grams"] + found["grams"],
        "points": report["points"] + found["points"],
    }


def _counts(desk: Desk) -> tuple[dict[str, int], dict[str, int]]:
    verdicts = {verdict.value: 0 for verdict in Verdict}
    reasons: dict[str, int] = {}
    for verdict, reason, n in desk.tables.execute(
        "select verdict, reason, count(*) from outcome group by all order by 1, 2"
    ).fetchall():
        verdicts[verdict] += n
        reasons[reason] = reasons.get(reason, 0) + n
    counted = desk.counts("keyed")
    clipped = sum(
        desk.tables.execute(
            f"select count(*) from inputs_{version_id} as i semi join keyed as k on k.row_number = i.row_no "
            "where i.granted is not null"
        ).fetchall()[0][0]
        for version_id in desk.versions
        if desk.has(f"inputs_{version_id}")
    )
    verdicts[Verdict.COUNTED] += counted - clipped
    verdicts[Verdict.CLIPPED] += clipped
    if clipped:
        reasons["CLIPPED_BY_CAP"] = clipped
    if desk.waiting:
        verdicts[Verdict.WAITING] += sum(desk.waiting.values())
        reasons["SETTLES_LATER"] = sum(desk.waiting.values())
    if desk.held:
        reasons[HELD] = sum(desk.held.values())
        verdicts[Verdict.WAITING] += reasons[HELD]
    return verdicts, reasons


def refused_report(error: FileUnusable) -> dict[str, Any]:
    """Return the report of a file of which nothing could be read."""
    return {
        "rows": 0,
        "verdicts": {verdict.value: 0 for verdict in Verdict},
        "reasons": {},
        "fault": {"code": error.fault, "at": error.at},
        "postings": [],
        "grams": 0,
        "points": 0,
        "settles_on": {},
    }
