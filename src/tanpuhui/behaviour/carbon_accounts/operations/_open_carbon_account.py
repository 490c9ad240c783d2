"""Open carbon accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.carbon_accounts.domain import LEDGER_OWNER, account_number
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount
from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import hold_open
from tanpuhui.foundation.identity.queries import PersonView, people
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.persistence.locks import lock_names

_STAFF = (Role.MAKER, Role.SUBCENTRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonAccountOpened:
    """The account with its public number; the same again where the person had one."""

    carbon_account_id: int
    ledger_account_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonAccountsOpened:
    """How many accounts were opened, and how many people had one."""

    opened: int
    standing: int


@operation(roles={Role.CITIZEN, *_STAFF}, subject="carbon_account:{number}")
def open_carbon_account(
    *, actor: Actor, at: datetime, user_id: int, idempotency_key: str | None = None
) -> CarbonAccountOpened:
    """Open a person's carbon account, or return the one they have: one person, one account.

    A citizen opens their own; staff open accounts of people in their area. Raises NotFound, NotPermitted, AccountClosed.
    """
    own = actor.kind == "user" and actor.id == str(user_id)
    _open(actor=actor, at=at, user_ids=[user_id], own=own)
    row = CarbonAccount.objects.get(user_id=user_id)
    return CarbonAccountOpened(
        carbon_account_id=row.pk, ledger_account_id=row.ledger_account_id, number=row.number
    )


@operation(roles=set(_STAFF), subject="carbon_accounts:{opened}")
def open_carbon_accounts(
    *, actor: Actor, at: datetime, user_ids: tuple[int, ...], idempotency_key: str | None = None
) -> CarbonAccountsOpened:
    """Open the accounts of many people at once; whoever has one keeps it. Raises NotFound, NotPermitted."""
    opened = _open(actor=actor, at=at, user_ids=user_ids, own=False)
    return CarbonAccountsOpened(opened=opened, standing=len(set(user_ids)) - opened)


def _open(*, actor: Actor, at: datetime, user_ids: Sequence[int], own: bool) -> int:
    lock_names("carbon_accounts:opening")
    wanted = set(user_ids)
    wanted -= set(CarbonAccount.objects.filter(user_id__in=wanted).values_list("user_id", flat=True))
    hold_open(sorted(wanted))
    found = people(sorted(wanted))
    for user_id in sorted(wanted - found.keys()):
        raise NotFound(what="用户 user", id=user_id)
    if not own:
        _permit(actor, found)
    accounts = open_accounts(owner_type=LEDGER_OWNER, owner_ids=sorted(wanted), at=at)
    CarbonAccount.objects.bulk_create(
        [
            CarbonAccount(
                number=account_number(found[user_id].area, accounts[user_id]),
                user_id=user_id,
                ledger_account_id=accounts[user_id],
                area=found[user_id].area,
                opened_at=at,
            )
            for user_id in sorted(wanted)
        ],
        batch_size=2_000,
    )
    return len(wanted)


def _permit(actor: Actor, found: dict[int, PersonView]) -> None:
    """Let staff open accounts in their own area only, and a citizen nobody else's."""
    if Role.SYSTEM in actor.roles:
        return
    for area in sorted({person.area for person in found.values()}):
        actor.require(*_STAFF, operation="carbon_accounts.open_carbon_account", area=area)
    if not found and not actor.roles & set(_STAFF):
        raise NotPermitted(operation="carbon_accounts.open_carbon_account")
