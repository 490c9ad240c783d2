"""Open the account in which an organisation holds units (持有账户)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.credits.registry.models import HoldingAccount
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingOpened:
    """The account and its number."""

    holding_id: int
    number: str


@operation(roles={Role.MAKER}, subject="holding:{number}")
def open_holding(
    *, actor: Actor, at: datetime, organisation_id: int, idempotency_key: str | None = None
) -> HoldingOpened:
    """Open the holding account of an organisation, or give back the one it has: one organisation, one account.

    Raises NotFound, NotPermitted.
    """
    lock_names(f"registry:holding:{organisation_id}")
    owner = organisation(organisation_id)
    actor.require(Role.MAKER, operation="registry.open_holding", area=owner.area)
    row = HoldingAccount.objects.filter(organisation_id=organisation_id).first()
    if row is None:
        stem = f"H{owner.area}{organisation_id:06d}"
        row = HoldingAccount.objects.create(
            number=stem + check_character(stem), organisation_id=organisation_id, opened_at=at
        )
    return HoldingOpened(holding_id=row.pk, number=row.number)
