"""Step 9, report (批次报告): every row has one verdict; the counts add up or nothing is posted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from tanpuhui.behaviour.activity.domain import FileUnusable, Verdict
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk

FETCHED_AT_ONCE = 50_000


def write_outcomes(desk: Desk) -> None:
    """Write the rows that were not counted in full to the database."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy activity_row_outcome (batch_id, row_number, verdict, reason, field, value) from stdin"
        ) as copy,
    ):
        found = desk.tables.execute(
            "select row_number, verdict, reason, field, value from outcome order by row_number"
        )
        while rows := found.fetchmany(FETCHED_AT_ONCE):
            for row in rows:
                copy.write_row((desk.batch_id, *row))


def report(desk: Desk, postings: Sequence[Posting]) -> dict[str, Any]:
    """Return the stored report: rows, one count per verdict, one per reason, postings with grams and points.

    Raises AssertionError, which undoes the transaction, when a row has no verdict or two.
    """
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
    if sum(verdicts.values()) != desk.rows:
        message = f"batch {desk.batch_id}: {desk.rows} rows, but verdicts {verdicts}"
        raise AssertionError(message)
    return {
        "rows": desk.rows,
        "verdicts": verdicts,
        "reasons": reasons,
        "fault": None,
        "postings": [posting.pk for posting in postings],
        "grams": sum(posting.grams.value for posting in postings),
        "points": sum(posting.points.value for posting in postings),
    }


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
    }
