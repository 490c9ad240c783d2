"""Goods, coupons, settlement lines, sheets and their confirmation (商品、兑换券、结算明细、结算单、商户确认)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.fields import FenField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.uses.rewards.domain import MOVES, CouponState


class Good(models.Model):
    """Something a merchant gives for points (商品). `stocked` is all that was ever supplied, `stock` what is left."""

    merchant = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    name_zh = models.TextField()
    name_en = models.TextField()
    face_value = FenField()
    price = PointsField()
    stocked = models.IntegerField()
    stock = models.IntegerField()
    limit_per_person = models.IntegerField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField()
    listed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=holds("stock >= 0 and stock <= stocked"), name="good_stock_not_negative"
            ),
            models.CheckConstraint(
                condition=holds("price > 0 and face_value >= 0"), name="good_price_positive"
            ),
            models.CheckConstraint(condition=holds("limit_per_person > 0"), name="good_limit_positive"),
            models.CheckConstraint(condition=holds("valid_from <= valid_to"), name="good_valid_in_order"),
        ]
        indexes = [models.Index(fields=["merchant"], name="good_by_merchant")]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="terms_stand",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "ROW(OLD.merchant_id, OLD.price, OLD.face_value, OLD.limit_per_person) IS DISTINCT FROM"
                    " ROW(NEW.merchant_id, NEW.price, NEW.face_value, NEW.limit_per_person)"
                ),
            ),
        ]


def _no_legal_move() -> pgtrigger.Condition:
    pairs = " OR ".join(
        f"(OLD.state = '{source}' AND NEW.state = '{target}')" for source, target in sorted(MOVES)
    )
    return pgtrigger.Condition(
        f"NOT ({pairs}) OR ROW(OLD.code, OLD.good_id, OLD.user_id, OLD.price, OLD.face_value, OLD.expires_on)"
        " IS DISTINCT FROM ROW(NEW.code, NEW.good_id, NEW.user_id, NEW.price, NEW.face_value, NEW.expires_on)"
    )


class Coupon(models.Model):
    """One good for one person (兑换券). Price and face value are those of the moment it was reserved."""

    code = models.CharField(max_length=12, unique=True)
    good = models.ForeignKey(Good, on_delete=models.PROTECT)
    user = models.ForeignKey("identity.User", on_delete=models.PROTECT)
    ledger_account_id = models.BigIntegerField()
    price = PointsField()
    face_value = FenField()
    state = models.TextField(choices=[(state.value, state.value) for state in CouponState])
    reserved_at = models.DateTimeField()
    expires_on = models.DateField()
    decided_at = models.DateTimeField(null=True)
    place = models.TextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in CouponState]),
                name="coupon_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="reserved", decided_at__isnull=True)
                | (~models.Q(state="reserved") & models.Q(decided_at__isnull=False)),
                name="coupon_decided_has_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="coupon_by_user"),
            models.Index(fields=["good", "user"], name="coupon_by_good_and_user"),
            models.Index(
                fields=["expires_on"], condition=models.Q(state="reserved"), name="coupon_reserved_by_expiry"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="legal_moves", operation=pgtrigger.Update, condition=_no_legal_move()),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]


class CouponMovement(models.Model):
    """One change of one coupon, for ever, with the ledger's journal that moved the points (券变动)."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="movements")
    source = models.TextField(default="")
    target = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    place = models.TextField(default="")
    journal_id = models.BigIntegerField(unique=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["coupon", "target"], name="coupon_movement_once")]
        triggers = append_only()


class SettlementLine(models.Model):
    """What the scheme owes a merchant for one honoured coupon, in fen (结算明细)."""

    coupon = models.OneToOneField(Coupon, on_delete=models.PROTECT, primary_key=True)
    merchant = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    face_value = FenField()
    day = models.DateField()
    honoured_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["merchant", "day"], name="settlement_line_by_merchant")]
        triggers = append_only()


class SettlementSheet(models.Model):
    """A merchant's settlement of a month (结算单): count, face value, fee and payable in fen."""

    merchant = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    period = models.CharField(max_length=7)
    coupons = models.IntegerField()
    face_value = FenField()
    fee_share = models.TextField()
    fee_basis = models.TextField()
    fee = FenField()
    payable = FenField()
    journal_id = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "period"], name="settlement_sheet_once"),
            models.CheckConstraint(
                condition=holds("fee >= 0 and payable >= 0 and fee + payable = face_value"),
                name="settlement_sheet_adds_up",
            ),
        ]
        triggers = append_only()


class SheetLine(models.Model):
    """Which sheet settled a line; each line is settled once (结算归属)."""

    line = models.OneToOneField(SettlementLine, on_delete=models.PROTECT, primary_key=True)
    sheet = models.ForeignKey(SettlementSheet, on_delete=models.PROTECT, related_name="settled")

    class Meta:
        triggers = append_only()


class SheetConfirmation(models.Model):
    """The merchant's word that a sheet is right, with the case in which it was given (商户确认). It moves no money."""

    sheet = models.OneToOneField(
        SettlementSheet, on_delete=models.PROTECT, primary_key=True, related_name="confirmation"
    )
    case_id = models.BigIntegerField()
    confirmed_by = models.TextField()
    confirmed_at = models.DateTimeField()

    class Meta:
        triggers = append_only()
