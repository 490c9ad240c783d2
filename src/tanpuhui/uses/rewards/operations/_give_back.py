"""Cancel a coupon, or let it expire: points and piece go back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.uses.rewards.domain import CouponState, normal_code
from tanpuhui.uses.rewards.models import Coupon, Good
from tanpuhui.uses.rewards.operations._honour_coupon import refuse_unless_reserved
from tanpuhui.uses.rewards.operations._movement import decide_coupon

EXPIRED_PER_CALL_MAX = 100
"""A transaction holds the balances it gives back to, so it is kept short; the task calls again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponReturned:
    """The points that went back to the person."""

    coupon_id: int
    code: str
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsExpired:
    """How many coupons expired in this call, and whether more are waiting."""

    day: date
    coupons: int
    points: Points
    more: bool


@operation(roles={Role.CITIZEN}, subject="coupon:{code}")
def cancel_coupon(*, actor: Actor, at: datetime, idempotency_key: str, code: str) -> CouponReturned:
    """Give back an unused coupon (取消兑换); the points return to the lots they came from, with their first expiry.

    The person's own coupons only. Raises CouponCodeMistyped, NotFound, CouponUsed, CouponCancelled, CouponExpired.
    """
    digits = normal_code(code)
    own = (
        Coupon.objects.filter(code=digits, user_id=actor.id)
        if actor.kind == "user"
        else Coupon.objects.none()
    )
    found = own.first()
    if found is None:
        raise NotFound(what="兑换券 coupon", id=code)
    (coupon,) = _lock([found])
    refuse_unless_reserved(coupon, at)
    _return(coupon, CouponState.CANCELLED, actor=actor, at=at)
    return CouponReturned(coupon_id=coupon.pk, code=coupon.code, points=coupon.price)


@operation(roles={Role.MAKER}, subject="coupons_expired:{day}")
def expire_coupons(*, actor: Actor, at: datetime, idempotency_key: str | None = None) -> CouponsExpired:
    """Expire reserved coupons whose last good day has passed (过期), at most 100 a call; points and pieces go back."""
    day = business_day(at)
    overdue = Coupon.objects.filter(state=CouponState.RESERVED.value, expires_on__lt=day).order_by(
        "expires_on", "id"
    )
    found = list(overdue[: EXPIRED_PER_CALL_MAX + 1])
    coupons = [c for c in _lock(found[:EXPIRED_PER_CALL_MAX]) if c.state == CouponState.RESERVED]
    for coupon in sorted(coupons, key=lambda coupon: coupon.ledger_account_id):
        _return(coupon, CouponState.EXPIRED, actor=actor, at=at)
    return CouponsExpired(
        day=day,
        coupons=len(coupons),
        points=Points.total(coupon.price for coupon in coupons),
        more=len(found) > EXPIRED_PER_CALL_MAX,
    )


def _lock(coupons: list[Coupon]) -> list[Coupon]:
    """Lock the goods, then the coupons, each by number, as everywhere in this room; return the coupons read again."""
    good_ids = {coupon.good_id for coupon in coupons}
    goods = {
        good.pk: good for good in Good.objects.select_for_update().filter(pk__in=good_ids).order_by("pk")
    }
    ids = [coupon.pk for coupon in coupons]
    locked = list(Coupon.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for coupon in locked:
        coupon.good = goods[coupon.good_id]
    return locked


def _return(coupon: Coupon, target: CouponState, *, actor: Actor, at: datetime) -> None:
    decide_coupon(coupon, target, actor=actor, at=at)
    Good.objects.filter(pk=coupon.good_id).update(stock=F("stock") + 1)
