"""The other side answers (接受或谢绝转让)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.credits.registry.domain import BlockState, TransferClosed
from tanpuhui.credits.registry.models import Block, HoldingAccount, Transfer
from tanpuhui.credits.registry.operations._movements import lock_issuance, write_movements
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Tonnes

_STATE_ZH = {"accepted": "接受", "declined": "谢绝"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferClosedBy:
    """How a transfer ended."""

    transfer_id: int
    number: str
    state: str
    quantity: Tonnes
    leaf_id: int


@operation(roles={Role.OWNER, Role.BUYER}, subject="transfer:{number}")
def accept_transfer(
    *, actor: Actor, at: datetime, transfer_id: int, idempotency_key: str
) -> TransferClosedBy:
    """Take offered units into the recipient's account.

    Raises NotFound, NotPermitted, TransferClosed.
    """
    return _close(actor=actor, at=at, transfer_id=transfer_id, state="accepted")


@operation(roles={Role.OWNER, Role.BUYER}, subject="transfer:{number}")
def decline_transfer(
    *, actor: Actor, at: datetime, transfer_id: int, idempotency_key: str
) -> TransferClosedBy:
    """Send offered units back to the sender's account.

    Raises NotFound, NotPermitted, TransferClosed.
    """
    return _close(actor=actor, at=at, transfer_id=transfer_id, state="declined")


def _close(*, actor: Actor, at: datetime, transfer_id: int, state: str) -> TransferClosedBy:
    found = Transfer.objects.filter(pk=transfer_id).first()
    if found is None:
        raise NotFound(what="转让", id=transfer_id)
    lock_issuance(found.issuance_id)
    transfer = (
        Transfer.objects.select_related("source", "target")
        .select_for_update(of=("self",))
        .get(pk=transfer_id)
    )
    actor.require(
        Role.OWNER,
        Role.BUYER,
        operation=f"registry.{'accept' if state == 'accepted' else 'decline'}_transfer",
        organisation_id=transfer.target.organisation_id,
    )
    if transfer.state != "offered":
        raise TransferClosed(number=transfer.number, state=transfer.state, state_zh=_STATE_ZH[transfer.state])
    holder: HoldingAccount = transfer.target if state == "accepted" else transfer.source
    blocks = list(
        Block.objects.filter(transfer_id=transfer.pk, state=BlockState.IN_TRANSIT)
        .select_for_update()
        .order_by("span")
    )
    for block in blocks:
        block.state = BlockState.HELD
        block.holder = holder
        block.transfer_id = None
        block.since = at
        block.save(update_fields=["state", "holder", "transfer_id", "since"])
    transfer.state = state
    transfer.closed_at = at
    transfer.save(update_fields=["state", "closed_at"])
    kind = "accept" if state == "accepted" else "decline"
    write_movements(
        blocks=blocks, kind=kind, reference=transfer.number, source=transfer.source, target=holder, at=at
    )
    leaf_id = append_leaf(
        kind="transfer",
        subject=f"{transfer.number}:{state}",
        payload={
            "number": transfer.number,
            "step": state,
            "source": transfer.source.number,
            "target": transfer.target.number,
            "quantity_t": transfer.quantity.value,
            "at": at.isoformat(),
        },
        at=at,
    )
    return TransferClosedBy(
        transfer_id=transfer.pk,
        number=transfer.number,
        state=state,
        quantity=transfer.quantity,
        leaf_id=leaf_id,
    )
