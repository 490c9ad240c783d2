"""Projects, monitoring reports and verification statements (项目、监测报告、核查声明)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.conditions import holds
from tanpuhui.foundation.persistence.fields import GramsField, TonnesField
from tanpuhui.foundation.persistence.triggers import append_only


class Project(models.Model):
    """A source of reductions with one owner (项目). A scenario project sweeps the pools of one scenario."""

    code = models.TextField(unique=True)
    owner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    scenario = models.TextField()
    name_zh = models.TextField()
    name_en = models.TextField()
    area = models.CharField(max_length=6)
    registered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scenario"], name="project_one_per_scenario")]
        triggers = append_only()


class MonitoringReport(models.Model):
    """What a project says it reduced in a period (监测报告). Its state is that of its case."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    pool_id = models.BigIntegerField(unique=True)
    first_day = models.DateField()
    last_day = models.DateField()
    grams = GramsField()
    tonnes = TonnesField()
    remainder_g = GramsField()
    methodologies = models.JSONField()
    pool_root = models.TextField()
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=holds("tonnes > 0"), name="report_has_a_whole_tonne"),
            models.CheckConstraint(
                condition=models.Q(first_day__lte=models.F("last_day")), name="report_period_ordered"
            ),
        ]
        triggers = append_only()


class VerificationStatement(models.Model):
    """A verifier's signed statement on one report (核查声明). A report that was sent back gets a further one."""

    report = models.ForeignKey(MonitoringReport, on_delete=models.PROTECT, related_name="statements")
    round = models.IntegerField()
    case_id = models.BigIntegerField()
    verifier = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    signed_by = models.TextField()
    tonnes = TonnesField()
    opinion = models.TextField()
    signed_at = models.DateTimeField()
    leaf_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "round"], name="statement_once_per_round")]
        triggers = append_only()
