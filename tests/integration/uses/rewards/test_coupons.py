"""Points become a coupon, the coupon a settlement line, and what is not used goes back whole."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from tests.rewards_market import FACE_VALUE, PRICE, Market

from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.audit.operations import IdempotencyConflict
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted, Refusal
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.uses.rewards import operations, queries
from tanpuhui.uses.rewards.models import Coupon
from tanpuhui.uses.rewards.operations import _give_back


def honour(market: Market, code: str, *, key: str = "h1", place: str = "北门店") -> operations.CouponHonoured:
    return operations.honour_coupon(
        actor=market.merchant, at=market.at, idempotency_key=key, code=code, place=place
    )


def points(market: Market, person: int = 0) -> Points:
    return ledger.balance(market.accounts[person]).points


def sound() -> bool:
    return [*queries.breaches(), *ledger.breaches()] == []


def test_a_coupon_takes_points_and_one_piece(market: Market) -> None:
    good_id = market.good(stock=3)
    reserved = market.reserve(good_id)
    assert points(market) == Points(150)
    assert queries.good(good_id).stock == 2
    assert ledger.system_total("points:reserved").points == PRICE
    assert queries.coupon(reserved.code).state == "reserved"
    assert reserved.expires_on == date(2026, 12, 20)
    assert sound()


def test_the_same_request_again_gives_the_same_coupon(market: Market) -> None:
    good_id = market.good()
    assert market.reserve(good_id) == market.reserve(good_id)
    assert points(market) == Points(150)
    assert len(queries.coupons_of(int(market.people[0].id))) == 1


def test_the_same_key_for_another_good_is_an_error(market: Market) -> None:
    market.reserve(market.good())
    with pytest.raises(IdempotencyConflict):
        market.reserve(market.good())


def test_a_coupon_is_not_good_for_longer_than_the_good(market: Market) -> None:
    assert market.reserve(market.good(days=3)).expires_on == date(2026, 11, 23)


def test_too_few_points_leave_everything_as_it_was(market: Market) -> None:
    good_id = market.good()
    market.reserve(good_id, key="1")
    market.reserve(good_id, key="2")
    with pytest.raises(operations.NotEnoughPoints) as refused:
        market.reserve(good_id, key="3")
    assert refused.value.data == {"price": 100, "points": 50}
    assert queries.good(good_id).stock == 8
    assert sound()


def test_nothing_is_sold_that_is_not_there(market: Market) -> None:
    good_id = market.good(stock=1)
    market.reserve(good_id)
    with pytest.raises(operations.OutOfStock) as refused:
        market.reserve(good_id, person=1)
    assert "公交周卡" in refused.value.message("zh")
    assert points(market, 1) == Points(250)


def test_a_person_has_no_more_than_the_limit_and_a_cancelled_coupon_does_not_count(market: Market) -> None:
    good_id = market.good(limit=1)
    first = market.reserve(good_id, key="1")
    with pytest.raises(operations.LimitReached):
        market.reserve(good_id, key="2")
    operations.cancel_coupon(actor=market.people[0], at=market.at, idempotency_key="c", code=first.code)
    assert market.reserve(good_id, key="3").code != first.code


@pytest.mark.parametrize("days", [-1, 6])
def test_a_good_is_redeemed_only_while_it_is_on_offer(market: Market, days: int) -> None:
    good_id = market.good(days=5)
    with pytest.raises(operations.GoodNotOffered):
        market.reserve(good_id, at=market.at + timedelta(days=days))


def test_a_withdrawn_good_is_gone_but_its_coupons_are_good(market: Market) -> None:
    good_id = market.good()
    reserved = market.reserve(good_id)
    operations.withdraw_good(actor=market.merchant, at=market.at, good_id=good_id)
    with pytest.raises(operations.GoodNotOffered):
        market.reserve(good_id, person=1)
    assert queries.goods(on_offer=date(2026, 11, 20)) == ()
    assert honour(market, reserved.code).face_value == FACE_VALUE


def test_nobody_redeems_for_somebody_else(market: Market) -> None:
    good_id = market.good()
    with pytest.raises(NotPermitted):
        operations.reserve_coupon(
            actor=market.people[0],
            at=market.at,
            idempotency_key="x",
            good_id=good_id,
            user_id=int(market.people[1].id),
        )


def test_honouring_moves_the_points_and_writes_the_line_at_once(market: Market) -> None:
    reserved = market.reserve(market.good())
    honoured = honour(market, f"{reserved.code[:4]} {reserved.code[4:8]} {reserved.code[8:]}")
    assert honour(market, reserved.code[:4] + " " + reserved.code[4:8] + " " + reserved.code[8:]) == honoured
    (line,) = queries.settlement_lines(merchant_id=market.merchant_id)
    assert (line.code, line.face_value, line.place, line.sheet_id) == (
        reserved.code,
        FACE_VALUE,
        "北门店",
        None,
    )
    assert ledger.system_total("points:redeemed").points == PRICE
    assert ledger.system_total("points:reserved").points == Points(0)
    assert sound()


def test_a_used_coupon_says_when_and_where(market: Market) -> None:
    reserved = market.reserve(market.good())
    honour(market, reserved.code)
    with pytest.raises(operations.CouponUsed) as refused:
        honour(market, reserved.code, key="h2")
    assert "2026-11-20 10:00" in refused.value.message("zh")
    assert "北港书店 北门店" in refused.value.message("zh")


def test_another_merchant_cannot_honour_it(market: Market) -> None:
    reserved = market.reserve(market.good())
    with pytest.raises(operations.WrongMerchant) as refused:
        operations.honour_coupon(
            actor=market.other_merchant, at=market.at, idempotency_key="h", code=reserved.code
        )
    assert "Beigang Books" in refused.value.message("en")
    assert queries.coupon(reserved.code).state == "reserved"


def test_a_mistyped_code_and_an_unknown_one_are_told_apart(market: Market) -> None:
    with pytest.raises(operations.CouponCodeMistyped):
        honour(market, "123456789012")
    with pytest.raises(NotFound):
        honour(market, "000000000000")


def test_cancelling_restores_points_piece_and_first_expiry(market: Market) -> None:
    good_id = market.good(stock=1)
    before = ledger.points_lots(market.accounts[0], validity_days=730)
    reserved = market.reserve(good_id)
    later = market.at + timedelta(days=9)
    operations.cancel_coupon(actor=market.people[0], at=later, idempotency_key="c", code=reserved.code)
    assert ledger.points_lots(market.accounts[0], validity_days=730) == before
    assert queries.good(good_id).stock == 1
    with pytest.raises(operations.CouponCancelled):
        honour(market, reserved.code)
    assert sound()


def test_only_the_person_cancels_and_only_what_is_unused(market: Market) -> None:
    reserved = market.reserve(market.good())
    with pytest.raises(NotFound):
        operations.cancel_coupon(
            actor=market.people[1], at=market.at, idempotency_key="c", code=reserved.code
        )
    honour(market, reserved.code)
    with pytest.raises(operations.CouponUsed):
        operations.cancel_coupon(
            actor=market.people[0], at=market.at, idempotency_key="c", code=reserved.code
        )


def test_overdue_coupons_expire_in_portions_and_points_go_back(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_give_back, "EXPIRED_PER_CALL_MAX", 2)
    good_id = market.good()
    codes = [market.reserve(good_id, key=str(n), person=n % 2).code for n in range(3)]
    last_day = market.at + timedelta(days=30)
    assert operations.expire_coupons(actor=SYSTEM, at=last_day).coupons == 0
    with pytest.raises(operations.CouponExpired):
        operations.honour_coupon(
            actor=market.merchant, at=last_day + timedelta(days=1), idempotency_key="h", code=codes[0]
        )
    first = operations.expire_coupons(actor=SYSTEM, at=last_day + timedelta(days=1))
    second = operations.expire_coupons(actor=SYSTEM, at=last_day + timedelta(days=1))
    assert (first.coupons, first.more, second.coupons, second.more) == (2, True, 1, False)
    assert [points(market, 0), points(market, 1)] == [Points(250), Points(250)]
    assert queries.good(good_id).stock == 10
    assert sound()


def test_a_month_is_settled_once_with_the_fee_of_the_rule(market: Market) -> None:
    good_id = market.good()
    for n in range(3):
        honour(market, market.reserve(good_id, key=str(n), person=n % 2).code, key=f"h{n}")
    with pytest.raises(operations.SettlementTooEarly):
        close(market, market.at)
    after = datetime.fromisoformat("2026-12-01T00:00:00+08:00")
    sheet = close(market, after)
    assert (sheet.coupons, sheet.face_value, sheet.fee, sheet.payable) == (3, Fen(5997), Fen(59), Fen(5938))
    assert close(market, after) == sheet
    account = ledger.accounts_of(owner_type="merchant", owner_ids=[market.merchant_id])[market.merchant_id]
    assert ledger.balance(account).fen == Fen(5938)
    assert {line.sheet_id for line in queries.settlement_lines(merchant_id=market.merchant_id)} == {
        sheet.sheet_id
    }
    assert queries.settlement_sheets(merchant_id=market.merchant_id)[0].fee_share == "1/100"
    with pytest.raises(operations.SettlementClosed):
        close(market, after, key="s2")
    with pytest.raises(operations.NothingToSettle):
        operations.close_settlement(
            actor=market.maker,
            at=after,
            idempotency_key="s3",
            merchant_id=market.other_merchant_id,
            period="2026-11",
        )
    assert sound()


def close(market: Market, at: datetime, key: str = "s1") -> operations.SettlementSheetClosed:
    return operations.close_settlement(
        actor=market.maker, at=at, idempotency_key=key, merchant_id=market.merchant_id, period="2026-11"
    )


def settled_and_asked(market: Market) -> tuple[operations.SettlementSheetClosed, datetime]:
    honour(market, market.reserve(market.good()).code)
    after = datetime.fromisoformat("2026-12-01T00:00:00+08:00")
    return close(market, after), after


def say(actor: Actor, sheet: operations.SettlementSheetClosed, outcome: str, at: datetime) -> None:
    decide(
        actor=actor, at=at, idempotency_key=None, case_id=sheet.case_id, outcome=outcome, opinion="逐张核对过"
    )


def test_the_merchant_confirms_the_sheet_and_no_money_moves(market: Market) -> None:
    sheet, after = settled_and_asked(market)
    account = ledger.accounts_of(owner_type="merchant", owner_ids=[market.merchant_id])[market.merchant_id]
    owed = ledger.balance(account).fen
    (line,) = workflow.inbox(actor=market.merchant, at=after)
    assert line.case.case_id == sheet.case_id
    assert queries.settlement_sheet(sheet.sheet_id).confirmed_at is None
    with pytest.raises(Refusal) as foreign:
        say(market.other_merchant, sheet, "confirm", after)
    assert foreign.value.code == "NOT_YOUR_DECISION"
    say(market.merchant, sheet, "confirm", after)
    assert queries.settlement_sheet(sheet.sheet_id).confirmed_at == after
    assert ledger.balance(account).fen == owed
    assert workflow.case(sheet.case_id).closed_at == after
    assert sound()


def test_an_objection_is_answered_by_a_maker_and_ended_by_another_person(market: Market) -> None:
    sheet, after = settled_and_asked(market)
    checker = Actor(kind="user", id="9008", grants=(Grant(role=Role.CHECKER, area="990000"),))
    both = Actor(kind="user", id="9009", grants=(*market.maker.grants, *checker.grants))
    say(market.merchant, sheet, "object", after)
    with pytest.raises(Refusal) as unanswered:
        say(checker, sheet, "end", after)
    assert unanswered.value.code == "CASE_MOVED"  # an objection that nobody answered cannot be ended
    say(market.maker, sheet, "answer", after)
    say(market.merchant, sheet, "object", after)
    with pytest.raises(Refusal) as alone:
        say(both, sheet, "end", after)
    assert alone.value.code == "SAME_PERSON"
    say(checker, sheet, "end", after)
    assert queries.settlement_sheet(sheet.sheet_id).confirmed_at is None
    assert workflow.case(sheet.case_id).state == "ended"


def test_a_merchant_sees_to_its_own_goods_only(market: Market) -> None:
    good_id = market.good(stock=1)
    with pytest.raises(NotPermitted):
        operations.restock_good(
            actor=market.other_merchant, at=market.at, good_id=good_id, added=5, idempotency_key="x"
        )
    restocked = operations.restock_good(
        actor=market.merchant, at=market.at, good_id=good_id, added=5, idempotency_key="x"
    )
    assert restocked.stock == 6
    with pytest.raises(Invalid):
        operations.restock_good(
            actor=market.merchant, at=market.at, good_id=good_id, added=-1, idempotency_key="y"
        )
    assert sound()


@pytest.mark.parametrize(
    "attack",
    [
        "update rewards_coupon set state = 'reserved', decided_at = null",
        "update rewards_coupon set state = 'cancelled'",
        "update rewards_coupon set price = 1",
        "delete from rewards_coupon",
        "update rewards_good set price = 1",
        "update rewards_good set stock = -1",
        "update rewards_good set stock = stocked + 1",
        "update rewards_couponmovement set target = 'reserved'",
        "delete from rewards_settlementline",
    ],
)
def test_the_database_refuses_what_no_operation_does(market: Market, attack: str) -> None:
    honour(market, market.reserve(market.good()).code)
    with pytest.raises(DatabaseError, match=r"pgtrigger|good_stock_not_negative"), transaction.atomic():
        connection.cursor().execute(attack)


@pytest.mark.parametrize(
    ("corruption", "invariant"),
    [
        ("update rewards_good set stock = stock + 1", "rewards.stock_adds_up"),
        ("update rewards_coupon set state = 'cancelled'", "rewards.coupon_has_its_movements"),
        ("update rewards_coupon set price = price + 1", "rewards.points_conserve"),
        ("update rewards_couponmovement set journal_id = -id", "rewards.movement_moved_the_points"),
        (
            "delete from rewards_sheetline; delete from rewards_settlementline",
            "rewards.honoured_has_one_line",
        ),
        ("update rewards_settlementline set face_value = 1", "rewards.honoured_has_one_line"),
        ("delete from rewards_sheetline", "rewards.sheet_adds_up"),
        (
            "update rewards_settlementsheet set fee = fee + 1, payable = payable - 1",
            "rewards.payable_is_booked",
        ),
    ],
)
def test_a_corrupted_row_is_found(market: Market, corruption: str, invariant: str) -> None:
    honour(market, market.reserve(market.good()).code)
    close(market, datetime.fromisoformat("2026-12-01T00:00:00+08:00"))
    assert sound()
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(corruption)
        cursor.execute("set local session_replication_role = origin")
    assert invariant in {breach.invariant for breach in queries.breaches()}


def test_codes_do_not_follow_each_other(market: Market) -> None:
    good_id = market.good()
    market.reserve(good_id, key="1")
    market.reserve(good_id, key="2")
    first, second = (int(code) for code in Coupon.objects.values_list("code", flat=True))
    assert abs(first - second) > 100
