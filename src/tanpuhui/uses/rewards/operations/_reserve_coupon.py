"""Redeem points for a coupon."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F

from tanpuhui.behaviour.carbon_accounts.operations import permit_spending
from tanpuhui.behaviour.carbon_accounts.queries import account_of_user
from tanpuhui.books.ledger.operations import InsufficientBalance
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.foundation.rulebook.queries import require_parameter
from tanpuhui.uses.rewards.domain import (
    CODE_DIGITS,
    CouponState,
    GoodNotOffered,
    LimitReached,
    NotEnoughPoints,
    OutOfStock,
    complete_code,
)
from tanpuhui.uses.rewards.models import Coupon, Good
from tanpuhui.uses.rewards.operations._movement import move_points, record_movement


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponReserved:
    """The coupon's code (12 digits), what it cost and is worth, and its last good day."""

    coupon_id: int
    code: str
    good_id: int
    price: Points
    face_value: Fen
    expires_on: date


@operation(roles={Role.CITIZEN}, subject="coupon:{code}")
def reserve_coupon(
    *, actor: Actor, at: datetime, idempotency_key: str, good_id: int, user_id: int
) -> CouponReserved:
    """Reserve one piece of a good and take its price from the person's points (兑换).

    A person redeems for themselves only; points are not handed to others (policy notes section 5).
    Locks the account's freeze, the good, then the ledger. Raises NotFound, NotPermitted, AccountFrozen, GoodNotOffered, LimitReached, OutOfStock,
    NotEnoughPoints, NoCarbonAccount, ParameterUnset (rewards.coupon_validity_days).
    """
    if actor.kind != "user" or actor.id != str(user_id):
        raise NotPermitted(operation="rewards.reserve_coupon")
    permit_spending(user_id=user_id, at=at)
    account = account_of_user(user_id)
    good = Good.objects.select_for_update().filter(pk=good_id).first()
    if good is None:
        raise NotFound(what="商品 good", id=good_id)
    day = business_day(at)
    _permit_offer(good, user_id=user_id, day=day)
    validity = require_parameter(key="rewards.coupon_validity_days", at=at)
    Good.objects.filter(pk=good_id).update(stock=F("stock") - 1)
    coupon = Coupon.objects.create(
        code=_new_code(),
        good=good,
        user_id=user_id,
        ledger_account_id=account.ledger_account_id,
        price=good.price,
        face_value=good.face_value,
        state=CouponState.RESERVED.value,
        reserved_at=at,
        expires_on=min(day + timedelta(days=int(str(validity.value))), good.valid_to),
    )
    try:
        journal_id = move_points(coupon, CouponState.RESERVED, at)
    except InsufficientBalance as refused:
        raise NotEnoughPoints(price=good.price.value, points=refused.data["points"]) from refused
    record_movement(coupon, source="", actor=actor, at=at, journal_id=journal_id)
    return CouponReserved(
        coupon_id=coupon.pk,
        code=coupon.code,
        good_id=good_id,
        price=coupon.price,
        face_value=coupon.face_value,
        expires_on=coupon.expires_on,
    )


def _permit_offer(good: Good, *, user_id: int, day: date) -> None:
    names = {"good": good.name_zh, "good_en": good.name_en or good.name_zh}
    if good.withdrawn_at is not None or not good.valid_from <= day <= good.valid_to:
        raise GoodNotOffered(**names, valid_from=good.valid_from, valid_to=good.valid_to)
    if good.limit_per_person is not None:
        states = [CouponState.RESERVED.value, CouponState.HONOURED.value]
        had = Coupon.objects.filter(good=good, user_id=user_id, state__in=states).count()
        if had >= good.limit_per_person:
            raise LimitReached(**names, limit=good.limit_per_person, had=had)
    if good.stock < 1:
        raise OutOfStock(**names)


def _new_code() -> str:
    """Draw a code that cannot be guessed from others and is not taken."""
    while True:
        code = complete_code(f"{secrets.randbelow(10 ** (CODE_DIGITS - 1)):0{CODE_DIGITS - 1}d}")
        if not Coupon.objects.filter(code=code).exists():
            return code
