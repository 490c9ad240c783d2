"""What the kinds of lines of the ledger are called, and why each is there, in words for everybody."""

from __future__ import annotations

from django.utils.translation import gettext

CREDITED = "posting"
RECALCULATED = "recalculation"
EXCEPTION = "record_exception"
SETTLED = "clawback_settlement"
EXPIRY = "points_expiry"
ADMITTED = "programme_admission"
GIVEN_UP = "points_given_up"
COUPON = "coupon_"
CHANGES = frozenset({RECALCULATED, EXCEPTION, SETTLED})
"""Lines that change grams and are no record: both are shown with their grams."""


def line_name(kind: str) -> str:
    """Return the name of a kind of line; an unknown one says that it is a booking, and never shows a code."""
    return {
        CREDITED: gettext("减排记录入账"),
        RECALCULATED: gettext("方法学更新重算"),
        EXCEPTION: gettext("记录冲回或恢复"),
        SETTLED: gettext("抵扣待追回"),
        EXPIRY: gettext("积分到期"),
        ADMITTED: gettext("原平台账户迁入"),
        GIVEN_UP: gettext("注销账户，积分退回平台"),
        "coupon_reserved": gettext("兑换商品"),
        "coupon_cancelled": gettext("取消兑换，积分退回"),
        "coupon_expired": gettext("券过期，积分退回"),
    }.get(kind, gettext("账户变动"))


def line_reason(kind: str) -> str:
    """Return in a sentence or two why a line of this kind is there; empty where the line tells it itself."""
    return {
        CREDITED: gettext(
            "数据方送来这一天的记录，平台按方法学逐笔算出减排量，再按天合计换成积分。下面是这一次入账的每一笔。"
        ),
        RECALCULATED: gettext("方法学换了新版本，以前的记录按新版本重新算过，这里只记多出或少了的部分。"),
        EXCEPTION: gettext("有记录经核对后冲回，或者申诉成立后恢复。下面写明是哪一笔、为什么。"),
        SETTLED: gettext("以前有一次更正要收回，当时余额不够，差的部分记为待追回。这一次先从余额里抵扣。"),
        ADMITTED: gettext(
            "您确认把原平台的余额迁入碳账户。按公布的折算率换成积分，从迁入这一天起算有效期；原平台的克数不计入。"
        ),
        EXPIRY: gettext("积分有有效期，先到账的先用、先到期。到期没有用掉的从余额里减去。"),
    }.get(kind, "")
