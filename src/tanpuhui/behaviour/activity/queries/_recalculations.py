"""Recalculations as pages and pools see them (重算): what is foreseen, how far one has come, what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tanpuhui.behaviour.activity.adapters.steps import steps_of
from tanpuhui.behaviour.activity.domain.recalculations import LEDGER_KIND, RecalculationState
from tanpuhui.behaviour.activity.models import Recalculation
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationView:
    """One recalculation. `preview` and `totals` hold whole numbers of records, grams and points by name."""

    id: int
    scenario: str
    from_version_id: int
    to_version_id: int
    months: tuple[str, ...]
    reason: str
    state: str
    case_id: int | None
    prepared_at: datetime
    approved_at: datetime | None
    finished_at: datetime | None
    preview: Mapping[str, Any]
    totals: Mapping[str, int]
    fault: str
    steps_done: int
    steps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthAdjustment:
    """What a finished recalculation changed in a month's postings of some evidence tiers, and the hash of its results."""

    recalculation_id: int
    month: str
    to_version_id: int
    grams: Grams
    results_sha256: str


def recalculation(recalculation_id: int) -> RecalculationView:
    """Return one recalculation. Raises NotFound."""
    row = Recalculation.objects.filter(pk=recalculation_id).first()
    if row is None:
        raise NotFound(what="重算 / recalculation", id=recalculation_id)
    return _view(row)


def recalculations(*, limit: int = 100) -> tuple[RecalculationView, ...]:
    """Return recalculations, the latest first."""
    return tuple(_view(row) for row in Recalculation.objects.order_by("-id")[:limit])


def recalculation_of_journal(*, kind: str, reference: str) -> int | None:
    """Return the recalculation that a line of the ledger belongs to; None where it is of another kind."""
    if kind != LEDGER_KIND:
        return None
    return int(reference.split(":")[1])


_ADJUSTMENTS = """
select s.recalculation_id, p.month, r.to_version_id, sum(s.grams)::bigint,
  encode(sha256(string_agg(s.results_sha256, ''::bytea order by s.posting_id, s.slice)), 'hex')
from activity_recalculated_slice s join activity_recalculation r on r.id = s.recalculation_id
join activity_posting p on p.id = s.posting_id
where r.scenario = %s and r.state = %s and p.month <= %s and p.evidence_tier = any(%s)
group by s.recalculation_id, p.month, r.to_version_id order by s.recalculation_id, p.month
"""


def month_adjustments(
    *, scenario: str, through_month: Month, evidence_tiers: Sequence[int]
) -> tuple[MonthAdjustment, ...]:
    """Return what finished recalculations changed up to and including a month, by recalculation and month."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADJUSTMENTS,
            [scenario, RecalculationState.DONE, str(through_month), sorted(evidence_tiers)],
        )
        rows = cursor.fetchall()
    return tuple(
        MonthAdjustment(
            recalculation_id=row[0],
            month=row[1],
            to_version_id=row[2],
            grams=Grams(row[3]),
            results_sha256=row[4],
        )
        for row in rows
    )


def _view(row: Recalculation) -> RecalculationView:
    return RecalculationView(
        id=row.pk,
        scenario=row.scenario,
        from_version_id=row.from_version_id,
        to_version_id=row.to_version_id,
        months=tuple(row.months),
        reason=row.reason,
        state=row.state,
        case_id=row.case_id,
        prepared_at=row.prepared_at,
        approved_at=row.approved_at,
        finished_at=row.finished_at,
        preview=row.preview,
        totals=row.totals,
        fault=row.fault,
        steps_done=row.steps_done,
        steps=steps_of(row),
    )
