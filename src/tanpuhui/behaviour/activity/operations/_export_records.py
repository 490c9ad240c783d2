"""Hand out a month's records for calculations elsewhere: who took what stands in the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import Invalid, NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsExported:
    """Which postings are handed out, and how many records they hold."""

    scenario: str
    month: str
    posting_ids: tuple[int, ...]
    records: int


@operation(roles={Role.SYSTEM}, subject="scenario:{scenario}:{month}")
def export_records(*, actor: Actor, at: datetime, scenario: str, month: str, purpose: str) -> RecordsExported:
    """Note that the records of a scenario and month are handed out, and for what, and say which postings they are.

    Amounts only: account numbers of the ledger, which name nobody, quantities and grams; no trace of where and when
    somebody was. `queries.exported_records` gives the rows. `month` is written 2026-11.
    Raises Invalid (month, purpose), NotFound (nothing was posted).
    """
    try:
        wanted = str(Month.parse(month))
    except ValueError as error:
        raise Invalid(field="month", why=str(error)) from error
    if not purpose.strip():
        raise Invalid(field="purpose", why="why the records are handed out / 为什么导出")
    rows = Posting.objects.filter(scenario=scenario, month=wanted)
    posting_ids = tuple(rows.order_by("id").values_list("id", flat=True))
    if not posting_ids:
        raise NotFound(what="入账 posting", id=f"{scenario} {month}")
    return RecordsExported(
        scenario=scenario,
        month=wanted,
        posting_ids=posting_ids,
        records=rows.aggregate(n=Sum("records"))["n"],
    )
