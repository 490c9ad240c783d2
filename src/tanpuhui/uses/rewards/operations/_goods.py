"""List, restock and withdraw goods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import OrganisationKind, organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.uses.rewards.models import Good


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodListed:
    """The good as it stands: what is left in stock, and whether it is still offered."""

    good_id: int
    stock: int
    offered: bool


@operation(roles={Role.MERCHANT, Role.MAKER}, subject="good:{good_id}")
def list_good(
    *,
    actor: Actor,
    at: datetime,
    merchant_id: int,
    name_zh: str,
    name_en: str,
    face_value: Fen,
    price: Points,
    stock: int,
    valid_from: date,
    valid_to: date,
    limit_per_person: int | None = None,
    idempotency_key: str | None = None,
) -> GoodListed:
    """Offer a merchant's good for points (上架): face value in fen, price in points, both days included.

    The merchant's own people or the centre's maker. Raises NotFound, NotPermitted, Invalid.
    """
    merchant = organisation(merchant_id)
    if merchant.kind != OrganisationKind.MERCHANT:
        raise NotFound(what="商户 merchant", id=merchant_id)
    _permit(actor, merchant_id, "rewards.list_good")
    for field, wrong in (
        ("name_zh", not name_zh.strip()),
        ("price", price <= Points(0)),
        ("face_value", face_value < Fen(0)),
        ("stock", stock < 0),
        ("limit_per_person", limit_per_person is not None and limit_per_person < 1),
        ("valid_to", valid_to < valid_from),
    ):
        if wrong:
            raise Invalid(field=field, why="超出允许范围 / outside what is allowed")
    row = Good.objects.create(
        merchant_id=merchant_id,
        name_zh=name_zh.strip(),
        name_en=name_en.strip(),
        face_value=face_value,
        price=price,
        stocked=stock,
        stock=stock,
        limit_per_person=limit_per_person,
        valid_from=valid_from,
        valid_to=valid_to,
        listed_at=at,
    )
    return GoodListed(good_id=row.pk, stock=stock, offered=True)


@operation(roles={Role.MERCHANT, Role.MAKER}, subject="good:{good_id}")
def restock_good(*, actor: Actor, at: datetime, good_id: int, added: int, idempotency_key: str) -> GoodListed:
    """Add pieces to a good's stock (补货). Raises NotFound, NotPermitted, Invalid."""
    row = _locked(good_id)
    _permit(actor, row.merchant_id, "rewards.restock_good")
    if added < 1:
        raise Invalid(field="added", why="至少 1 件 / at least one piece")
    row.stocked += added
    row.stock += added
    row.save(update_fields=["stocked", "stock"])
    return GoodListed(good_id=row.pk, stock=row.stock, offered=row.withdrawn_at is None)


@operation(roles={Role.MERCHANT, Role.MAKER}, subject="good:{good_id}")
def withdraw_good(
    *, actor: Actor, at: datetime, good_id: int, idempotency_key: str | None = None
) -> GoodListed:
    """Stop offering a good (下架); coupons that are out stay good. Raises NotFound, NotPermitted."""
    row = _locked(good_id)
    _permit(actor, row.merchant_id, "rewards.withdraw_good")
    if row.withdrawn_at is None:
        row.withdrawn_at = at
        row.save(update_fields=["withdrawn_at"])
    return GoodListed(good_id=row.pk, stock=row.stock, offered=False)


def _locked(good_id: int) -> Good:
    row = Good.objects.select_for_update().filter(pk=good_id).first()
    if row is None:
        raise NotFound(what="商品 good", id=good_id)
    return row


def _permit(actor: Actor, merchant_id: int, operation_name: str) -> None:
    """Let a maker act for the merchants of their area, and a merchant for itself."""
    if not actor.has(Role.MAKER, area=organisation(merchant_id).area):
        actor.require(Role.MERCHANT, operation=operation_name, organisation_id=merchant_id)
