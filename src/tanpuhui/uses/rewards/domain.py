"""What rewards decide without a database: states of a coupon, codes, fees (商品、兑换券、结算)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.identifiers import check_digit
from tanpuhui.foundation.kernel.quantities import Fen

CODE_DIGITS = 12
RESERVED_POINTS = "points:reserved"
REDEEMED_POINTS = "points:redeemed"
PAYABLE = "settlement:payable"
MERCHANT_OWNER = "merchant"
"""The owner type under which the ledger knows a merchant's account; its owner id is the organisation's."""


class CouponState(StrEnum):
    """Where a coupon is (券状态)."""

    RESERVED = "reserved"
    HONOURED = "honoured"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


MOVES: frozenset[tuple[str, str]] = frozenset(
    {
        (CouponState.RESERVED, CouponState.HONOURED),
        (CouponState.RESERVED, CouponState.CANCELLED),
        (CouponState.RESERVED, CouponState.EXPIRED),
    }
)
"""What a coupon may become; everything but reserved is final. The database refuses every other change."""


class OutOfStock(Refusal):
    """Somebody was faster (没有库存)."""

    code = "OUT_OF_STOCK"
    zh = "“{good}”已经换完了，积分没有扣。可以看看别的商品，或过几天再来。"
    en = "“{good_en}” is out of stock; no points were taken. Choose another, or come back in some days."
    retryable = True


class NotEnoughPoints(Refusal):
    """The person has fewer points than the good costs (积分不足)."""

    code = "NOT_ENOUGH_POINTS"
    zh = "这件商品要 {price} 积分，你现有 {points} 积分。"
    en = "This costs {price} points; you have {points}."
    retryable = True


class GoodNotOffered(Refusal):
    """The good is withdrawn, or not offered on this day (不在兑换期)."""

    code = "GOOD_NOT_OFFERED"
    zh = "“{good}”不在兑换期内（{valid_from} 至 {valid_to}）或已经下架。"
    en = "“{good_en}” is not on offer now ({valid_from} to {valid_to}), or was withdrawn."


class LimitReached(Refusal):
    """The person has had as many as one person may have (超过每人限兑)."""

    code = "LIMIT_REACHED"
    zh = "“{good}”每人限兑 {limit} 份，你已经兑换了 {had} 份。"
    en = "One person may have {limit} of “{good_en}”; you have had {had}."


class CouponCodeMistyped(Refusal):
    """The digits do not fit their check digit (券码输错)."""

    code = "COUPON_CODE_MISTYPED"
    zh = "券码 {coupon} 有错：应是 12 位数字，且校验位相符。请核对后重新输入。"
    en = "The code {coupon} is mistyped: 12 digits with a fitting check digit are wanted. Check it and enter it again."


class CouponUsed(Refusal):
    """The coupon was honoured before (券已核销)."""

    code = "COUPON_USED"
    zh = "这张券已于 {when} 在 {where} 核销，不能再用。"
    en = "This coupon was honoured on {when} at {where}; it cannot be used again."


class CouponExpired(Refusal):
    """The last good day has passed (券已过期)."""

    code = "COUPON_EXPIRED"
    zh = "这张券 {expires_on} 到期，已不能使用，积分会退回原账户。"
    en = "This coupon was good until {expires_on}; it cannot be used, and the points go back to the account."


class CouponCancelled(Refusal):
    """The person gave the coupon back (券已取消)."""

    code = "COUPON_CANCELLED"
    zh = "这张券已于 {when} 取消，积分已退回。"
    en = "This coupon was cancelled on {when}, and the points went back."


class WrongMerchant(Refusal):
    """Another merchant's coupon (不是本店的券)."""

    code = "WRONG_MERCHANT"
    zh = "这张券只能在“{merchant}”使用，不能由你的门店核销。"
    en = "This coupon is good at “{merchant_en}” only; your shop cannot honour it."


class SettlementTooEarly(Refusal):
    """The period is not over (结算期未结束)."""

    code = "SETTLEMENT_TOO_EARLY"
    zh = "{period} 还没有结束，{earliest} 起才能结算。"
    en = "{period} is not over; it can be settled from {earliest} on."
    retryable = True


class SettlementClosed(Refusal):
    """The merchant's period has its sheet (已结算)."""

    code = "SETTLEMENT_CLOSED"
    zh = "“{merchant}” {period} 已经结算（结算单 {sheet_id}）。"
    en = "{period} of “{merchant_en}” is settled already (sheet {sheet_id})."


class NothingToSettle(Refusal):
    """No coupon was honoured that is not settled yet (没有可结算的券)."""

    code = "NOTHING_TO_SETTLE"
    zh = "“{merchant}”到 {period} 没有尚未结算的核销。"
    en = "“{merchant_en}” has nothing to settle up to {period}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What a sheet comes to, in fen."""

    fee: Fen
    payable: Fen


def complete_code(eleven_digits: str) -> str:
    """Return a coupon code of twelve digits: eleven and their Luhn check digit."""
    return eleven_digits + check_digit(eleven_digits)


def normal_code(text: str) -> str:
    """Return the code as stored; spaces and hyphens between the digits are passed over. Raises CouponCodeMistyped."""
    digits = text.replace(" ", "").replace("-", "")
    well_formed = len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()
    if not well_formed or check_digit(digits[:-1]) != digits[-1]:
        raise CouponCodeMistyped(coupon=text[:40])
    return digits


def payment(face_value: Fen, fee_share: Fraction) -> Payment:
    """Split the face value of honoured coupons into fee and payable; the fee is rounded down to a whole fen (FLOOR_1F)."""
    if not 0 <= fee_share <= 1:
        message = f"a fee is a share between 0 and 1, not {fee_share}"
        raise ValueError(message)
    fee = Fen(face_value.value * fee_share.numerator // fee_share.denominator)
    return Payment(fee=fee, payable=face_value - fee)
