"""Offer units to another holder (发起转让): they are in transit until the other side answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.credits.registry.domain import BlockState, Serial, TransferToSelf, merged
from tanpuhui.credits.registry.models import HoldingAccount, Issuance, Transfer
from tanpuhui.credits.registry.operations._movements import as_span, cut, lock_issuance, write_movements
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.identifiers import check_character
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOffered:
    """The transfer and the serials that travel."""

    transfer_id: int
    number: str
    serials: tuple[str, ...]
    leaf_id: int


@operation(roles={Role.OWNER, Role.BUYER}, subject="transfer:{number}")
def offer_transfer(
    *,
    actor: Actor,
    at: datetime,
    issuance_id: int,
    source_organisation_id: int,
    target_organisation_id: int,
    quantity: Tonnes,
    idempotency_key: str,
) -> TransferOffered:
    """Take units of one issuance from the actor's organisation and put them in transit to another holder.

    The sender keeps the head of a split block; the tail travels.
    Raises NotPermitted, NotFound, TransferToSelf, NotEnoughUnits.
    """
    lock_issuance(issuance_id)
    actor.require(
        Role.OWNER, Role.BUYER, operation="registry.offer_transfer", organisation_id=source_organisation_id
    )
    issuance = Issuance.objects.filter(pk=issuance_id).first()
    source = HoldingAccount.objects.filter(organisation_id=source_organisation_id).first()
    target = HoldingAccount.objects.filter(organisation_id=target_organisation_id).first()
    if issuance is None:
        raise NotFound(what="签发批次", id=issuance_id)
    if source is None or target is None:
        raise NotFound(
            what="持有账户", id=source_organisation_id if source is None else target_organisation_id
        )
    if source.pk == target.pk:
        raise TransferToSelf
    blocks = cut(issuance=issuance, holder=source, quantity=quantity, at=at)
    transfer = Transfer.objects.create(
        number=_number(),
        issuance=issuance,
        source=source,
        target=target,
        quantity=quantity,
        state="offered",
        offered_at=at,
    )
    for block in blocks:
        block.state = BlockState.IN_TRANSIT
        block.transfer_id = transfer.pk
        block.since = at
        block.save(update_fields=["state", "transfer_id", "since"])
    write_movements(
        blocks=blocks, kind="offer", reference=transfer.number, source=source, target=source, at=at
    )
    serials = tuple(
        str(Serial(issuance.prefix, issuance.project_code, issuance.vintage, span))
        for span in merged(as_span(block.span) for block in blocks)
    )
    leaf_id = append_leaf(
        kind="transfer",
        subject=f"{transfer.number}:offered",
        payload={
            "number": transfer.number,
            "step": "offered",
            "source": source.number,
            "target": target.number,
            "serials": list(serials),
            "quantity_t": quantity.value,
            "at": at.isoformat(),
        },
        at=at,
    )
    return TransferOffered(transfer_id=transfer.pk, number=transfer.number, serials=serials, leaf_id=leaf_id)


def _number() -> str:
    """Number transfers one after the other; the lock keeps offers of two issuances from getting the same."""
    lock_names("registry:transfers")
    stem = f"TR{(Transfer.objects.order_by('-pk').values_list('pk', flat=True).first() or 0) + 1:08d}"
    return f"{stem}-{check_character(stem)}"
