"""Reads of appeals against records that do not count (记录申诉), and that what counts by an appeal was decided so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView, SetAsideView
from tanpuhui.behaviour.carbon_accounts.domain import AppealState
from tanpuhui.behaviour.carbon_accounts.models import RecordAppeal
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealView:
    """An appeal: of which record of which account, why that did not count, and how the appeal stands."""

    id: int
    user_id: int
    number: str
    area: str
    ledger_account_id: int
    scenario: str
    day: date
    row: int
    set_aside_id: int | None
    posting_id: int | None
    against_run: int
    reason: str
    state: AppealState
    case_id: int
    lodged_at: datetime


def appeals_of_user(user_id: int) -> tuple[AppealView, ...]:
    """Return a person's appeals, the latest first."""
    rows = RecordAppeal.objects.filter(account__user_id=user_id).select_related("account")
    return tuple(_view(row) for row in rows.order_by("-id"))


def appeal(appeal_id: int) -> AppealView:
    """Return one appeal; raises NotFound."""
    row = RecordAppeal.objects.filter(pk=appeal_id).select_related("account").first()
    if row is None:
        raise NotFound(what="申诉 appeal", id=appeal_id)
    return _view(row)


def appealed_record(view: AppealView) -> SetAsideView | RecordView:
    """Return the record that an appeal is about, as it was set aside or as it was posted. Raises SetAsideNotFound, RecordNotFound."""
    if view.set_aside_id is not None:
        return activity.set_aside_record(
            set_aside_id=view.set_aside_id, account_id=view.ledger_account_id, row=view.row
        )
    return activity.record(posting_id=view.posting_id or 0, account_id=view.ledger_account_id, row=view.row)


def appeal_breaches() -> Iterator[Breach]:
    """Report upheld appeals whose record does not count, and records that count by an appeal that was not upheld."""
    rows = RecordAppeal.objects.filter(state=AppealState.UPHELD)
    upheld = {case_id or 0 for case_id in rows.values_list("case_id", flat=True)}
    counted = set(activity.cases_that_let_count())
    for case_id in sorted(upheld - counted):
        yield Breach(
            "carbon_accounts.upheld_appeals_count", f"case:{case_id}", "upheld, but nothing counts by it"
        )
    for case_id in sorted(counted - upheld):
        yield Breach(
            "carbon_accounts.upheld_appeals_count",
            f"case:{case_id}",
            "a record counts by it, but it is not upheld",
        )


def _view(row: RecordAppeal) -> AppealView:
    return AppealView(
        id=row.pk,
        user_id=row.account.user_id,
        number=row.account.number,
        area=row.account.area,
        ledger_account_id=row.account.ledger_account_id,
        scenario=row.scenario,
        day=row.day,
        row=row.row_number,
        set_aside_id=row.set_aside_id,
        posting_id=row.posting_id,
        against_run=row.against_run,
        reason=row.reason,
        state=AppealState(row.state),
        case_id=row.case_id or 0,
        lodged_at=row.lodged_at,
    )
