"""Reads of freezes (冻结): what holds, what is proposed, and that two people decided it. Others see them through `queries`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.carbon_accounts.domain import FreezeState
from tanpuhui.behaviour.carbon_accounts.models import AccountFreeze, CarbonAccount, FreezeChange
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeView:
    """A freeze that holds: of which account, since when and why; `until` where it is urgent and ends by itself."""

    number: str
    area: str
    reason: str
    since: datetime
    until: datetime | None
    case_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeChangeView:
    """A proposal to freeze or release an account."""

    id: int
    number: str
    kind: str
    reason: str
    urgent: bool
    state: str


def freeze_of_account(carbon_account_id: int, *, at: datetime) -> FreezeView | None:
    """Return the freeze of an account that holds at a moment; None where it is free.

    The latest row counts whatever its moment is, so that a request that waited, or a clock that is behind, passes no freeze.
    """
    row = (
        AccountFreeze.objects.select_related("account", "change")
        .filter(account_id=carbon_account_id)
        .order_by("-id")
        .first()
    )
    return _freeze_view(row) if row is not None and _holds(row, at) else None


def freeze_of_user(user_id: int, *, at: datetime) -> FreezeView | None:
    """Return the freeze of a person's account that holds at a moment; None where it is free or there is none."""
    account_id = CarbonAccount.objects.filter(user_id=user_id).values_list("pk", flat=True).first()
    return freeze_of_account(account_id, at=at) if account_id is not None else None


def freeze_proposed(user_id: int) -> bool:
    """Say whether somebody proposed to freeze or release a person's account and nobody has decided it yet."""
    return FreezeChange.objects.filter(account__user_id=user_id, state=FreezeState.PROPOSED.value).exists()


def freezes(*, at: datetime) -> tuple[FreezeView, ...]:
    """Return the freezes that hold at a moment, the latest first."""
    latest = (
        AccountFreeze.objects.select_related("account", "change")
        .order_by("account_id", "-id")
        .distinct("account_id")
    )
    held = [row for row in latest if _holds(row, at)]
    return tuple(_freeze_view(row) for row in sorted(held, key=lambda row: row.pk, reverse=True))


def freeze_change(change_id: int) -> FreezeChangeView:
    """Return a proposal to freeze or release an account; raises NotFound."""
    row = FreezeChange.objects.select_related("account").filter(pk=change_id).first()
    if row is None:
        raise NotFound(what="冻结变更 freeze", id=change_id)
    return FreezeChangeView(
        id=row.pk,
        number=row.account.number,
        kind=row.kind,
        reason=row.reason,
        urgent=row.urgent,
        state=row.state,
    )


def _holds(row: AccountFreeze, at: datetime) -> bool:
    return row.frozen and (row.until is None or row.until > at)


def _freeze_view(row: AccountFreeze) -> FreezeView:
    return FreezeView(
        number=row.account.number,
        area=row.account.area,
        reason=row.reason,
        since=row.at,
        until=row.until,
        case_id=row.change.case_id,
    )


def freeze_breaches() -> Iterator[Breach]:
    """Report lasting freezes and releases that no second person decided."""
    acts = AccountFreeze.objects.filter(until__isnull=True).exclude(change__state=FreezeState.DONE)
    for act in acts.select_related("change").order_by("pk"):
        ends_an_urgent_one = not act.frozen and act.change.urgent and act.change.state != FreezeState.PROPOSED
        if not ends_an_urgent_one:
            detail = f"proposal {act.change_id} is {act.change.state}"
            yield Breach("carbon_accounts.frozen_as_decided", f"account_freeze:{act.pk}", detail)
