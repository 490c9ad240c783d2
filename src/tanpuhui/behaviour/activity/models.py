"""Scenarios, feeds, batches, postings with their chunks and keys (场景、接入、批次、入账)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.behaviour.activity.domain.applications import ApplicationState
from tanpuhui.behaviour.activity.domain.quality import SampleVerdict
from tanpuhui.behaviour.activity.domain.recalculations import RecalculationState
from tanpuhui.foundation.persistence.fields import GramsField, PointsField
from tanpuhui.foundation.persistence.triggers import append_only


class Scenario(models.Model):
    """A kind of low-carbon behaviour that the scheme counts (减排场景).

    `scenario_class` is one of the classes that the rules name, `reach` general or regional; empty where the scenario
    was opened before applications existed.
    """

    code = models.TextField(unique=True)
    name_zh = models.TextField()
    name_en = models.TextField()
    area = models.CharField(max_length=6)
    scenario_class = models.TextField(default="", blank=True)
    reach = models.TextField(default="", blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "activity_scenario"


class Feed(models.Model):
    """What one partner may send for one scenario in one format, and how good its evidence is (数据接入).

    Evidence tiers: 1 operator's record, 2 signed device, 3 uploaded proof, 4 self check-in.
    """

    partner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT)
    adapter = models.TextField()
    evidence_tier = models.SmallIntegerField()
    default_area = models.CharField(max_length=6, default="")
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "activity_feed"
        constraints = [
            models.UniqueConstraint(fields=["partner", "scenario", "adapter"], name="activity_feed_once"),
            models.CheckConstraint(
                condition=models.Q(evidence_tier__gte=1, evidence_tier__lte=4), name="activity_feed_tier"
            ),
        ]


class Batch(models.Model):
    """One file of one partner, received once (批次). `report` is written when it is settled."""

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


class Posting(models.Model):
    """The journal of intake (入账): records of one batch, scenario, methodology version, tier and month.

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
                fields=["batch", "scenario", "methodology_version_id", "evidence_tier", "month"],
                name="activity_posting_once",
            ),
            models.UniqueConstraint(fields=["partner", "prev_hash"], name="activity_posting_one_chain"),
        ]
        indexes = [models.Index(fields=["scenario", "month", "id"], name="activity_posting_by_month")]
        triggers = append_only()


class RecordChunk(models.Model):
    """Records of a posting for one bucket of accounts, as two columnar payloads (记录分块).

    `amounts` (account, day, inputs, allowance, verdict, grams) is kept; `traces` (record id, times, places, devices)
    is kept for the retention time. Both are Arrow IPC with zstd, sorted by account, day and row.
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
        triggers = append_only()


class KeySegment(models.Model):
    """Sorted 128-bit keys of the record ids that a posting counted for one partner and business day (去重键段).

    The primary key makes two posters of one partner and day collide, should the partner's lock ever fail.
    """

    pk = models.CompositePrimaryKey("partner_id", "day", "seq")
    partner_id = models.BigIntegerField()
    day = models.DateField()
    seq = models.IntegerField()
    posting_id = models.BigIntegerField()
    n_keys = models.IntegerField()
    keys = models.BinaryField()

    class Meta:
        db_table = "activity_key_segment"
        indexes = [models.Index(fields=["posting_id"], name="activity_key_by_posting")]
        triggers = append_only()


class AccountDayUse(models.Model):
    """What one account used of a scenario's allowance since `period_start`, in posting order (已用额度).

    `measure` is the capped quantity (count, or a field's code) and `used_micro` millionths of its unit; the measure
    "deficit" says how far below zero an account-day's grams stand, where a methodology can give negative results.
    """

    pk = models.CompositePrimaryKey("scenario", "measure", "period_start", "account_id")
    scenario = models.TextField()
    measure = models.TextField()
    period_start = models.DateField()
    account_id = models.BigIntegerField()
    used_micro = models.BigIntegerField()

    class Meta:
        db_table = "activity_account_day_use"


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

    `grams` and `points` are new less old; of a loss, `due_*` could not be taken at once. `seen_posting_id` is the last
    posting that was there when the step was posted.
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


class ScenarioApplication(models.Model):
    """An application for a scenario and a partner's feed (场景申请). What it says stands in its versions.

    `version` is the one in force; `scenario_id` and `feed_id` are what came of it.
    """

    organisation = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    state = models.TextField()
    version = models.IntegerField()
    code = models.TextField(blank=True)
    case_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    scenario_id = models.BigIntegerField(null=True)
    feed_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "activity_scenario_application"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ApplicationState]),
                name="activity_application_state",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", case_id__isnull=True)
                | (
                    ~models.Q(state="draft") & (models.Q(case_id__isnull=False) | models.Q(state="withdrawn"))
                ),
                name="activity_application_has_its_case",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-id"], name="activity_application_of")]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


class ScenarioApplicationVersion(models.Model):
    """One saved version of an application (申请版本). `definition_sha256` names what a sample of it proves."""

    pk = models.CompositePrimaryKey("application_id", "version")
    application_id = models.BigIntegerField()
    version = models.IntegerField()
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    definition_sha256 = models.CharField(max_length=64)
    saved_at = models.DateTimeField()
    saved_by_kind = models.TextField()
    saved_by_id = models.TextField()

    class Meta:
        db_table = "activity_scenario_application_version"
        triggers = append_only()


class Sample(models.Model):
    """A file tried in the sandbox (沙箱样本): nothing of it is booked.

    `content` and `rows` are sealed and erased together at `erase_on`, or by hand; the report, which holds counts only,
    and the hash stay.
    """

    application = models.ForeignKey(ScenarioApplication, on_delete=models.PROTECT)
    version = models.IntegerField()
    definition_sha256 = models.CharField(max_length=64)
    file_name = models.TextField()
    media_type = models.TextField()
    size_bytes = models.BigIntegerField()
    file_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    sent_by_kind = models.TextField()
    sent_by_id = models.TextField()
    report = models.JSONField()
    verdict = models.TextField()
    content = models.BinaryField(null=True)
    rows = models.BinaryField(null=True)
    erase_on = models.DateField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "activity_sample"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verdict__in=[verdict.value for verdict in SampleVerdict]),
                name="activity_sample_verdict",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True, content__isnull=False, rows__isnull=False)
                | models.Q(erased_at__isnull=False, content__isnull=True, rows__isnull=True),
                name="activity_sample_erased_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["application", "-id"], name="activity_sample_of"),
            models.Index(
                fields=["erase_on"],
                condition=models.Q(erased_at__isnull=True),
                name="activity_sample_to_erase",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="report_stays", exclude=["content", "rows", "erased_at"]),
            pgtrigger.Protect(
                name="erased_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__erased_at__isnull=False)
                | pgtrigger.Q(new__erased_at__isnull=True),
            ),
        ]


class SampleAcceptance(models.Model):
    """A person accepts a sample in writing, because a rule is unset or speaks against it (书面接受)."""

    sample = models.OneToOneField(Sample, on_delete=models.PROTECT)
    reason = models.TextField()
    accepted_by_kind = models.TextField()
    accepted_by_id = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "activity_sample_acceptance"
        triggers = append_only()
