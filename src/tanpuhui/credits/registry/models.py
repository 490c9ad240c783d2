"""Holding accounts, issuances, blocks, movements, transfers and certificates (登记簿)."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models

from tanpuhui.credits.registry.domain import MOVES, BlockState
from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.fields import TonnesField
from tanpuhui.foundation.persistence.triggers import append_only


class HoldingAccount(models.Model):
    """Where an organisation holds units (持有账户)."""

    number = models.TextField(unique=True)
    organisation = models.OneToOneField("identity.Organisation", on_delete=models.PROTECT)
    opened_at = models.DateTimeField()

    class Meta:
        triggers = append_only()


class Issuance(models.Model):
    """One serial block as it was issued (签发). Never changed; what becomes of its units stands in blocks."""

    report_id = models.BigIntegerField(unique=True)
    case_id = models.BigIntegerField()
    project_id = models.BigIntegerField()
    project_code = models.TextField()
    prefix = models.TextField()
    vintage = models.IntegerField()
    span = BigIntegerRangeField()
    quantity = TonnesField()
    issued_at = models.DateTimeField()
    leaf_id = models.BigIntegerField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="issuance_numbers_disjoint",
                expressions=[
                    ("project_code", RangeOperators.EQUAL),
                    ("vintage", RangeOperators.EQUAL),
                    ("span", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=holds("quantity > 0"), name="issuance_not_empty"),
        ]
        triggers = append_only()


def _legal_moves() -> pgtrigger.Condition:
    pairs = " OR ".join(
        f"(OLD.state = '{source}' AND NEW.state = '{target}')" for source, target in sorted(MOVES)
    )
    return pgtrigger.Condition(f"OLD.state IS DISTINCT FROM NEW.state AND NOT ({pairs})")


class Block(models.Model):
    """A run of units of one issuance in one state at one holder, as things stand now."""

    issuance = models.ForeignKey(Issuance, on_delete=models.PROTECT)
    holder = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT)
    span = BigIntegerRangeField()
    state = models.TextField(choices=[(state.value, state.value) for state in BlockState])
    transfer_id = models.BigIntegerField(null=True)
    certificate_number = models.TextField(null=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="block_units_disjoint",
                expressions=[("issuance", RangeOperators.EQUAL), ("span", RangeOperators.OVERLAPS)],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in BlockState]), name="block_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="in_transit", transfer_id__isnull=False)
                | models.Q(~models.Q(state="in_transit"), transfer_id__isnull=True),
                name="block_in_transit_has_transfer",
            ),
            models.CheckConstraint(
                condition=models.Q(state="retired", certificate_number__isnull=False)
                | models.Q(~models.Q(state="retired"), certificate_number__isnull=True),
                name="block_retired_has_certificate",
            ),
        ]
        indexes = [models.Index(fields=["holder", "state"], name="block_by_holder")]
        triggers = [
            pgtrigger.Protect(name="legal_moves", operation=pgtrigger.Update, condition=_legal_moves()),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]


class Movement(models.Model):
    """One change of one run of units, for ever (变动记录): issue, offer, accept, decline, retire."""

    issuance = models.ForeignKey(Issuance, on_delete=models.PROTECT)
    span = BigIntegerRangeField()
    kind = models.TextField()
    reference = models.TextField()
    source = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT, null=True, related_name="+")
    target = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT, related_name="+")
    state = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["issuance", "id"], name="movement_by_issuance")]
        triggers = append_only()


class Transfer(models.Model):
    """An offer of units to another holder, who accepts or declines it (转让)."""

    number = models.TextField(unique=True)
    issuance = models.ForeignKey(Issuance, on_delete=models.PROTECT)
    source = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT, related_name="+")
    quantity = TonnesField()
    state = models.TextField(
        choices=[("offered", "offered"), ("accepted", "accepted"), ("declined", "declined")]
    )
    offered_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        triggers = [
            pgtrigger.Protect(
                name="closed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["accepted", "declined"]),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]


class Certificate(models.Model):
    """The public proof that units were retired for a use (消纳证书). Its payload is a leaf of the log."""

    number = models.TextField(unique=True)
    holder = models.ForeignKey(HoldingAccount, on_delete=models.PROTECT)
    issuance = models.ForeignKey(Issuance, on_delete=models.PROTECT)
    quantity = TonnesField()
    payload = models.JSONField()
    beneficiary_salt = models.BinaryField(null=True)
    leaf_id = models.BigIntegerField(unique=True)
    retired_at = models.DateTimeField()

    class Meta:
        triggers = append_only()
