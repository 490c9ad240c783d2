"""Recalculations, their steps and the results that stand beside the chunks (重算)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.behaviour.activity.domain.recalculations import RecalculationState
from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only


class Recalculation(models.Model):
    """Stored records of a scenario calculated again with another version, and what that changes (重算).

    It takes the postings up to `through_posting_id` of its months in whose effect `from_version_id` stands, in steps:
    step n is the slice n // months of the accounts (account % slices) in the month n % months. `preview` and `totals`
    are what was foreseen and what was posted.
    """

    scenario = models.TextField()
    from_version_id = models.BigIntegerField()
    to_version_id = models.BigIntegerField()
    methodology_sha256 = models.CharField(max_length=64)
    parameter_set_sha256 = models.CharField(max_length=64, blank=True)
    engine_version = models.TextField()
    rounding = models.TextField()
    months = models.JSONField()
    slices = models.IntegerField()
    through_posting_id = models.BigIntegerField()
    reason = models.TextField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    prepared_at = models.DateTimeField()
    preview = models.JSONField(default=dict)
    fault = models.TextField(default="", blank=True)
    approved_at = models.DateTimeField(null=True)
    steps_done = models.IntegerField(default=0)
    totals = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "activity_recalculation"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in RecalculationState]),
                name="activity_recalculation_state",
            ),
            models.UniqueConstraint(
                fields=["scenario"],
                condition=models.Q(state__in=["proposed", "adjusting"]),
                name="activity_recalculation_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(steps_done__gte=0, slices__gte=1), name="activity_recalculation_counts"
            ),
        ]
        indexes = [models.Index(fields=["scenario", "-id"], name="activity_recalculation_recent")]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


class RecalculationStep(models.Model):
    """One step of a recalculation, with the journal that its differences are in; none where nothing changed.

    `grams` and `points` are new less old; of a loss, `due_*` could not be taken at once. `seen_posting_id` and
    `seen_exception_run_id` are the last posting and the last run of exceptions that were there when the step was posted.
    """

    pk = models.CompositePrimaryKey("recalculation_id", "number")
    recalculation_id = models.BigIntegerField()
    number = models.IntegerField()
    month = models.CharField(max_length=7)
    slice = models.SmallIntegerField()
    records = models.IntegerField()
    changed = models.IntegerField()
    account_days = models.IntegerField()
    grams = GramsField()
    points = PointsField()
    due_grams = GramsField()
    due_points = PointsField()
    journal_id = models.BigIntegerField(null=True)
    results_sha256 = models.BinaryField(max_length=32)
    seen_posting_id = models.BigIntegerField()
    seen_exception_run_id = models.BigIntegerField(default=0)
    posted_at = models.DateTimeField()

    class Meta:
        db_table = "activity_recalculation_step"
        triggers = append_only()


class RecalculatedSlice(models.Model):
    """The results of one posting's records in one slice of the accounts, calculated again (重算结果).

    It stands beside the chunk, which never changes; the latest one is in effect. `results` is Arrow IPC with zstd:
    row, account, day, variant, grams, floor, remainder, and the reason where a record no longer counts.
    """

    pk = models.CompositePrimaryKey("posting_id", "recalculation_id", "slice")
    posting_id = models.BigIntegerField()
    recalculation_id = models.BigIntegerField()
    slice = models.SmallIntegerField()
    n_records = models.IntegerField()
    n_changed = models.IntegerField()
    n_kept = models.IntegerField()
    grams = GramsField()
    points = PointsField()
    inputs_sha256 = models.BinaryField(max_length=32)
    results = models.BinaryField()
    results_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "activity_recalculated_slice"
        indexes = [models.Index(fields=["recalculation_id"], name="activity_recalculated_by_run")]
        triggers = append_only()
