"""Batches, postings with their chunks and keys, and what accounts used (批次、入账、去重、额度)."""

from __future__ import annotations

from django.db import models

from tanpuhui.behaviour.activity.domain.erasures import ErasedPlace
from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only, erasable


class Batch(models.Model):
    """One file of one partner, received once (批次). `report` is written when it is settled.

    `corrects` is the batch whose rejected rows it sends again, corrected. `mapping` is the field mapping that was in force when
    it came: whatever comes into force later, this file is read with it.
    """

    partner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    adapter = models.TextField()
    file_sha256 = models.CharField(max_length=64)
    file_name = models.TextField()
    media_type = models.TextField()
    size_bytes = models.BigIntegerField()
    received_at = models.DateTimeField()
    state = models.TextField()
    settled_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True)
    mapping = models.ForeignKey("FieldMappingVersion", on_delete=models.PROTECT, null=True)

    class Meta:
        db_table = "activity_batch"
        constraints = [
            models.UniqueConstraint(fields=["partner", "file_sha256"], name="activity_batch_once_per_file"),
            models.CheckConstraint(
                condition=models.Q(state__in=["received", "posted", "refused"]), name="activity_batch_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="received", settled_at__isnull=True)
                | (~models.Q(state="received") & models.Q(settled_at__isnull=False)),
                name="activity_batch_settled_has_moment",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="activity_batch_by_partner")]


class RowOutcome(models.Model):
    """A row of a batch that was not counted in full: rejected, pending, duplicate, or part of another row."""

    pk = models.CompositePrimaryKey("batch_id", "row_number")
    batch_id = models.BigIntegerField()
    row_number = models.BigIntegerField()
    verdict = models.TextField()
    reason = models.TextField()
    field = models.TextField(default="")
    value = models.TextField(default="")

    class Meta:
        db_table = "activity_row_outcome"
        triggers = append_only()


class MendedRow(models.Model):
    """A rejected row that was sent again without its fault, in a batch that corrects its own (已更正的行). The first one stands."""

    pk = models.CompositePrimaryKey("batch_id", "row_number")
    batch_id = models.BigIntegerField()
    row_number = models.BigIntegerField()
    by_batch_id = models.BigIntegerField()
    by_row_number = models.BigIntegerField()

    class Meta:
        db_table = "activity_mended_row"
        triggers = append_only()


class Posting(models.Model):
    """The journal of intake (入账): records of one slice of a batch, scenario, methodology version, tier and month.

    `slice_number` counts on where records of the batch are posted by a day's settlement (`day_settlement`).

    `prev_hash` and `hash` chain the postings of a partner; `amounts_sha256` and `traces_sha256` commit to the chunks.
    With what a result can be had again stands beside it: version and parameter set, engine, rounding, and the roots
    over what went in and what came out; each record keeps its remainder. A posting made before these were kept has
    them empty, and its hash does not say them.
    """

    partner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT)
    scenario = models.TextField()
    methodology_version_id = models.BigIntegerField()
    methodology_sha256 = models.CharField(max_length=64)
    parameter_set_sha256 = models.CharField(max_length=64, default="", blank=True)
    engine_version = models.TextField(default="", blank=True)
    rounding = models.TextField(default="", blank=True)
    evidence_tier = models.SmallIntegerField()
    month = models.CharField(max_length=7)
    slice_number = models.SmallIntegerField(default=0)
    day_settlement = models.ForeignKey("DaySettlement", on_delete=models.PROTECT, null=True)
    records = models.IntegerField()
    account_days = models.IntegerField()
    accounts = models.IntegerField()
    grams = GramsField()
    points = PointsField()
    points_rules = models.JSONField()
    chunks = models.SmallIntegerField()
    amounts_sha256 = models.BinaryField(max_length=32)
    traces_sha256 = models.BinaryField(max_length=32)
    inputs_sha256 = models.BinaryField(max_length=32, default=b"")
    results_sha256 = models.BinaryField(max_length=32, default=b"")
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    journal_id = models.BigIntegerField(null=True)
    posted_at = models.DateTimeField()

    class Meta:
        db_table = "activity_posting"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "batch",
                    "slice_number",
                    "scenario",
                    "methodology_version_id",
                    "evidence_tier",
                    "month",
                ],
                name="activity_posting_once",
            ),
            models.UniqueConstraint(fields=["partner", "prev_hash"], name="activity_posting_one_chain"),
        ]
        indexes = [models.Index(fields=["scenario", "month", "id"], name="activity_posting_by_month")]
        triggers = append_only()


class RecordChunk(models.Model):
    """Records of a posting for one bucket of accounts, as two columnar payloads (记录分块).

    `amounts` (account, day, inputs, allowance, verdict, grams) is kept; `traces` (record id, times, places, devices)
    is kept until it is erased: then it is another payload, which an `ErasedPayload` names, and `traces_sha256` stays what
    the posting commits to. Both are Arrow IPC with zstd, sorted by account, day and row.
    """

    pk = models.CompositePrimaryKey("posting_id", "bucket")
    posting_id = models.BigIntegerField()
    bucket = models.SmallIntegerField()
    n_records = models.IntegerField()
    amounts = models.BinaryField()
    traces = models.BinaryField()
    amounts_sha256 = models.BinaryField(max_length=32)
    traces_sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "activity_record_chunk"
        triggers = erasable(
            column="traces",
            log="activity_erased_payload",
            place=ErasedPlace.RECORDS,
            owner="posting_id",
            kept=("n_records", "amounts", "amounts_sha256", "traces_sha256"),
        )


class KeySegment(models.Model):
    """Sorted 128-bit keys of the record ids that were taken up for one partner and business day (去重键段).

    They are of a posting's records, or of rows that wait for their day's settlement: one id counts once, however it ends.
    The primary key makes two posters of one partner and day collide, should the partner's lock ever fail.
    """

    pk = models.CompositePrimaryKey("partner_id", "day", "seq")
    partner_id = models.BigIntegerField()
    day = models.DateField()
    seq = models.IntegerField()
    posting_id = models.BigIntegerField(null=True)
    waiting_id = models.BigIntegerField(null=True)
    n_keys = models.IntegerField()
    keys = models.BinaryField()

    class Meta:
        db_table = "activity_key_segment"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(posting_id__isnull=True, waiting_id__isnull=False)
                | models.Q(posting_id__isnull=False, waiting_id__isnull=True),
                name="activity_key_has_one_owner",
            )
        ]
        indexes = [models.Index(fields=["posting_id"], name="activity_key_by_posting")]
        triggers = append_only()


class AllowanceUse(models.Model):
    """A run of accounts and what each used of a scenario's allowance since `period_start`, in posting order (已用额度).

    `accounts` are ascending 64-bit numbers, `used_micro` as many amounts in millionths of the measure's unit (little-endian);
    what an account used is the sum over the runs of the period. `measure` is the capped quantity (count, or a field's
    code); the measure "deficit" says how far below zero an account-day's grams stand, where a methodology can give
    negative results.
    """

    pk = models.CompositePrimaryKey("scenario", "measure", "period_start", "run", "first_account")
    scenario = models.TextField()
    measure = models.TextField()
    period_start = models.DateField()
    run = models.IntegerField()
    first_account = models.BigIntegerField()
    last_account = models.BigIntegerField()
    n_accounts = models.IntegerField()
    accounts = models.BinaryField()
    used_micro = models.BinaryField()

    class Meta:
        db_table = "activity_allowance_use"
