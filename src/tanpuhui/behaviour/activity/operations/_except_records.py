"""Take posted records back, or let them count again: by entries on the accounts, never by deletion (冲回、恢复)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import numpy as np
import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.exceptions import Effect, effects_of, excluded_rows
from tanpuhui.behaviour.activity.adapters.slices import day_totals
from tanpuhui.behaviour.activity.domain import RecordNotFound, points_for
from tanpuhui.behaviour.activity.domain.exceptions import (
    DISOWNED,
    LEDGER_KIND,
    ExceptionKind,
    RecalculationRuns,
    RecordExcludedAlready,
    RecordNotExcluded,
    RecordRef,
    records_sha256,
)
from tanpuhui.behaviour.activity.domain.recalculations import RecalculationState
from tanpuhui.behaviour.activity.events import RecordsTakenBack
from tanpuhui.behaviour.activity.models import ExceptionRun, Posting, Recalculation, RecordException
from tanpuhui.behaviour.activity.operations._post_batch._allowance import add_use
from tanpuhui.behaviour.activity.operations._post_batch._book import DEFICIT_MEASURE
from tanpuhui.behaviour.activity.operations._post_batch._post import POSTING_LOCK
from tanpuhui.behaviour.activity.operations._post_batch._write import SYSTEM_CODE
from tanpuhui.books.ledger.operations import AccountDayLegs, post_account_days
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsExcepted:
    """A run of exceptions: records, what changed in grams and points, and what of a loss is due."""

    run_id: int
    records: int
    grams: Grams
    points: Points
    due_grams: Grams
    due_points: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    posting_id: int
    row: int
    account_id: int
    day: date
    grams: int
    points: int
    because: str


def effects_lock(scenario: str) -> str:
    """Return the name of the lock under which what a scenario's records give is changed after the posting."""
    return f"activity:effects:{scenario}"


@operation(roles={Role.SYSTEM}, subject="exception_run:{run_id}")
def exclude_records(
    *,
    actor: Actor,
    at: datetime,
    records: tuple[RecordRef, ...],
    reason: str,
    note: str = "",
    case_id: int | None = None,
) -> RecordsExcepted:
    """Take records of one scenario back: what each gives now leaves its account on the day of the behaviour.

    What the account does not hold any more becomes due. Used allowance is not given back: it was used in posting order.
    A building block for the nightly audit and for decided cases.
    Raises RecordNotFound, RecordExcludedAlready, RecalculationRuns (retryable), Invalid.
    """
    scenario, postings = _postings(records)
    # New records of the same days would move the floor that what is taken back is measured by.
    lock_names(effects_lock(scenario), POSTING_LOCK)
    _check_recalculations(scenario)
    gone = {key: set(rows.tolist()) for key, rows in excluded_rows(list(postings)).items()}
    changes: list[_Change] = []
    days = _Days(scenario)
    for posting_id, several in _by_posting(records).items():
        out = gone.get(posting_id, set())
        for ref in several:
            if ref.row in out:
                raise RecordExcludedAlready(posting_id=posting_id, row=ref.row)
        changes += _losses(postings[posting_id], several, out, days)
    days.keep_deficits()
    return _write(scenario, ExceptionKind.EXCLUDED, changes, reason=reason, note=note, case_id=case_id, at=at)


@operation(roles={Role.SYSTEM}, subject="exception_run:{run_id}")
def reinstate_records(
    *,
    actor: Actor,
    at: datetime,
    records: tuple[RecordRef, ...],
    reason: str,
    note: str = "",
    case_id: int | None = None,
) -> RecordsExcepted:
    """Let records of one scenario count again: what was taken for them is given back, as far as the day's floor lets it.

    Raises RecordNotFound, RecordNotExcluded, RecalculationRuns (retryable), Invalid.
    """
    scenario, postings = _postings(records)
    lock_names(effects_lock(scenario), POSTING_LOCK)
    _check_recalculations(scenario)
    gone = {key: set(rows.tolist()) for key, rows in excluded_rows(list(postings)).items()}
    changes: list[_Change] = []
    days = _Days(scenario)
    for posting_id, several in _by_posting(records).items():
        for ref in several:
            if ref.row not in gone.get(posting_id, set()):
                raise RecordNotExcluded(posting_id=posting_id, row=ref.row)
        changes += _gains(postings[posting_id], several, days)
    days.keep_deficits()
    return _write(
        scenario, ExceptionKind.REINSTATED, changes, reason=reason, note=note, case_id=case_id, at=at
    )


def _postings(records: Sequence[RecordRef]) -> tuple[str, dict[int, Posting]]:
    found = Posting.objects.in_bulk(sorted({ref.posting_id for ref in records}))
    for ref in records:
        if ref.posting_id not in found:
            raise RecordNotFound(posting_id=ref.posting_id, row=ref.row)
    scenarios = {row.scenario for row in found.values()}
    if len(scenarios) != 1:
        raise Invalid(
            field="records", why="一次只能处理一个场景的记录 records of one scenario, and at least one"
        )
    return scenarios.pop(), found


def _check_recalculations(scenario: str) -> None:
    running = Recalculation.objects.filter(
        scenario=scenario, state__in=[RecalculationState.PROPOSED, RecalculationState.ADJUSTING]
    )
    if running.exists():
        raise RecalculationRuns(scenario=scenario)


def _by_posting(records: Sequence[RecordRef]) -> dict[int, list[RecordRef]]:
    found: dict[int, list[RecordRef]] = {}
    for ref in sorted(records, key=lambda one: (one.posting_id, one.row)):
        found.setdefault(ref.posting_id, []).append(ref)
    return found


class _Days:
    """What the account-days in question give before any floor, while records are taken from them (methodologies.md section 2.7).

    An account-day is credited with max(0, P), so taking g from it costs max(0, P) - max(0, P - g); how far it stands below
    zero is kept as its deficit, as postings do.
    """

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario
        self._sums: dict[tuple[int, date], int] = {}
        self._first: dict[tuple[int, date], int] = {}
        self._read: set[tuple[int, str]] = set()

    def load(self, month: str, accounts: Sequence[int]) -> None:
        """Read what these accounts have in a month, once."""
        fresh = sorted({account for account in accounts if (account, month) not in self._read})
        if fresh:
            found = day_totals(scenario=self._scenario, month=month, accounts=fresh)
            self._sums |= found
            self._first |= found
            self._read |= {(account, month) for account in fresh}

    def take(self, key: tuple[int, date], grams: int) -> int:
        """Take grams from an account-day and return what that costs it."""
        before = self._sums.setdefault(key, 0)
        self._first.setdefault(key, 0)
        self._sums[key] = before - grams
        return max(0, before) - max(0, before - grams)

    def keep_deficits(self) -> None:
        """Write down how the deficits changed."""
        changed = {
            key: min(0, self._sums[key]) - min(0, first)
            for key, first in sorted(self._first.items())
            if min(0, self._sums[key]) != min(0, first)
        }
        use = pa.table(
            {
                "account_id": pa.array([account_id for account_id, _ in changed], pa.int64()),
                "period_start": pa.array([day for _, day in changed], pa.date32()),
                "micro": pa.array([grams * calculator.MICRO for grams in changed.values()], pa.int64()),
            }
        )
        add_use(scenario=self._scenario, measure=DEFICIT_MEASURE, use=use)


def _losses(posting: Posting, refs: Sequence[RecordRef], out: set[int], days: _Days) -> list[_Change]:
    """Return what taking these records back costs their accounts; points by the posting's own rule over the day's rest."""
    effects = effects_of(posting.pk, chunks=posting.chunks)
    of_row: dict[int, Effect] = {one.row: one for one in effects}
    for ref in refs:
        if ref.row not in of_row:
            raise RecordNotFound(posting_id=posting.pk, row=ref.row)
    days.load(posting.month, [of_row[ref.row].account_id for ref in refs])
    totals: dict[tuple[int, date], int] = {}
    for one in effects:
        if one.row not in out:
            totals[one.account_id, one.day] = totals.get((one.account_id, one.day), 0) + one.grams
    changes = []
    for ref in refs:
        one = of_row[ref.row]
        key = (one.account_id, one.day)
        cost = days.take(key, one.grams)
        before, totals[key] = totals[key], totals[key] - one.grams
        with_it, without = points_for(
            np.maximum([before, before - cost], 0), _rate(posting, one.day)
        ).tolist()
        changes.append(
            _Change(
                posting_id=posting.pk,
                row=ref.row,
                account_id=one.account_id,
                day=one.day,
                grams=-cost,
                points=without - with_it,
                because=ref.because,
            )
        )
    return changes


def _gains(posting: Posting, refs: Sequence[RecordRef], days: _Days) -> list[_Change]:
    """Return what letting these records count again gives their accounts: the points that were taken, where the grams are the same."""
    of_row = {one.row: one for one in effects_of(posting.pk, chunks=posting.chunks)}
    days.load(posting.month, [of_row[ref.row].account_id for ref in refs])
    changes = []
    for ref in refs:
        one = of_row[ref.row]
        last = RecordException.objects.filter(posting_id=posting.pk, row_number=ref.row).latest("run_id")
        gain = -days.take((one.account_id, one.day), -one.grams)
        same = gain == -last.grams.value
        (points,) = points_for(np.array([gain]), _rate(posting, one.day)).tolist()
        changes.append(
            _Change(
                posting_id=posting.pk,
                row=ref.row,
                account_id=one.account_id,
                day=one.day,
                grams=gain,
                points=-last.points.value if same else points,
                because=ref.because,
            )
        )
    return changes


def _rate(posting: Posting, day: date) -> Fraction:
    """Return the points of a gram on a day, by the rule that the posting kept."""
    for rule in posting.points_rules:
        if date.fromisoformat(rule["first_day"]) <= day <= date.fromisoformat(rule["last_day"]):
            return Fraction(rule["value"])
    message = f"posting {posting.pk} keeps no points rule for {day}"
    raise AssertionError(message)


def _write(
    scenario: str,
    kind: ExceptionKind,
    changes: Sequence[_Change],
    *,
    reason: str,
    note: str,
    case_id: int | None,
    at: datetime,
) -> RecordsExcepted:
    """Write the run and its records, and post the journal, which locks balances and so comes last."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('activity_exception_run', 'id'))")
        run_id = int(cursor.fetchone()[0])
    RecordException.objects.bulk_create(
        (
            RecordException(
                posting_id=one.posting_id,
                row_number=one.row,
                run_id=run_id,
                account_id=one.account_id,
                day=one.day,
                grams=Grams(one.grams),
                points=Points(one.points),
                because=one.because,
            )
            for one in changes
        ),
        batch_size=5_000,
    )
    legs = _legs(changes)
    journal = (
        post_account_days(
            kind=LEDGER_KIND, reference=f"exception:{run_id}", at=at, system_code=SYSTEM_CODE, legs=legs
        )
        if len(legs.account_id)
        else None
    )
    run = ExceptionRun.objects.create(
        id=run_id,
        scenario=scenario,
        kind=kind,
        reason=reason,
        note=note,
        case_id=case_id,
        records=len(changes),
        grams=Grams(sum(one.grams for one in changes)),
        points=Points(sum(one.points for one in changes)),
        due_grams=journal.due_grams if journal else Grams(0),
        due_points=journal.due_points if journal else Points(0),
        records_sha256=records_sha256(
            (one.posting_id, one.row, one.account_id, one.day, one.grams, one.points) for one in changes
        ),
        journal_id=journal.journal_id if journal else None,
        made_at=at,
    )
    if kind is ExceptionKind.EXCLUDED and reason != DISOWNED:  # who disowned a record hears of it by the case
        publish(RecordsTakenBack(run_id=run.pk))
    return RecordsExcepted(
        run_id=run.pk,
        records=run.records,
        grams=run.grams,
        points=run.points,
        due_grams=run.due_grams,
        due_points=run.due_points,
    )


def _legs(changes: Sequence[_Change]) -> AccountDayLegs:
    """Return one leg an account and day, sorted; a day on which nothing changed has none."""
    sums: dict[tuple[int, date], list[int]] = {}
    for one in changes:
        held = sums.setdefault((one.account_id, one.day), [0, 0, 0])
        held[0] += one.grams
        held[1] += one.points
        held[2] += 1
    keys = sorted(key for key, held in sums.items() if held[0] or held[1])
    return AccountDayLegs(
        account_id=np.array([account_id for account_id, _ in keys], np.int64),
        day=np.array([day for _, day in keys], "datetime64[D]"),
        grams=np.array([sums[key][0] for key in keys], np.int64),
        points=np.array([sums[key][1] for key in keys], np.int64),
        n_records=np.array([sums[key][2] for key in keys], np.int64),
    )
