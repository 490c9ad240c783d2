"""How a coupon stands on a day, as its holder sees it (券的状态)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext

from tanpuhui.uses.rewards.queries import CouponState, CouponView


def shown_state(coupon: CouponView, today: date) -> CouponState:
    """Return the coupon's state; one whose last good day is over is shown as expired before the nightly run."""
    overdue = coupon.state is CouponState.RESERVED and coupon.expires_on < today
    return CouponState.EXPIRED if overdue else coupon.state


def usable(coupons: Iterable[CouponView], today: date) -> list[CouponView]:
    """Return the coupons that a shop would honour today, the one that expires first at the top."""
    found = [coupon for coupon in coupons if shown_state(coupon, today) is CouponState.RESERVED]
    return sorted(found, key=lambda coupon: (coupon.expires_on, coupon.id))


def state_words(state: CouponState) -> str:
    """Return the word for a state."""
    return {
        CouponState.RESERVED: gettext("待使用"),
        CouponState.HONOURED: gettext("已使用"),
        CouponState.EXPIRED: gettext("已过期"),
        CouponState.CANCELLED: gettext("已取消"),
    }[state]


def state_tone(state: CouponState) -> str:
    """Return the tone of a state."""
    return {CouponState.RESERVED: "ok", CouponState.HONOURED: "info", CouponState.EXPIRED: "wait"}.get(
        state, ""
    )
