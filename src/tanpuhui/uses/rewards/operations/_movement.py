"""One change of one coupon: its state, its points in the ledger, its row of history."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.books.ledger.operations import system_account, transfer
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.uses.rewards.domain import REDEEMED_POINTS, RESERVED_POINTS, CouponState
from tanpuhui.uses.rewards.models import Coupon, CouponMovement


def move_points(coupon: Coupon, target: CouponState, at: datetime) -> int:
    """Move the coupon's points as its new state wants and return the journal.

    Reserved: person → reserved. Honoured: reserved → redeemed. Cancelled or expired: back to the very lots.
    """
    reserved = system_account(RESERVED_POINTS)
    debit, credit = {
        CouponState.RESERVED: lambda: (coupon.ledger_account_id, reserved),
        CouponState.HONOURED: lambda: (reserved, system_account(REDEEMED_POINTS)),
        CouponState.CANCELLED: lambda: (reserved, coupon.ledger_account_id),
        CouponState.EXPIRED: lambda: (reserved, coupon.ledger_account_id),
    }[target]()
    return transfer(
        kind=f"coupon_{target.value}",
        reference=coupon.code,
        at=at,
        day=business_day(at),
        debit_account_id=debit,
        credit_account_id=credit,
        points=coupon.price,
        restores=target in {CouponState.CANCELLED, CouponState.EXPIRED},
    )


def decide_coupon(
    coupon: Coupon, target: CouponState, *, actor: Actor, at: datetime, place: str = ""
) -> None:
    """Take a locked, reserved coupon to its final state."""
    source = coupon.state
    coupon.state = target.value
    coupon.decided_at = at
    coupon.place = place
    coupon.save(update_fields=["state", "decided_at", "place"])
    record_movement(coupon, source=source, actor=actor, at=at, journal_id=move_points(coupon, target, at))


def record_movement(coupon: Coupon, *, source: str, actor: Actor, at: datetime, journal_id: int) -> None:
    """Write the history row of the change that was just made."""
    CouponMovement.objects.create(
        coupon=coupon,
        source=source,
        target=coupon.state,
        actor_kind=actor.kind,
        actor_id=actor.id,
        place=coupon.place,
        journal_id=journal_id,
        at=at,
    )
