"""Decide about records that are held because they are not plausible (复核): they go on to their settlement, or are refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.waiting import numbers_held
from tanpuhui.behaviour.activity.domain import HeldDecided, HeldNotFound
from tanpuhui.behaviour.activity.events import DaySettlementDue
from tanpuhui.behaviour.activity.models import HeldDecision, WaitingRows
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldReviewed:
    """What was decided: how many sets of held rows, and how many rows go on and are refused."""

    waiting_ids: tuple[int, ...]
    released: int
    refused: int


@operation(roles={Role.MAKER}, subject="held:{waiting_ids}")
def decide_held(
    *,
    actor: Actor,
    at: datetime,
    waiting_ids: tuple[int, ...],
    refuse_all: bool,
    refused_rows: tuple[int, ...] = (),
    opinion: str,
    idempotency_key: str,
) -> HeldReviewed:
    """Refuse held rows, or let them go on to the settlement of their day, once and for good.

    `refused_rows` (row numbers) are refused of one set while its others go on. What goes on is compared, capped and posted
    as a late record is; what is refused keeps its reason. A maker of the partner's area.
    Raises HeldNotFound, HeldDecided, NotPermitted, Invalid.
    """
    if not opinion.strip():
        raise Invalid(field="opinion", why="空缺。请写明理由。 Missing. Give the reason.")
    if not waiting_ids or (refused_rows and (refuse_all or len(waiting_ids) != 1)):
        raise Invalid(
            field="refused_rows",
            why="只能对一组逐条决定。 Rows can be named of one set that is not refused whole.",
        )
    lock_names(*(f"activity:held:{number}" for number in sorted(set(waiting_ids))))
    held = _held(waiting_ids)
    for one in held:
        area = organisation(one.batch.partner_id).area
        actor.require(Role.MAKER, operation="activity.decide_held", area=area)
        _check_rows(one, refused_rows)
    today = business_day(at)
    HeldDecision.objects.bulk_create(
        HeldDecision(
            waiting=one,
            refuse_all=refuse_all,
            refused_rows=sorted(set(refused_rows)),
            opinion=opinion.strip(),
            decided_by=actor.id,
            decided_at=at,
        )
        for one in held
    )
    WaitingRows.objects.filter(pk__in=[one.pk for one in held]).update(settles_on=today)
    for day in sorted({one.day for one in held}):
        publish(DaySettlementDue(day=day.isoformat()))
    rows = sum(one.n_records for one in held)
    refused = rows if refuse_all else len(set(refused_rows))
    return HeldReviewed(waiting_ids=tuple(one.pk for one in held), released=rows - refused, refused=refused)


def _held(waiting_ids: Collection[int]) -> Sequence[WaitingRows]:
    found = list(
        WaitingRows.objects.filter(pk__in=waiting_ids, part__gt=0).select_related("batch").order_by("pk")
    )
    missing = set(waiting_ids) - {one.pk for one in found}
    if missing:
        raise HeldNotFound(waiting_id=min(missing))
    for one in found:
        if one.settles_on is not None:
            raise HeldDecided(waiting_id=one.pk)
    return found


def _check_rows(one: WaitingRows, refused_rows: Collection[int]) -> None:
    strange = set(refused_rows) - numbers_held(one.pk) if refused_rows else set()
    if strange:
        raise Invalid(
            field="refused_rows",
            why=f"第 {min(strange)} 行不在这一组里。 Row {min(strange)} is not in this set.",
        )
