"""Reads of goods, coupons and settlements, and their invariants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.db import connection

from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.uses.rewards.domain import (
    MERCHANT_OWNER,
    REDEEMED_POINTS,
    RESERVED_POINTS,
    CouponCodeMistyped,
    CouponState,
    normal_code,
)
from tanpuhui.uses.rewards.models import Coupon, CouponMovement, Good, SettlementLine, SettlementSheet

__all__ = [
    "CouponCodeMistyped",
    "CouponState",
    "CouponView",
    "GoodView",
    "SettlementLineView",
    "SettlementSheetView",
    "breaches",
    "coupon",
    "coupons_of",
    "good",
    "goods",
    "settlement_lines",
    "settlement_sheet",
    "settlement_sheets",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodView:
    """A good: face value in fen, price in points, what is left."""

    id: int
    merchant_id: int
    merchant_zh: str
    merchant_en: str
    name_zh: str
    name_en: str
    face_value: Fen
    price: Points
    stock: int
    limit_per_person: int | None
    valid_from: date
    valid_to: date
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponView:
    """A coupon with its good; `decided_at` and `place` say when and where it was honoured."""

    id: int
    code: str
    good: GoodView
    user_id: int
    price: Points
    face_value: Fen
    state: CouponState
    reserved_at: datetime
    expires_on: date
    decided_at: datetime | None
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLineView:
    """What is owed for one honoured coupon; `sheet_id` is None until it is settled."""

    code: str
    good_zh: str
    good_en: str
    face_value: Fen
    day: date
    honoured_at: datetime
    place: str
    sheet_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementSheetView:
    """A merchant's settlement of a month, in fen; the fee with its share and basis; `confirmed_at` by the merchant."""

    id: int
    merchant_id: int
    period: str
    coupons: int
    face_value: Fen
    fee_share: str
    fee_basis: str
    fee: Fen
    payable: Fen
    closed_at: datetime
    confirmed_at: datetime | None


def goods(*, on_offer: date | None = None, merchant_id: int | None = None) -> tuple[GoodView, ...]:
    """Return goods, the latest listed first: those on offer on a day, of one merchant, or all."""
    rows = Good.objects.select_related("merchant").order_by("-id")
    if on_offer is not None:
        rows = rows.filter(withdrawn_at__isnull=True, valid_from__lte=on_offer, valid_to__gte=on_offer)
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return tuple(_good_view(row) for row in rows)


def good(good_id: int) -> GoodView:
    """Return one good; raises NotFound."""
    row = Good.objects.select_related("merchant").filter(pk=good_id).first()
    if row is None:
        raise NotFound(what="商品 good", id=good_id)
    return _good_view(row)


def coupons_of(user_id: int) -> tuple[CouponView, ...]:
    """Return a person's coupons, the latest first."""
    rows = Coupon.objects.select_related("good__merchant").filter(user_id=user_id).order_by("-id")
    return tuple(_coupon_view(row) for row in rows)


def coupon(code: str) -> CouponView:
    """Return a coupon by its code; raises CouponCodeMistyped, NotFound. The caller decides who may see whose."""
    row = Coupon.objects.select_related("good__merchant").filter(code=normal_code(code)).first()
    if row is None:
        raise NotFound(what="兑换券 coupon", id=code)
    return _coupon_view(row)


def settlement_lines(*, merchant_id: int, sheet_id: int | None = None) -> tuple[SettlementLineView, ...]:
    """Return a merchant's settlement lines, the latest first; of one sheet if given."""
    rows = (
        SettlementLine.objects.select_related("coupon__good", "sheetline")
        .filter(merchant_id=merchant_id)
        .order_by("-honoured_at", "-pk")
    )
    if sheet_id is not None:
        rows = rows.filter(sheetline__sheet_id=sheet_id)
    return tuple(
        SettlementLineView(
            code=row.coupon.code,
            good_zh=row.coupon.good.name_zh,
            good_en=row.coupon.good.name_en,
            face_value=row.face_value,
            day=row.day,
            honoured_at=row.honoured_at,
            place=row.coupon.place,
            sheet_id=row.sheetline.sheet_id if hasattr(row, "sheetline") else None,
        )
        for row in rows
    )


def settlement_sheets(*, merchant_id: int | None = None) -> tuple[SettlementSheetView, ...]:
    """Return settlement sheets, the latest first, of one merchant if given."""
    rows = SettlementSheet.objects.select_related("confirmation").order_by("-period", "-id")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return tuple(_sheet_view(row) for row in rows)


def settlement_sheet(sheet_id: int) -> SettlementSheetView:
    """Return one settlement sheet; raises NotFound. The caller decides who may see whose."""
    row = SettlementSheet.objects.select_related("confirmation").filter(pk=sheet_id).first()
    if row is None:
        raise NotFound(what="结算单 settlement sheet", id=sheet_id)
    return _sheet_view(row)


_CHUNK = 5_000
_CHECKS = {
    "rewards.stock_adds_up": """
        select 'good:' || g.id, g.stock || ' left of ' || g.stocked || ', out: ' || count(c.id)
        from rewards_good g left join rewards_coupon c on c.good_id = g.id and c.state in ('reserved', 'honoured')
        group by g.id having g.stock + count(c.id) <> g.stocked or g.stock < 0""",
    "rewards.coupon_has_its_movements": """
        select 'coupon:' || c.id, c.state || ' after ' || coalesce(string_agg(m.target, ',' order by m.id), 'nothing')
        from rewards_coupon c left join rewards_couponmovement m on m.coupon_id = c.id group by c.id
        having string_agg(m.source || '>' || m.target, ',' order by m.id) is distinct from
          '>reserved' || case when c.state = 'reserved' then '' else ',reserved>' || c.state end""",
    "rewards.honoured_has_one_line": """
        select 'coupon:' || coalesce(c.id, l.coupon_id), coalesce(c.state, 'no coupon') || ', line of ' || coalesce(l.face_value::text, 'none')
        from rewards_coupon c full join rewards_settlementline l on l.coupon_id = c.id
        where (c.state is not distinct from 'honoured') <> (l.coupon_id is not null)
          or (l.coupon_id is not null and l.face_value is distinct from c.face_value)""",
    "rewards.sheet_adds_up": """
        select 'settlement_sheet:' || s.id, s.face_value || ' fen of ' || s.coupons || ', lines: ' || coalesce(sum(l.face_value), 0)
        from rewards_settlementsheet s left join rewards_sheetline x on x.sheet_id = s.id
        left join rewards_settlementline l on l.coupon_id = x.line_id and l.merchant_id = s.merchant_id
        group by s.id
        having count(l.coupon_id) <> s.coupons or coalesce(sum(l.face_value), 0) <> s.face_value or s.fee + s.payable <> s.face_value""",
}


def breaches() -> Iterator[Breach]:
    """Report stock, coupons, points and settlements that do not conserve (house plan, section 6, invariant 5)."""
    for invariant, sql in _CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            for subject, detail in cursor.fetchall():
                yield Breach(invariant, subject, detail)
    sums = dict.fromkeys(CouponState, 0)
    for state, price in Coupon.objects.values_list("state", "price").iterator(chunk_size=5_000):
        sums[CouponState(state)] += price.value
    for code, state in ((RESERVED_POINTS, CouponState.RESERVED), (REDEEMED_POINTS, CouponState.HONOURED)):
        booked = ledger.system_total(code).points
        if booked.value != sums[state]:
            yield Breach("rewards.points_conserve", code, f"{booked} booked, coupons have {sums[state]}")
    yield from _movement_breaches()
    yield from _payable_breaches()


def _movement_breaches() -> Iterator[Breach]:
    """Each movement has the journal that moved the coupon's price."""
    rows = CouponMovement.objects.order_by("id").values_list(
        "journal_id", "target", "coupon__code", "coupon__price", "coupon_id"
    )
    movements = rows.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(movements, _CHUNK)):
        booked = ledger.journals([row[0] for row in chunk])
        for journal_id, target, code, price, coupon_id in chunk:
            found = booked.get(journal_id)
            if found is None or (found.kind, found.reference, found.points) != (
                f"coupon_{target}",
                code,
                price,
            ):
                detail = f"{target}: journal {journal_id} does not move {price} points for it"
                yield Breach("rewards.movement_moved_the_points", f"coupon:{coupon_id}", detail)


def _payable_breaches() -> Iterator[Breach]:
    owed: dict[int, int] = {}
    for merchant_id, payable in SettlementSheet.objects.values_list("merchant_id", "payable"):
        owed[merchant_id] = owed.get(merchant_id, 0) + payable.value
    accounts = ledger.accounts_of(owner_type=MERCHANT_OWNER, owner_ids=list(owed))
    for merchant_id, fen in sorted(owed.items()):
        held = ledger.balance(accounts[merchant_id]).fen if merchant_id in accounts else Fen(0)
        if held.value != fen:
            detail = f"sheets say {fen} fen, the ledger {held}"
            yield Breach("rewards.payable_is_booked", f"merchant:{merchant_id}", detail)


def _good_view(row: Good) -> GoodView:
    return GoodView(
        id=row.pk,
        merchant_id=row.merchant_id,
        merchant_zh=row.merchant.name,
        merchant_en=row.merchant.name_en,
        name_zh=row.name_zh,
        name_en=row.name_en,
        face_value=row.face_value,
        price=row.price,
        stock=row.stock,
        limit_per_person=row.limit_per_person,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        withdrawn=row.withdrawn_at is not None,
    )


def _coupon_view(row: Coupon) -> CouponView:
    return CouponView(
        id=row.pk,
        code=row.code,
        good=_good_view(row.good),
        user_id=row.user_id,
        price=row.price,
        face_value=row.face_value,
        state=CouponState(row.state),
        reserved_at=row.reserved_at,
        expires_on=row.expires_on,
        decided_at=row.decided_at,
        place=row.place,
    )


def _sheet_view(row: SettlementSheet) -> SettlementSheetView:
    return SettlementSheetView(
        id=row.pk,
        merchant_id=row.merchant_id,
        period=row.period,
        coupons=row.coupons,
        face_value=row.face_value,
        fee_share=row.fee_share,
        fee_basis=row.fee_basis,
        fee=row.fee,
        payable=row.payable,
        closed_at=row.closed_at,
        confirmed_at=row.confirmation.confirmed_at if hasattr(row, "confirmation") else None,
    )
