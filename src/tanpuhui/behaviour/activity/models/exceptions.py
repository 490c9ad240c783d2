"""Records that stopped counting after they were posted, or count again, by entries and never by deletion (记录例外)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only


class ExceptionRun(models.Model):
    """Exceptions of one scenario that were made at once, with the journal of what they took or gave back.

    `grams` and `points` are what changed (negative for an exclusion); of a loss, `due_*` could not be taken at once.
    """

    scenario = models.TextField()
    kind = models.TextField()
    reason = models.TextField()
    note = models.TextField()
    case_id = models.BigIntegerField(null=True)
    records = models.IntegerField()
    grams = GramsField()
    points = PointsField()
    due_grams = GramsField()
    due_points = PointsField()
    records_sha256 = models.BinaryField(max_length=32)
    journal_id = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "activity_exception_run"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["excluded", "reinstated"]), name="activity_exception_kind"
            )
        ]
        indexes = [models.Index(fields=["scenario", "-id"], name="activity_exception_recent")]
        triggers = append_only()


class RecordException(models.Model):
    """One record of a run; the last exception of a record says how it stands. `because` names the record that counts instead."""

    pk = models.CompositePrimaryKey("posting_id", "row_number", "run_id")
    posting_id = models.BigIntegerField()
    row_number = models.BigIntegerField()
    run_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    day = models.DateField()
    grams = GramsField()
    points = PointsField()
    because = models.TextField(default="", blank=True)

    class Meta:
        db_table = "activity_record_exception"
        indexes = [
            models.Index(fields=["account_id", "day"], name="activity_exception_of_account"),
            models.Index(fields=["run_id"], name="activity_exception_of_run"),
        ]
        triggers = append_only()


class KeyAudit(models.Model):
    """How far the search for one record id on several days has come for a partner (跨日重复核查)."""

    partner = models.OneToOneField("identity.Organisation", on_delete=models.PROTECT, primary_key=True)
    through_posting_id = models.BigIntegerField()
    audited_at = models.DateTimeField()
    found = models.IntegerField()

    class Meta:
        db_table = "activity_key_audit"
