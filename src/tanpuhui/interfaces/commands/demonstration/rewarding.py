"""Act four: merchants offer goods, citizens redeem points, merchants honour coupons, a month is settled."""

from __future__ import annotations

from datetime import timedelta

from tanpuhui.behaviour.carbon_accounts.queries import account_of_user
from tanpuhui.books.ledger.queries import balance
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.interfaces.commands.demonstration.certifying import full_months
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.uses.rewards.operations import (
    GoodListed,
    close_settlement,
    honour_coupon,
    list_good,
    reserve_coupon,
)

REDEEMERS = 60
OBJECTION = "按本店小票，本月核销比结算单多一张，请核对月末当天的券。演示意见。"


def offer_goods(stage: Stage) -> list[tuple[str, GoodListed, Points]]:
    """List every good of every merchant; return merchant key, good and price."""
    at = stage.moment(stage.first_day)
    listed = []
    for troupe in stage.cast.of_kind("merchant"):
        for number, offer in enumerate(troupe.offers):
            good = list_good(
                actor=stage.actor(stage.player(troupe.key), at),
                at=at,
                merchant_id=stage.organisation_ids[troupe.key],
                name_zh=offer.name,
                name_en=offer.name_en,
                face_value=Fen(offer.face_value_fen),
                price=Points(offer.points),
                stock=offer.stock,
                valid_from=stage.first_day,
                valid_to=stage.today + timedelta(days=365),
                limit_per_person=offer.per_person,
                idempotency_key=stage.key("good", troupe.key, number),
            )
            listed.append((troupe.key, good, Points(offer.points)))
    return listed


def redeem(stage: Stage) -> None:
    """Let the first citizens who have the points redeem them; every fourth coupon is kept for later."""
    goods = offer_goods(stage)
    days = [month.last_day - timedelta(days=3) for month in full_months(stage)] or [
        stage.today - timedelta(days=3)
    ]
    for number in range(min(REDEEMERS, len(stage.citizen_ids))):
        # The first citizen is the one whose login is printed: they redeem lately, and have a coupon to show.
        # The others take turns by dozens, so that every merchant has coupons in every month.
        day = stage.today - timedelta(days=2) if number == 0 else days[number // 12 % len(days)]
        at = stage.moment(day, 11, number % 60)
        merchant, good, price = goods[number % len(goods)]
        account = account_of_user(stage.citizen_ids[number])
        key = stage.key("coupon", number)
        if balance(account.ledger_account_id).points < price:
            continue
        coupon = reserve_coupon(
            actor=stage.citizen(number, at),
            at=at,
            idempotency_key=key,
            good_id=good.good_id,
            user_id=stage.citizen_ids[number],
        )
        if number % 4:
            honour_coupon(
                actor=stage.actor(stage.player(merchant), at),
                at=at + timedelta(minutes=40),
                idempotency_key=stage.key("honour", number),
                code=coupon.code,
            )


def settle(stage: Stage) -> None:
    """Close every merchant's full months. An earlier month meets an objection; the last waits for the merchant."""
    months: tuple[Month, ...] = full_months(stage)
    for month in months:
        for troupe in stage.cast.of_kind("merchant"):
            at = stage.moment(month.last_day + timedelta(days=3))
            closed = close_settlement(
                actor=stage.actor(stage.with_role("centre", "maker"), at),
                at=at,
                idempotency_key=stage.key("settlement", troupe.key, month),
                merchant_id=stage.organisation_ids[troupe.key],
                period=str(month),
            )
            if month != months[-1]:
                at += timedelta(days=2)
                decide(
                    actor=stage.actor(stage.player(troupe.key), at),
                    at=at,
                    idempotency_key=stage.key("settlement", troupe.key, month, "object"),
                    case_id=closed.case_id,
                    outcome="object",
                    opinion=OBJECTION,
                )
