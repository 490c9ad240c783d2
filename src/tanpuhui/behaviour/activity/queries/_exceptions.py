"""Records that do not count any more, or again, and why (记录例外)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Max

from tanpuhui.behaviour.activity.domain import reason_text
from tanpuhui.behaviour.activity.domain.exceptions import (
    APPEAL_UPHELD,
    REASONS_OF_EXCEPTIONS,
    ExceptionKind,
    records_sha256,
)
from tanpuhui.behaviour.activity.models import ExceptionRun, KeyAudit, Posting, Readmission, RecordException
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams, Points


@dataclass(frozen=True, kw_only=True, slots=True)
class ExceptionView:
    """One exception of a record: what it took (negative) or gave back, why, and the record that counts instead."""

    run_id: int
    kind: str
    reason: str
    note: str
    case_id: int | None
    made_at: datetime
    scenario: str
    posting_id: int
    row: int
    account_id: int
    day: date
    grams: Grams
    points: Points
    because: str

    @property
    def excluded(self) -> bool:
        """Say whether the record stopped counting by it."""
        return self.kind == ExceptionKind.EXCLUDED

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence."""
        zh, en = REASONS_OF_EXCEPTIONS.get(self.reason, (self.reason, self.reason))
        return en if locale.startswith("en") else zh


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenBackRun:
    """A run that took records back: of which scenario, why, what was noted of it, and whose accounts they were of."""

    run_id: int
    scenario: str
    reason: str
    note: str
    account_ids: tuple[int, ...]

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence, with what was noted."""
        zh, en = REASONS_OF_EXCEPTIONS.get(self.reason, (self.reason, self.reason))
        return " ".join(filter(None, (en if locale.startswith("en") else zh, self.note)))


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthException:
    """What a run of exceptions changed in the certifiable postings of a month, and the hash over its records."""

    run_id: int
    month: str
    grams: Grams
    records_sha256: str


def reason_said(reason: str, language: str = "zh") -> str:
    """Return why a record does not count as a sentence, whether it was set aside or taken back."""
    known = REASONS_OF_EXCEPTIONS.get(reason)
    if known is None:
        return reason_text(reason, language) if reason else ""
    return known[1] if language.startswith("en") else known[0]


def exceptions_of_account(*, account_id: int, first_day: date, last_day: date) -> tuple[ExceptionView, ...]:
    """Return the exceptions of an account's records of these days, the last one first."""
    rows = list(
        RecordException.objects.filter(account_id=account_id, day__range=(first_day, last_day)).order_by(
            "-run_id", "posting_id", "row_number"
        )
    )
    runs = ExceptionRun.objects.in_bulk({row.run_id for row in rows})
    return tuple(_view(row, runs[row.run_id]) for row in rows)


def exceptions_of_run(run_id: int) -> tuple[ExceptionView, ...]:
    """Return the records of a run."""
    run = ExceptionRun.objects.get(pk=run_id)
    rows = RecordException.objects.filter(run_id=run_id).order_by("posting_id", "row_number")
    return tuple(_view(row, run) for row in rows)


def last_exception(*, posting_id: int, row: int) -> ExceptionView | None:
    """Return how a posted record stands by its last exception; None where there never was one."""
    found = RecordException.objects.filter(posting_id=posting_id, row_number=row).order_by("-run_id").first()
    return _view(found, ExceptionRun.objects.get(pk=found.run_id)) if found is not None else None


def cases_that_let_count() -> tuple[int, ...]:
    """Return the cases by which records count after all: given back after they were taken, or readmitted."""
    runs = ExceptionRun.objects.filter(reason=APPEAL_UPHELD, case_id__isnull=False)
    given_back = {case_id for case_id in runs.values_list("case_id", flat=True) if case_id is not None}
    return tuple(sorted(given_back | set(Readmission.objects.values_list("case_id", flat=True))))


def partners_to_audit() -> tuple[int, ...]:
    """Return the partners that have postings which the search for repeats over days has not seen."""
    seen = dict(KeyAudit.objects.values_list("partner_id", "through_posting_id"))
    newest = Posting.objects.values("partner_id").annotate(newest=Max("id")).order_by("partner_id")
    return tuple(row["partner_id"] for row in newest if row["newest"] > seen.get(row["partner_id"], 0))


_MONTHS = """
select e.run_id, p.month, sum(e.grams)::bigint, encode(r.records_sha256, 'hex')
from activity_record_exception e join activity_exception_run r on r.id = e.run_id join activity_posting p on p.id = e.posting_id
where r.scenario = %s and p.month <= %s and p.evidence_tier = any(%s)
group by e.run_id, p.month, r.records_sha256 order by e.run_id, p.month
"""


def month_exceptions(
    *, scenario: str, through_month: Month, evidence_tiers: Sequence[int]
) -> tuple[MonthException, ...]:
    """Return what exceptions changed up to and including a month, by run and month of the posting."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, [scenario, str(through_month), sorted(evidence_tiers)])
        return tuple(
            MonthException(run_id=run_id, month=month, grams=Grams(grams), records_sha256=sha256)
            for run_id, month, grams, sha256 in cursor.fetchall()
        )


_SUMS = """
select r.id, r.records, r.grams, r.points, r.journal_id, r.due_grams, r.due_points, count(e.run_id),
  coalesce(sum(e.grams), 0)::bigint, coalesce(sum(e.points), 0)::bigint,
  (select coalesce(sum(l.grams), 0)::bigint from ledger_entry l join ledger_account a on a.id = l.account_id
    where l.journal_id = r.journal_id and a.system_code is null)
from activity_exception_run r left join activity_record_exception e on e.run_id = r.id group by r.id order by r.id
"""
_TURNS = """
select posting_id, row_number from (
  select e.posting_id, e.row_number, r.kind, lag(r.kind) over (partition by e.posting_id, e.row_number order by e.run_id) as before
  from activity_record_exception e join activity_exception_run r on r.id = e.run_id
) turn where kind = coalesce(before, 'reinstated') order by 1, 2
"""


def taken_back_run(run_id: int) -> TakenBackRun:
    """Return a run that took records back. Raises NotFound."""
    run = ExceptionRun.objects.filter(pk=run_id, kind=ExceptionKind.EXCLUDED).first()
    if run is None:
        raise NotFound(what="冲回 / exception run", id=run_id)
    of_run = RecordException.objects.filter(run_id=run_id)
    accounts = of_run.order_by("account_id").values_list("account_id", flat=True).distinct()
    return TakenBackRun(
        run_id=run.pk,
        scenario=run.scenario,
        reason=run.reason,
        note=run.note,
        account_ids=tuple(accounts),
    )


def taken_back_by_case(*, posting_id: int, row: int, case_id: int) -> bool:
    """Say whether a case took a record back, whatever became of it since."""
    runs = ExceptionRun.objects.filter(case_id=case_id, kind=ExceptionKind.EXCLUDED).values("id")
    return RecordException.objects.filter(posting_id=posting_id, row_number=row, run_id__in=runs).exists()


def exception_breaches() -> Iterator[Breach]:
    """Report runs that are not their records or their entries, and records that were taken back or given back twice."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        for (
            number,
            records,
            grams,
            points,
            journal,
            due_g,
            due_p,
            n,
            sum_g,
            sum_p,
            entered,
        ) in cursor.fetchall():
            taken = entered - due_g if journal is not None else 0
            if (records, grams, points) != (n, sum_g, sum_p) or taken != grams:
                yield Breach(
                    invariant="activity.exceptions_are_their_entries",
                    subject=f"exception_run:{number}",
                    detail=f"says {records} records, {grams} g, {points} points; records {n}, {sum_g}, {sum_p}; "
                    f"entries {entered} g, due {due_g} g and {due_p} points",
                )
        cursor.execute(_TURNS)
        for posting_id, row in cursor.fetchall():
            yield Breach(
                invariant="activity.record_is_taken_back_once",
                subject=f"posting:{posting_id} row:{row}",
                detail="taken back while it did not count, or given back while it did",
            )
    for run in ExceptionRun.objects.order_by("id").iterator():
        plain = [
            (one.posting_id, one.row_number, one.account_id, one.day, one.grams.value, one.points.value)
            for one in RecordException.objects.filter(run_id=run.pk)
        ]
        if records_sha256(plain) != bytes(run.records_sha256):
            yield Breach(
                invariant="activity.exceptions_have_their_hash",
                subject=f"exception_run:{run.pk}",
                detail="records changed",
            )


def _view(row: RecordException, run: ExceptionRun) -> ExceptionView:
    return ExceptionView(
        run_id=run.pk,
        kind=run.kind,
        reason=run.reason,
        note=run.note,
        case_id=run.case_id,
        made_at=run.made_at,
        scenario=run.scenario,
        posting_id=row.posting_id,
        row=row.row_number,
        account_id=row.account_id,
        day=row.day,
        grams=row.grams,
        points=row.points,
        because=row.because,
    )
