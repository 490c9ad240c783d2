"""Freeze and release a carbon account (冻结、解冻): a maker proposes with the reason, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tanpuhui.behaviour.carbon_accounts.domain import (
    FREEZE_PROCESS,
    FREEZE_SUBJECT,
    AccountFrozen,
    FreezeCannotFollow,
    FreezeChangeOpen,
    FreezeKind,
    FreezeNotDecided,
    FreezeState,
    NoCarbonAccount,
)
from tanpuhui.behaviour.carbon_accounts.models import AccountFreeze, CarbonAccount, FreezeChange
from tanpuhui.behaviour.carbon_accounts.operations._tell_of_freeze import tell_of_freeze
from tanpuhui.behaviour.carbon_accounts.queries import freeze_of_account
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import hold_open
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import require_parameter
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeProposed:
    """A freeze or release waits for the checker; `until` is set where the account is frozen already, urgently."""

    number: str
    change_id: int
    case_id: int
    case_number: str
    until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeSettled:
    """What a decision made of a proposal."""

    number: str
    change_id: int
    state: str
    frozen: bool


def permit_spending(*, user_id: int, at: datetime) -> None:
    """Refuse to take anything from a frozen account, and keep it from being frozen until this transaction ends.

    A building block for whoever takes from an account on the person's wish; called before anything else is locked.
    Raises AccountFrozen, NoCarbonAccount, AccountClosed.
    """
    account = CarbonAccount.objects.filter(user_id=user_id).first()
    if account is None:
        raise NoCarbonAccount
    _lock(account)
    hold_open([user_id])
    found = freeze_of_account(account.pk, at=at)
    if found is not None:
        raise AccountFrozen(reason=found.reason)


@operation(roles={Role.MAKER}, subject="carbon_account:{number}")
def propose_freeze(
    *,
    actor: Actor,
    at: datetime,
    number: str,
    kind: str,
    reason: str,
    urgent: bool,
    idempotency_key: str,
) -> FreezeProposed:
    """Open the case of a freeze or release and sign it as its maker; the reason is the opinion, and the person reads it.

    An urgent freeze holds at once and ends by itself after `carbon_account.urgent_freeze_hours`, unless the checker
    decides before. By a maker of the account's area. Raises NotFound, NotPermitted, FreezeCannotFollow,
    FreezeChangeOpen, AccountClosed, ParameterUnset, and what opening and deciding a case raises (OpinionMissing).
    """
    account = CarbonAccount.objects.filter(number=number).first()
    if account is None:
        raise NotFound(what="碳账户 carbon account", id=number)
    actor.require(Role.MAKER, operation="carbon_accounts.propose_freeze", area=account.area)
    wanted = FreezeKind(kind)
    urgent = urgent and wanted is FreezeKind.FREEZE
    _lock(account)
    hold_open([account.user_id])
    _check_follows(account, wanted, at)
    if FreezeChange.objects.filter(account=account, state=FreezeState.PROPOSED).exists():
        raise FreezeChangeOpen(number=number)
    change = FreezeChange.objects.create(
        account=account,
        kind=wanted.value,
        reason=reason.strip(),
        urgent=urgent,
        state=FreezeState.PROPOSED.value,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=FREEZE_PROCESS,
        subject_type=FREEZE_SUBJECT,
        subject_id=str(change.pk),
        title=number,
        area=account.area,
    )
    change.case_id = opened.case_id
    change.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=reason)
    until = None
    if urgent:
        hours = require_parameter(key="carbon_account.urgent_freeze_hours", at=at)
        until = at + timedelta(hours=int(str(hours.value)))
        _act(change, frozen=True, until=until, at=at)
    return FreezeProposed(
        number=number, change_id=change.pk, case_id=opened.case_id, case_number=opened.number, until=until
    )


@operation(roles=set(), subject="carbon_account:{number}")
def approve_freeze(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> FreezeSettled:
    """Effect of `approve`: the account is frozen until it is released, or released."""
    change = _decided(case_id=case_id, subject_id=subject_id, outcome="approve")
    frozen = change.kind == FreezeKind.FREEZE
    _act(change, frozen=frozen, until=None, at=at)
    return _settle(change, FreezeState.DONE, frozen=frozen)


@operation(roles=set(), subject="carbon_account:{number}")
def reject_freeze(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> FreezeSettled:
    """Effect of `reject`: the account stands as before; an urgent freeze ends."""
    return _end(at=at, case_id=case_id, subject_id=subject_id, outcome="reject", state=FreezeState.REJECTED)


@operation(roles=set(), subject="carbon_account:{number}")
def withdraw_freeze(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> FreezeSettled:
    """Effect of `withdraw`: the maker takes the proposal back; an urgent freeze ends."""
    return _end(
        at=at, case_id=case_id, subject_id=subject_id, outcome="withdraw", state=FreezeState.WITHDRAWN
    )


@operation(roles=set(), subject="carbon_account:{number}")
def restore_freeze(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> FreezeSettled:
    """Undo of `approve` when that decision is rescinded: the account stands as before it, and the proposal waits again.

    What was frozen or released by a later case is left as that case made it. Raises FreezeNotDecided, FreezeChangeOpen.
    """
    change = _decided(
        case_id=case_id, subject_id=subject_id, outcome=workflow.RESCIND, state=FreezeState.DONE
    )
    if FreezeChange.objects.filter(account_id=change.account_id, state=FreezeState.PROPOSED).exists():
        raise FreezeChangeOpen(number=change.account.number)
    latest = AccountFreeze.objects.filter(account_id=change.account_id).order_by("-pk").first()
    if latest is not None and latest.change_id == change.pk:
        _act(change, frozen=not latest.frozen, until=None, at=at, reason=_reason(change, latest))
    return _settle(
        change, FreezeState.PROPOSED, frozen=freeze_of_account(change.account_id, at=at) is not None
    )


def _end(*, at: datetime, case_id: int, subject_id: str, outcome: str, state: FreezeState) -> FreezeSettled:
    change = _decided(case_id=case_id, subject_id=subject_id, outcome=outcome)
    if change.urgent:
        _act(change, frozen=False, until=None, at=at)
    return _settle(change, state, frozen=freeze_of_account(change.account_id, at=at) is not None)


def stop_spending(carbon_account_id: int) -> None:
    """Let nothing be redeemed from an account, nor the account be frozen, until the transaction ends. A building block."""
    lock_names(f"carbon_account:{carbon_account_id}:freeze")


def _lock(account: CarbonAccount) -> None:
    """Let freezes and redemptions of one account happen one after the other."""
    stop_spending(account.pk)


def _check_follows(account: CarbonAccount, wanted: FreezeKind, at: datetime) -> None:
    frozen = freeze_of_account(account.pk, at=at) is not None
    if frozen is (wanted is FreezeKind.FREEZE):
        raise FreezeCannotFollow(number=account.number)


def _reason(change: FreezeChange, latest: AccountFreeze) -> str:
    """Return the reason that holds again: where a release is undone, that of the freeze before it."""
    frozen = AccountFreeze.objects.filter(account_id=change.account_id, frozen=True, pk__lt=latest.pk)
    found = None if latest.frozen else frozen.order_by("-pk").values_list("reason", flat=True).first()
    return found or change.reason


def _act(
    change: FreezeChange, *, frozen: bool, until: datetime | None, at: datetime, reason: str = ""
) -> None:
    act = AccountFreeze.objects.create(
        account=change.account,
        change=change,
        frozen=frozen,
        until=until,
        reason=reason or change.reason,
        at=at,
    )
    tell_of_freeze(act)


def _decided(
    *, case_id: int, subject_id: str, outcome: str, state: FreezeState = FreezeState.PROPOSED
) -> FreezeChange:
    """Return the proposal, its account's name locked, if its case's latest decision is this outcome on it."""
    change = FreezeChange.objects.select_related("account").filter(pk=int(subject_id)).first()
    if change is not None:
        _lock(change.account)
        change.refresh_from_db(fields=["state", "case_id"])
    if (
        change is None
        or change.case_id != case_id
        or change.state != state
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise FreezeNotDecided(case_id=case_id, outcome=outcome)
    return change


def _settle(change: FreezeChange, state: FreezeState, *, frozen: bool) -> FreezeSettled:
    change.state = state.value
    change.save(update_fields=["state"])
    return FreezeSettled(number=change.account.number, change_id=change.pk, state=state.value, frozen=frozen)
