"""What a partner sent on a day and what became of each record now (对账文件): totals by batch, and a line a record.

Made anew whenever it is asked for, so that late settlements and records taken back are in it; a chunk at a time is in memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.adapters.exceptions import excluded_rows
from tanpuhui.behaviour.activity.adapters.waiting import payloads
from tanpuhui.behaviour.activity.domain import Verdict, neutral_cell
from tanpuhui.behaviour.activity.domain.plausibility import HELD
from tanpuhui.behaviour.activity.models import Batch, Posting, RecordChunk, RowOutcome, WaitingRows
from tanpuhui.behaviour.activity.queries._settlements import rows_readmitted
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points

COLUMNS = ("batch", "row", "record_id", "day", "scenario", "verdict", "reason", "grams")
TAKEN_BACK = "taken_back"
"""A record that counted and was taken back since; it gives no grams now."""
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchTotals:
    """A batch of the day: its file's hash, rows by verdict as they stand now, grams and points as they were credited."""

    batch_id: int
    file_name: str
    file_sha256: str
    received_at: datetime
    state: str
    rows: int
    verdicts: dict[str, int]
    grams: Grams
    points: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """The batches that a partner sent on a day in China, the first that came first; pushed records are batches too."""

    partner_id: int
    day: date
    batches: tuple[BatchTotals, ...]

    @property
    def rows(self) -> int:
        """Return how many rows came."""
        return sum(one.rows for one in self.batches)

    @property
    def verdicts(self) -> dict[str, int]:
        """Return the rows by verdict."""
        found: dict[str, int] = {}
        for one in self.batches:
            for verdict, n in one.verdicts.items():
                found[verdict] = found.get(verdict, 0) + n
        return found

    @property
    def grams(self) -> Grams:
        """Return what was credited for them."""
        return Grams.total(one.grams for one in self.batches)

    @property
    def points(self) -> Points:
        """Return what was credited for them."""
        return Points.total(one.points for one in self.batches)


def reconciliation(*, partner_id: int, day: date) -> Reconciliation:
    """Return the totals of what a partner sent on a day."""
    return Reconciliation(
        partner_id=partner_id,
        day=day,
        batches=tuple(_totals(row) for row in _batches(partner_id, first=day, last=day)),
    )


def reconciliations(*, partner_id: int, last_day: date, days: int) -> tuple[Reconciliation, ...]:
    """Return the totals of each of so many days on which a partner sent something, the newest day first."""
    rows = _batches(partner_id, first=last_day - timedelta(days=days - 1), last=last_day)
    found = [
        Reconciliation(partner_id=partner_id, day=day, batches=tuple(_totals(row) for row in several))
        for day, several in groupby(rows, key=lambda row: business_day(row.received_at))
    ]
    return tuple(reversed(found))


def reconciliation_csv(*, partner_id: int, day: date) -> Iterator[str]:
    """Yield a line for every record that a partner sent on a day, in which no spreadsheet finds a formula.

    Within a batch come the records that count, those that wait, then the others by row. Of a row that could not be read
    only its number is known; it stands as it was sent in the partner's own file.
    """
    yield _line(COLUMNS)
    for batch in _batches(partner_id, first=day, last=day):
        yield from _counted(batch.pk)
        yield from _waiting(batch.pk)
        rows = RowOutcome.objects.filter(batch_id=batch.pk).order_by("row_number")
        count_now = rows_readmitted(batch.pk)
        for one in rows.iterator(chunk_size=ROWS_AT_ONCE):
            if one.row_number in count_now:
                continue
            yield _line((batch.pk, one.row_number, "", "", "", one.verdict, one.reason, 0))


def _batches(partner_id: int, *, first: date, last: date) -> Sequence[Batch]:
    begins, ends = (datetime.combine(day, time(), CHINA) for day in (first, last + timedelta(days=1)))
    rows = Batch.objects.filter(partner_id=partner_id, received_at__gte=begins, received_at__lt=ends)
    return list(rows.order_by("received_at", "id"))


def _totals(row: Batch) -> BatchTotals:
    report = row.report or {"rows": 0, "verdicts": {}, "grams": 0, "points": 0}
    return BatchTotals(
        batch_id=row.pk,
        file_name=row.file_name,
        file_sha256=row.file_sha256,
        received_at=row.received_at,
        state=str(row.state),
        rows=int(report["rows"]),
        verdicts=dict(report["verdicts"]),
        grams=Grams(report["grams"]),
        points=Points(report["points"]),
    )


def _counted(batch_id: int) -> Iterator[str]:
    postings = list(Posting.objects.filter(batch_id=batch_id).order_by("id").values_list("id", "scenario"))
    gone = {
        number: set(rows.tolist()) for number, rows in excluded_rows([one for one, _ in postings]).items()
    }
    for posting_id, scenario in postings:
        out = gone.get(posting_id, set())
        chunks = RecordChunk.objects.filter(posting_id=posting_id).order_by("bucket")
        for amounts, traces in chunks.values_list("amounts", "traces").iterator(chunk_size=1):
            held = decode_payload(bytes(amounts)).select(["row", "day", "verdict", "grams", "floor_g"])
            ids = (
                decode_payload(bytes(traces)).column("record_id").to_pylist()
                if traces
                else [None] * held.num_rows
            )
            for row, record_id in zip(held.to_pylist(), ids, strict=True):
                back = row["row"] in out
                yield _line(
                    (
                        batch_id, row["row"], neutral_cell(record_id or ""), row["day"].isoformat(), scenario,
                        TAKEN_BACK if back else row["verdict"], "", 0 if back else row["grams"] + row["floor_g"],
                    )
                )  # fmt: skip


def _waiting(batch_id: int) -> Iterator[str]:
    rows = WaitingRows.objects.filter(batch_id=batch_id, day_settlement__isnull=True, part__gte=0).order_by(
        "id"
    )
    for one in rows:
        reason = HELD if one.held_for and one.settles_on is None else "SETTLES_LATER"
        for table in payloads(one.pk):
            for row in table.select(["row_number", "record_id"]).to_pylist():
                yield _line(
                    (
                        batch_id, row["row_number"], neutral_cell(row["record_id"]), one.day.isoformat(), one.scenario,
                        Verdict.WAITING.value, reason, 0,
                    )
                )  # fmt: skip


def _line(cells: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
