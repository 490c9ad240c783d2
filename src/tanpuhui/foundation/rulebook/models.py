"""The rules as rows: regions, dated parameters, process versions, holidays (规则表)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only


class Region(models.Model):
    """An area of GB/T 2260 (行政区划) with the dates between which its code is in force; blank where not established."""

    code = models.CharField(max_length=6)
    name_zh = models.TextField()
    name_en = models.TextField()
    level = models.TextField()
    parent = models.CharField(max_length=6)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    note = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], nulls_distinct=False, name="region_once"),
        ]
        indexes = [models.Index(fields=["parent", "level"], name="region_by_parent")]


class Parameter(models.Model):
    """One dated value of a rule (规则参数); a null value is *unset*: a person decides, and says so on the case.

    `valid_to` is the first day on which it no longer holds. Among packs the one of the highest rank speaks.
    """

    key = models.TextField()
    scope = models.TextField()
    value = models.TextField(null=True)
    unit = models.TextField()
    basis = models.TextField()
    confidence = models.TextField()
    note = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    pack = models.TextField()
    rank = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "scope", "pack", "valid_from"], name="parameter_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="parameter_ends_after_it_begins",
            ),
        ]


class ProcessVersion(models.Model):
    """One version of a life-cycle (流程版本). It never changes: a case keeps the version it was opened with.

    Its deadline is that of the whole case, whose clock stands still in states with `clock_stops`.
    """

    process = models.TextField()
    version = models.IntegerField()
    label_zh = models.TextField()
    label_en = models.TextField()
    valid_from = models.DateField()
    deadline_working_days = models.SmallIntegerField(null=True)
    deadline_basis = models.TextField(default="", blank=True)
    definition_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "version"], name="process_version_once")]
        triggers = append_only()


class ProcessState(models.Model):
    """One state of a process version (环节).

    `clock_stops` while the applicant corrects. A state with `notice` puts the case to public notice (公示) for so many
    working days, written here or in the parameter that `notice_parameter` names; where they are unset, whoever brings
    the case there says how many. `notice_publishes` are the kinds of attachment that are published with it.
    """

    process_version = models.ForeignKey(ProcessVersion, on_delete=models.PROTECT, related_name="states")
    position = models.SmallIntegerField()
    code = models.TextField()
    label_zh = models.TextField()
    label_en = models.TextField()
    initial = models.BooleanField()
    clock_stops = models.BooleanField(default=False)
    notice = models.BooleanField(default=False)
    notice_working_days = models.SmallIntegerField(null=True)
    notice_basis = models.TextField(default="", blank=True)
    notice_confidence = models.TextField(default="", blank=True)
    notice_parameter = models.TextField(default="", blank=True)
    notice_publishes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["process_version", "code"], name="process_state_once"),
            models.UniqueConstraint(
                fields=["process_version"], condition=models.Q(initial=True), name="process_one_initial_state"
            ),
        ]
        triggers = append_only()


class Transition(models.Model):
    """One way from a state to another (流转): who may take it, by which outcome, within how many working days.

    `two_person` names an earlier outcome whose decider may not also decide this one. `guards` are named checks that must
    pass, `evidence` kinds of attachment that must be on the case, `asks` values that the decider enters. An `independent`
    one is for somebody who decided nothing in the case that this one is about; `document` is the letter it produces.
    """

    process_version = models.ForeignKey(ProcessVersion, on_delete=models.PROTECT, related_name="transitions")
    position = models.SmallIntegerField()
    source = models.TextField()
    target = models.TextField()
    outcome = models.TextField()
    role = models.TextField()
    two_person = models.TextField(null=True)
    label_zh = models.TextField()
    label_en = models.TextField()
    deadline_working_days = models.SmallIntegerField(null=True)
    deadline_basis = models.TextField()
    guards = models.JSONField(default=list)
    evidence = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    independent = models.BooleanField(default=False)
    document = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["process_version", "source", "outcome", "role"], name="transition_once"
            ),
        ]
        triggers = append_only()


class Holiday(models.Model):
    """A day that differs from its weekday (节假日与调休): a day off, or a weekend day that is worked. Operators edit it."""

    day = models.DateField(primary_key=True)
    works = models.BooleanField()
    name_zh = models.TextField()
    basis = models.TextField()
