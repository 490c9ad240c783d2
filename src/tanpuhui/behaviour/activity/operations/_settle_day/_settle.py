"""The operation: what waits of a business day is compared, and what counts of it is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa
from django.db import connection
from django.db.models import Max

from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.models import (
    Batch,
    DaySettlement,
    Posting,
    Readmission,
    RowOutcome,
    SetAside,
    WaitingRows,
)
from tanpuhui.behaviour.activity.operations._post_batch._post import (
    POSTING_LOCK,
    SLICE_ROWS,
    partner_lock,
    post_keyed,
)
from tanpuhui.behaviour.activity.operations._post_batch._report import (
    Tally,
    readmitted_report,
    settled_report,
)
from tanpuhui.behaviour.activity.operations._post_batch._wait import write_payloads
from tanpuhui.behaviour.activity.operations._settle_day import _exclude, _match, _post
from tanpuhui.behaviour.activity.operations._settle_day._gather import (
    Part,
    Share,
    accounts_of,
    gather,
    refused,
    rides,
    rides_posted,
)
from tanpuhui.behaviour.activity.queries._reading_terms import field_codes
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.science.methodology import queries as methodology


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySettled:
    """What a settlement did: the rows that waited, those that counted, grams and points. No id where nothing was due."""

    day: date
    day_settlement_id: int | None
    rows: int
    counted: int
    grams: Grams
    points: Points


@dataclass(kw_only=True, slots=True)
class _Run:
    """One settlement while it runs: what waits by batch, and what became of it so far; apart what appeals let count."""

    number: int
    day: date
    at: datetime
    waiting: Sequence[WaitingRows]
    fields: tuple[str, ...]
    next_slice: dict[int, int]
    tallies: dict[int, Tally] = field(default_factory=dict)
    appealed: dict[int, Tally] = field(default_factory=dict)


@operation(roles={Role.SYSTEM}, subject="day_settlement:{day}")
def settle_day(*, actor: Actor, at: datetime, day: date) -> DaySettled:
    """Settle every row of a business day whose time has come, in one transaction; a day on which nothing is due is left alone.

    Of one activity that several records tell, the one with the best evidence counts, then the one that came first; what
    was settled before stands, and a late record that tells of the same loses to it. Every row that waited gets its verdict.
    Source: house plan section 4; the rules intake.settle_days, intake.activity_kind, intake.clock_tolerance_s.
    Raises ParameterUnset, Busy (retryable).
    """
    partners = _due(day, at).values_list("batch__partner_id", flat=True).distinct()
    lock_names(POSTING_LOCK, *(partner_lock(partner_id) for partner_id in partners))
    waiting = list(
        _due(day, at).select_related("batch", "decision").order_by("batch__received_at", "batch_id", "id")
    )
    if not waiting:
        return DaySettled(
            day=day, day_settlement_id=None, rows=0, counted=0, grams=Grams(0), points=Points(0)
        )
    run = _begin(day, at, waiting)
    slices = _slices(sum(one.n_records for one in waiting))
    for index in range(slices):
        _settle_slice(run, Share(slices=slices, index=index))
    return _end(run)


def _due(day: date, at: datetime) -> Any:
    return WaitingRows.objects.filter(day=day, day_settlement__isnull=True, settles_on__lte=business_day(at))


def _slices(rows: int) -> int:
    """Return into how many slices of the accounts the rows go so that memory is that of one: a power of two."""
    return 1 << max(0, (max(1, rows) - 1) // SLICE_ROWS).bit_length()


def _begin(day: date, at: datetime, waiting: Sequence[WaitingRows]) -> _Run:
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('activity_day_settlement', 'id'))")
        number = int(cursor.fetchone()[0])
    batches = {one.batch_id for one in waiting}
    last = dict(
        Posting.objects.filter(batch_id__in=batches)
        .values_list("batch_id")
        .annotate(last=Max("slice_number"))
    )
    scenarios = {one.scenario for one in waiting}
    return _Run(
        number=number,
        day=day,
        at=at,
        waiting=waiting,
        fields=field_codes(
            view.id
            for view in methodology.library()
            if view.scenario in scenarios and view.filed_at is not None
        ),
        # Zero is the batch's own first slice, also where nothing of it was posted.
        next_slice={batch_id: last.get(batch_id, 0) + 1 for batch_id in batches},
    )


def _settle_slice(run: _Run, share: Share) -> None:
    """Settle the rows of a slice of the accounts: every row that may meet another is in it."""
    parts = gather(run.waiting, share)
    if not parts:
        return
    waiting = rides(parts)
    posted = rides_posted(run.day, accounts_of(parts), share)
    scenarios = set(waiting.column("scenario").unique().to_pylist())
    kinds = _match.kinds(scenarios | set(posted.column("scenario").unique().to_pylist()), run.day)
    lost = pa.concat_tables(
        [_match.match(pa.concat_tables([waiting, posted]), kinds, run.day), refused(parts)]
    )
    with ExitStack() as stack:
        desks = []
        for _, several in groupby(parts, key=lambda part: (part.waiting.batch_id, part.stands)):
            own = list(several)
            tables = stack.enter_context(closing(open_tables()))
            desk = _desk(run, own, tables)
            _post.calculate(desk, lost)
            desks.append(desk)
        _exclude.exclude(desks, posted)
        for desk in desks:
            _post.keep(desk)
            postings = post_keyed(desk)
            tallies = run.appealed if desk.stands else run.tallies
            tallies.setdefault(desk.batch_id, Tally()).add(desk, postings)
        _set_aside(parts, share, lost, pa.concat_tables([_post.outcomes(desk) for desk in desks]))


def _desk(run: _Run, parts: Sequence[Part], tables: Any) -> Any:
    batch = parts[0].waiting.batch
    slice_number = run.next_slice[batch.pk]
    run.next_slice[batch.pk] += 1
    return _post.desk_of(
        batch,
        parts,
        at=run.at,
        tables=tables,
        fields=run.fields,
        slice_number=slice_number,
        day_settlement_id=run.number,
        stands=parts[0].stands,
    )


def _set_aside(parts: Sequence[Part], share: Share, lost: pa.Table, outcomes: pa.Table) -> None:
    """Keep the rows that do not count, as they waited, each with its reason and the record that counts instead."""
    with closing(open_tables()) as tables, connection.cursor() as cursor:
        tables.register("lost", lost)
        tables.register("found", outcomes)
        for part in parts:
            tables.register("waited", part.rows)
            rows = tables.sql(
                "select w.*, f.reason, l.winner_batch, l.winner_row from waited as w "
                f"join (select row_number, reason from found where waiting_id = {part.waiting.pk}) as f using (row_number) "
                "left join (select row_number, winner_batch, winner_row from lost "
                f"where waiting_id = {part.waiting.pk}) as l using (row_number)"
            ).to_arrow_table()
            tables.unregister("waited")
            if rows.num_rows:
                write_payloads(
                    cursor,
                    "activity_set_aside",
                    part.waiting.pk,
                    rows,
                    max(part.waiting.chunks, share.slices),
                )


def _end(run: _Run) -> DaySettled:
    """Write the settlement down, move its rows in the reports of their batches, and let the waiting rows go."""
    reports = [tally.report() for tally in (*run.tallies.values(), *run.appealed.values())]
    verdicts = [report["verdicts"] for report in reports]
    settlement = DaySettlement.objects.create(
        id=run.number,
        day=run.day,
        settled_at=run.at,
        rows=sum(report["rows"] for report in reports),
        counted=sum(one["counted"] + one["clipped"] for one in verdicts),
        reasons=_sums([report["reasons"] for report in reports]),
        grams=Grams(sum(report["grams"] for report in reports)),
        points=Points(sum(report["points"] for report in reports)),
    )
    ids = [one.pk for one in run.waiting]
    WaitingRows.objects.filter(pk__in=ids).update(day_settlement=settlement)
    with connection.cursor() as cursor:
        cursor.execute("delete from activity_waiting_chunk where waiting_id = any(%s)", [ids])
    _write_reports(run)
    return DaySettled(
        day=run.day,
        day_settlement_id=settlement.pk,
        rows=settlement.rows,
        counted=settlement.counted,
        grams=settlement.grams,
        points=settlement.points,
    )


def _write_reports(run: _Run) -> None:
    """Move the settled rows in the reports of their batches."""
    ids = {*run.tallies, *run.appealed}
    for batch in Batch.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
        if batch.pk in run.tallies:
            batch.report = settled_report(
                batch.report,
                run.tallies[batch.pk],
                _days(run.waiting, batch.pk),
                held=sum(one.n_records for one in run.waiting if one.batch_id == batch.pk and one.held_for),
            )
        if batch.pk in run.appealed:
            batch.report = readmitted_report(
                batch.report, run.appealed[batch.pk], before=_before(run.number, batch.pk)
            )
        batch.save(update_fields=["report"])


def _before(number: int, batch_id: int) -> list[tuple[str, str]]:
    """Return verdict and reason, as they were noted, of the rows of a batch that appeals let count in this settlement."""
    readmitted = Readmission.objects.filter(waiting__day_settlement_id=number, waiting__batch_id=batch_id)
    aside = set(
        SetAside.objects.filter(waiting_id__in=readmitted.values("waiting_id")).values_list(
            "waiting_id", flat=True
        )
    )
    rows = [
        row
        for waiting_id, row in readmitted.values_list("waiting_id", "row_number")
        if waiting_id not in aside
    ]
    noted = RowOutcome.objects.filter(batch_id=batch_id, row_number__in=rows).order_by("row_number")
    return list(noted.values_list("verdict", "reason"))


def _days(waiting: Sequence[WaitingRows], batch_id: int) -> Mapping[str, int]:
    """Return how many rows of a batch waited for which day."""
    return _sums(
        [
            {one.settles_on.isoformat(): one.n_records}
            for one in waiting
            if one.batch_id == batch_id and one.part == 0 and one.settles_on is not None
        ]
    )


def _sums(several: Sequence[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in several:
        for code, n in one.items():
            found[code] = found.get(code, 0) + n
    return found
