"""Verbs of goods, coupons and settlement.

Errors: OutOfStock, NotEnoughPoints, GoodNotOffered, LimitReached, CouponCodeMistyped, CouponUsed, CouponExpired,
CouponCancelled, WrongMerchant, SettlementTooEarly, SettlementClosed, NothingToSettle; NoCarbonAccount of carbon
accounts; ParameterUnset of the rulebook; NotFound, NotPermitted, Invalid of the kernel.
"""

from tanpuhui.uses.rewards.domain import (
    CouponCancelled,
    CouponCodeMistyped,
    CouponExpired,
    CouponUsed,
    GoodNotOffered,
    LimitReached,
    NotEnoughPoints,
    NothingToSettle,
    OutOfStock,
    SettlementClosed,
    SettlementTooEarly,
    WrongMerchant,
)
from tanpuhui.uses.rewards.operations._close_settlement import SettlementSheetClosed, close_settlement
from tanpuhui.uses.rewards.operations._confirm_settlement import SettlementConfirmed, confirm_settlement
from tanpuhui.uses.rewards.operations._give_back import (
    CouponReturned,
    CouponsExpired,
    cancel_coupon,
    expire_coupons,
)
from tanpuhui.uses.rewards.operations._goods import GoodListed, list_good, restock_good, withdraw_good
from tanpuhui.uses.rewards.operations._honour_coupon import CouponHonoured, honour_coupon
from tanpuhui.uses.rewards.operations._reserve_coupon import CouponReserved, reserve_coupon

__all__ = [
    "CouponCancelled",
    "CouponCodeMistyped",
    "CouponExpired",
    "CouponHonoured",
    "CouponReserved",
    "CouponReturned",
    "CouponUsed",
    "CouponsExpired",
    "GoodListed",
    "GoodNotOffered",
    "LimitReached",
    "NotEnoughPoints",
    "NothingToSettle",
    "OutOfStock",
    "SettlementClosed",
    "SettlementConfirmed",
    "SettlementSheetClosed",
    "SettlementTooEarly",
    "WrongMerchant",
    "cancel_coupon",
    "close_settlement",
    "confirm_settlement",
    "expire_coupons",
    "honour_coupon",
    "list_good",
    "reserve_coupon",
    "restock_good",
    "withdraw_good",
]
