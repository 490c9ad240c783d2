"""Disownings as pages show them, and that what was upheld was taken back (否认记录)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts.domain.disownings import DisowningState
from tanpuhui.behaviour.carbon_accounts.models import RecordDisowning
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class DisowningView:
    """A disowning: of which record on which account, and how it stands."""

    id: int
    user_id: int
    number: str
    area: str
    ledger_account_id: int
    scenario: str
    day: date
    posting_id: int
    row: int
    state: DisowningState
    case_id: int
    lodged_at: datetime


def disownings_of_user(user_id: int) -> tuple[DisowningView, ...]:
    """Return a person's disownings, the latest first."""
    rows = RecordDisowning.objects.filter(account__user_id=user_id).select_related("account")
    return tuple(_view(row) for row in rows.order_by("-id"))


def disowning(disowning_id: int) -> DisowningView:
    """Return one disowning. Raises NotFound."""
    row = RecordDisowning.objects.filter(pk=disowning_id).select_related("account").first()
    if row is None:
        raise NotFound(what="否认记录 disowning", id=disowning_id)
    return _view(row)


def disowning_breaches() -> Iterator[Breach]:
    """Report upheld disownings whose case took nothing back."""
    upheld = RecordDisowning.objects.filter(state=DisowningState.UPHELD)
    for row in upheld.order_by("id").iterator():
        if not activity.taken_back_by_case(
            posting_id=row.posting_id, row=row.row_number, case_id=row.case_id or 0
        ):
            yield Breach(
                "carbon_accounts.upheld_disownings_take_back",
                f"record_disowning:{row.pk}",
                "upheld, but its case took nothing back",
            )


def _view(row: RecordDisowning) -> DisowningView:
    return DisowningView(
        id=row.pk,
        user_id=row.account.user_id,
        number=row.account.number,
        area=row.account.area,
        ledger_account_id=row.account.ledger_account_id,
        scenario=row.scenario,
        day=row.day,
        posting_id=row.posting_id,
        row=row.row_number,
        state=DisowningState(row.state),
        case_id=row.case_id or 0,
        lodged_at=row.lodged_at,
    )
