"""Records that are held because they are not plausible (待复核记录), and what was decided of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.adapters.waiting import DOUBT, payloads
from tanpuhui.behaviour.activity.domain import HeldNotFound
from tanpuhui.behaviour.activity.domain.verdicts import reason_text
from tanpuhui.behaviour.activity.models import WaitingRows
from tanpuhui.foundation.kernel.calendar import CHINA


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldSet:
    """Rows of one file, scenario, evidence tier and business day that are held for one reason."""

    id: int
    batch_id: int
    file_name: str
    partner_id: int
    received_at: datetime
    scenario: str
    day: date
    reason: str
    records: int

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence."""
        return reason_text(self.reason, locale)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRow:
    """One held record, without the person: when, where, the distance as it was sent, and what is not plausible."""

    row: int
    started_at: datetime
    ended_at: datetime | None
    area: str
    distance: str
    doubt: str


def held_sets() -> tuple[HeldSet, ...]:
    """Return what nobody has decided yet, the first that came first."""
    rows = WaitingRows.objects.filter(part__gt=0, settles_on__isnull=True).select_related("batch")
    return tuple(_view(row) for row in rows.order_by("batch__received_at", "id"))


def held_set(waiting_id: int) -> HeldSet:
    """Return one open set. Raises HeldNotFound, also when it was decided."""
    row = (
        WaitingRows.objects.filter(pk=waiting_id, part__gt=0, settles_on__isnull=True)
        .select_related("batch")
        .first()
    )
    if row is None:
        raise HeldNotFound(waiting_id=waiting_id)
    return _view(row)


def held_rows(waiting_id: int, *, limit: int) -> tuple[HeldRow, ...]:
    """Return the first rows of a set by row number."""
    found: list[HeldRow] = []
    for table in payloads(waiting_id):
        found.extend(
            HeldRow(
                row=row["row_number"],
                started_at=row["started"].replace(tzinfo=CHINA),
                ended_at=row["ended"].replace(tzinfo=CHINA) if row["ended"] else None,
                area=row["area"] or "",
                distance=row.get("distance_km") or "",
                doubt=row[DOUBT],
            )
            for row in table.to_pylist()
        )
    return tuple(sorted(found, key=lambda one: one.row)[:limit])


def _view(row: WaitingRows) -> HeldSet:
    return HeldSet(
        id=row.pk,
        batch_id=row.batch_id,
        file_name=row.batch.file_name,
        partner_id=row.batch.partner_id,
        received_at=row.batch.received_at,
        scenario=row.scenario,
        day=row.day,
        reason=row.held_for,
        records=row.n_records,
    )
