"""Honour a coupon at the merchant's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.uses.rewards.domain import (
    CouponCancelled,
    CouponExpired,
    CouponState,
    CouponUsed,
    WrongMerchant,
    normal_code,
)
from tanpuhui.uses.rewards.models import Coupon, SettlementLine
from tanpuhui.uses.rewards.operations._movement import decide_coupon


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponHonoured:
    """What was honoured, and what the merchant is owed for it, in fen."""

    coupon_id: int
    code: str
    good_name_zh: str
    good_name_en: str
    face_value: Fen
    honoured_at: datetime


@operation(roles={Role.MERCHANT}, subject="coupon:{code}")
def honour_coupon(
    *, actor: Actor, at: datetime, idempotency_key: str, code: str, place: str = ""
) -> CouponHonoured:
    """Honour a coupon (核销) and write the settlement line in the same transaction. `place` is the shop, as the merchant says.

    Only the people of the good's own merchant. Locks the coupon, then the ledger. Raises CouponCodeMistyped, NotFound,
    WrongMerchant, CouponUsed (when and where), CouponCancelled, CouponExpired.
    """
    digits = normal_code(code)
    coupon = Coupon.objects.select_for_update(of=("self",)).select_related("good").filter(code=digits).first()
    if coupon is None:
        raise NotFound(what="兑换券 coupon", id=code)
    merchant_id = coupon.good.merchant_id
    if not actor.has(Role.MERCHANT, organisation_id=merchant_id):
        merchant = organisation(merchant_id)
        raise WrongMerchant(merchant=merchant.name, merchant_en=merchant.name_en)
    refuse_unless_reserved(coupon, at)
    decide_coupon(coupon, CouponState.HONOURED, actor=actor, at=at, place=place.strip())
    SettlementLine.objects.create(
        coupon=coupon,
        merchant_id=merchant_id,
        face_value=coupon.face_value,
        day=business_day(at),
        honoured_at=at,
    )
    return CouponHonoured(
        coupon_id=coupon.pk,
        code=coupon.code,
        good_name_zh=coupon.good.name_zh,
        good_name_en=coupon.good.name_en,
        face_value=coupon.face_value,
        honoured_at=at,
    )


def refuse_unless_reserved(coupon: Coupon, at: datetime) -> None:
    """Refuse a coupon that is used, cancelled or past its last good day, and say which."""
    when = "" if coupon.decided_at is None else coupon.decided_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    if coupon.state == CouponState.HONOURED:
        merchant = organisation(coupon.good.merchant_id)
        raise CouponUsed(when=when, where=" ".join(part for part in (merchant.name, coupon.place) if part))
    if coupon.state == CouponState.CANCELLED:
        raise CouponCancelled(when=when)
    if coupon.state == CouponState.EXPIRED or coupon.expires_on < business_day(at):
        raise CouponExpired(expires_on=coupon.expires_on)
