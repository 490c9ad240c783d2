"""Scenarios and feeds, the applications they come from, samples, and where a scenario stands (场景、申请、样本、状态)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.behaviour.activity.domain.applications import ApplicationState
from tanpuhui.behaviour.activity.domain.quality import SampleVerdict
from tanpuhui.behaviour.activity.domain.standing import ChangeState, Standing
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


class FieldMappingVersion(models.Model):
    """A field mapping that came into force for a feed (字段映射的版本); the last one until a moment is in force at it.

    `document` is what the application's version says; `sample_id` proved it, and is empty where the feed was opened without one.
    """

    feed = models.ForeignKey(Feed, on_delete=models.PROTECT)
    version = models.IntegerField()
    document = models.TextField()
    document_sha256 = models.CharField(max_length=64)
    application_id = models.BigIntegerField(null=True)
    application_version = models.IntegerField(null=True)
    sample_id = models.BigIntegerField(null=True)
    in_force_from = models.DateTimeField()
    by_kind = models.TextField()
    by_id = models.TextField()

    class Meta:
        db_table = "activity_field_mapping"
        constraints = [
            models.UniqueConstraint(fields=["feed", "version"], name="activity_mapping_once"),
        ]
        triggers = append_only()


class ScenarioStatus(models.Model):
    """From which day a scenario runs, is suspended or closed (场景状态); the latest row that speaks of a day decides it.

    A scenario without a row runs since it was opened.
    """

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="statuses")
    standing = models.TextField()
    from_day = models.DateField()
    reason = models.TextField()
    case_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "activity_scenario_status"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standing__in=[standing.value for standing in Standing]),
                name="activity_status_standing",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="activity_status_has_reason"),
        ]
        triggers = append_only()


class StandingChange(models.Model):
    """A change of a scenario's standing that a maker proposed and another person decides (场景状态变更)."""

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT)
    standing = models.TextField()
    from_day = models.DateField()
    reason = models.TextField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "activity_standing_change"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standing__in=[standing.value for standing in Standing]),
                name="activity_change_standing",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ChangeState]),
                name="activity_change_state",
            ),
            models.UniqueConstraint(
                fields=["scenario"],
                condition=models.Q(state="proposed"),
                name="activity_change_one_at_a_time",
            ),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]


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
