"""Rows that wait for their day's settlement, the settlements, and what lost (待结算记录、日结算、落选记录)."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only, erasable


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
    Rows that are not plausible are held for that reason (`held_for`, `part` above 0) and have no day until somebody decides.
    A row that counts after all because an appeal was upheld waits again by itself (`part` below 0, a `Readmission`).
    """

    batch = models.ForeignKey("Batch", on_delete=models.PROTECT)
    slice_number = models.SmallIntegerField()
    scenario = models.TextField()
    evidence_tier = models.SmallIntegerField()
    day = models.DateField()
    part = models.SmallIntegerField(default=0)
    held_for = models.TextField(default="")
    settles_on = models.DateField(null=True)
    n_records = models.IntegerField()
    chunks = models.SmallIntegerField()
    day_settlement = models.ForeignKey(DaySettlement, on_delete=models.PROTECT, null=True)

    class Meta:
        db_table = "activity_waiting"
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "slice_number", "scenario", "evidence_tier", "day", "part"],
                name="activity_waiting_once",
            ),
            models.CheckConstraint(
                condition=models.Q(held_for="", part__lte=0, settles_on__isnull=False)
                | (~models.Q(held_for="") & models.Q(part__gt=0)),
                name="activity_waiting_has_a_day_or_is_held",
            ),
        ]
        indexes = [
            models.Index(
                fields=["settles_on", "day"],
                name="activity_waiting_due",
                condition=models.Q(day_settlement__isnull=True),
            ),
            models.Index(
                fields=["batch"],
                name="activity_waiting_held",
                condition=models.Q(part__gt=0, settles_on__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


class HeldDecision(models.Model):
    """What a person decided of held rows (复核决定): all of them count, or none, or all but `refused_rows`."""

    waiting = models.OneToOneField(WaitingRows, on_delete=models.PROTECT, related_name="decision")
    refuse_all = models.BooleanField()
    refused_rows = ArrayField(models.BigIntegerField())
    opinion = models.TextField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "activity_held_decision"
        triggers = append_only()


class Readmission(models.Model):
    """A row that was set aside and waits again, because an appeal was upheld (申诉后计入): it loses to no other record."""

    waiting = models.OneToOneField(WaitingRows, on_delete=models.PROTECT, related_name="readmission")
    set_aside = models.ForeignKey(WaitingRows, on_delete=models.PROTECT, related_name="readmissions")
    row_number = models.BigIntegerField()
    case_id = models.BigIntegerField()
    readmitted_at = models.DateTimeField()

    class Meta:
        db_table = "activity_readmission"
        constraints = [
            models.UniqueConstraint(fields=["set_aside", "row_number"], name="activity_readmitted_once")
        ]
        triggers = append_only()


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
        triggers = erasable(
            column="rows",
            log="activity_erased_payload",
            place=ErasedPlace.SET_ASIDE,
            owner="waiting_id",
            kept=("n_records", "rows_sha256"),
        )
