"""Traces that were erased from stored records at the person's wish (轨迹删除): which payloads became which."""

from __future__ import annotations

from django.db import models

from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.foundation.persistence.triggers import append_only


class TraceErasure(models.Model):
    """One erasure: of how many records of a scenario, and why. Whose they were is not kept here."""

    scenario = models.TextField()
    reason = models.TextField()
    records = models.IntegerField()
    payloads_sha256 = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField()

    class Meta:
        db_table = "activity_trace_erasure"
        triggers = append_only()


class ErasedPayload(models.Model):
    """A payload that an erasure replaced: the hash before and after. The first `old_sha256` of a payload is its commitment."""

    pk = models.CompositePrimaryKey("erasure_id", "place", "owner_id", "bucket")
    erasure_id = models.BigIntegerField()
    place = models.TextField()
    owner_id = models.BigIntegerField()
    bucket = models.SmallIntegerField()
    records = models.IntegerField()
    old_sha256 = models.BinaryField(max_length=32)
    new_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "activity_erased_payload"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(place__in=[place.value for place in ErasedPlace]),
                name="activity_erased_place",
            ),
            models.UniqueConstraint(
                fields=["place", "owner_id", "bucket", "old_sha256"], name="activity_erased_one_chain"
            ),
        ]
        triggers = append_only()
