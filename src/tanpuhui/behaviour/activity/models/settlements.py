"""Rows that wait for their day's settlement, the settlements, and what lost (待结算记录、日结算、落选记录)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only


class DaySettlement(models.Model):
    """One settling of what waited of a business day (日结算): how many rows, how many counted, why the others did not."""

    day = models.DateField()
    settled_at = models.DateTimeField()
    rows = models.IntegerField()
    counted = models.IntegerField()
    reasons = models.JSONField()
    grams = GramsField()
    points = PointsField()

    class Meta:
        db_table = "activity_day_settlement"
        indexes = [models.Index(fields=["day", "id"], name="activity_settlement_by_day")]
        triggers = append_only()


class WaitingRows(models.Model):
    """Good rows of one slice of a batch, scenario, tier and business day that are compared with other partners' first.

    They are settled on `settles_on` or soon after; then `day_settlement` names the settlement and their chunks are gone.
    """

    batch = models.ForeignKey("Batch", on_delete=models.PROTECT)
    slice_number = models.SmallIntegerField()
    scenario = models.TextField()
    evidence_tier = models.SmallIntegerField()
    day = models.DateField()
    settles_on = models.DateField()
    n_records = models.IntegerField()
    chunks = models.SmallIntegerField()
    day_settlement = models.ForeignKey(DaySettlement, on_delete=models.PROTECT, null=True)

    class Meta:
        db_table = "activity_waiting"
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "slice_number", "scenario", "evidence_tier", "day"],
                name="activity_waiting_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["settles_on", "day"],
                name="activity_waiting_due",
                condition=models.Q(day_settlement__isnull=True),
            )
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


class WaitingChunk(models.Model):
    """Waiting rows of one bucket of accounts: account, moments, area and the cells as they were sent, Arrow IPC with zstd."""

    pk = models.CompositePrimaryKey("waiting_id", "bucket")
    waiting_id = models.BigIntegerField()
    bucket = models.SmallIntegerField()
    n_records = models.IntegerField()
    rows = models.BinaryField()
    rows_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "activity_waiting_chunk"
        triggers = [pgtrigger.Protect(name="no_update", operation=pgtrigger.Update)]


class SetAside(models.Model):
    """Rows that a settlement did not count, as they waited, with reason and winner (落选记录); kept like traces."""

    pk = models.CompositePrimaryKey("waiting_id", "bucket")
    waiting_id = models.BigIntegerField()
    bucket = models.SmallIntegerField()
    n_records = models.IntegerField()
    rows = models.BinaryField()
    rows_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "activity_set_aside"
        triggers = append_only()
