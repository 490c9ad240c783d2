"""Reads of freezes (冻结): what holds, what is proposed, and that two people decided it. Others see them through `queries`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.carbon_accounts.domain import FREEZE_PROCESS, FreezeKind, FreezeState
from tanpuhui.behaviour.carbon_accounts.models import AccountFreeze, CarbonAccount, FreezeChange
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow

APPROVE, PROPOSE = "approve", "propose"


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
        case_id=_deciding_case(row),
    )


def _deciding_case(row: AccountFreeze) -> int | None:
    """Return the case that froze the account; where a release was rescinded that is the freeze before it."""
    if row.change.kind == FreezeKind.FREEZE:
        return row.change.case_id
    earlier = AccountFreeze.objects.filter(
        account_id=row.account_id, pk__lt=row.pk, change__kind=FreezeKind.FREEZE
    )
    return earlier.order_by("-pk").values_list("change__case_id", flat=True).first()


def freeze_breaches() -> Iterator[Breach]:
    """Report freezes and releases that no second person decided, or whose decision was rescinded and not undone."""
    for change in FreezeChange.objects.prefetch_related("acts").order_by("pk").iterator(chunk_size=500):
        taken = workflow.outcomes_taken(change.case_id) if change.case_id is not None else ()
        approved = _ends_approved(taken)
        wanted = change.kind == FreezeKind.FREEZE
        lasting = [act for act in change.acts.all() if act.until is None]
        there = sum(act.frozen is wanted for act in lasting)
        back = len(lasting) - there
        may_go_back = taken.count(workflow.RESCIND) + (change.urgent and taken[-1:] != (PROPOSE,))
        if (
            approved is not (change.state == FreezeState.DONE)
            or there != taken.count(APPROVE)
            or back > may_go_back
        ):
            detail = (
                f"proposal {change.pk} is {change.state}, its case decided {', '.join(taken) or 'nothing'}"
            )
            yield Breach("carbon_accounts.frozen_as_decided", f"account_freeze:{change.pk}", detail)


def _ends_approved(taken: tuple[str, ...]) -> bool:
    """Say whether the last decision is an approval; a rescission takes back the one before it."""
    return taken[-1:] == (APPROVE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeAppealView:
    """A person's appeal against a freeze: how it stands and, once it is decided, with which reasons."""

    number: str
    filed_at: datetime
    state_zh: str
    state_en: str
    closed: bool
    reasons: str


def freeze_appeal(user_id: int, *, at: datetime) -> FreezeAppealView | None:
    """Return the latest appeal against the freeze that holds for a person; None where there is none, or no freeze."""
    frozen = freeze_of_user(user_id, at=at)
    if frozen is None or frozen.case_id is None:
        return None
    found = next((one for one in workflow.cases_of(workflow.CASE_SUBJECT, str(frozen.case_id))), None)
    if found is None:
        return None
    decided = workflow.latest_decision(found.case_id) if found.closed_at is not None else None
    return FreezeAppealView(
        number=found.number,
        filed_at=found.opened_at,
        state_zh=found.state_zh,
        state_en=found.state_en,
        closed=found.closed_at is not None,
        reasons=decided.opinion if decided is not None else "",
    )


def freeze_appeal_until(frozen: FreezeView) -> tuple[bool, date | None]:
    """Say whether a freeze that holds was decided, so that it can be appealed against, and until which day a rule lets it.

    Raises HolidaysUnset.
    """
    decided = workflow.latest_decision(frozen.case_id) if frozen.case_id is not None else None
    if decided is None or decided.outcome != APPROVE:
        return False, None
    term = workflow.appeal_term(process=FREEZE_PROCESS, decided_at=decided.at, at=decided.at)
    return True, term.last_day if term is not None else None
