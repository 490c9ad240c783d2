"""Methodology versions: exact bytes, their hashes, how far they have come, and what became of the filed ones (方法学版本)."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only
from tanpuhui.science.methodology.domain import DraftState, StatusKind, VersionState

BYTES_STAY = """
    IF (to_jsonb(OLD) - '{state,case_id,proposed_from,filing_number,filing_year,filing_seq,filed_at,valid_from,leaf_id}'::text[])
        IS DISTINCT FROM
       (to_jsonb(NEW) - '{state,case_id,proposed_from,filing_number,filing_year,filing_seq,filed_at,valid_from,leaf_id}'::text[])
    THEN
        RAISE EXCEPTION 'methodology version %: its bytes, hashes and what was read from them never change', OLD.id;
    END IF;
    IF OLD.state = 'filed' THEN
        RAISE EXCEPTION 'methodology version % is filed as % and never changes', OLD.id, OLD.filing_number;
    END IF;
    RETURN NEW;
"""


class MethodologyVersion(models.Model):
    """One archive with one parameter set or none. Other bytes are another row, so bytes never change."""

    code = models.TextField()
    version = models.TextField()
    methodology_class = models.TextField()
    scenario = models.TextField()
    status = models.TextField()
    name_zh = models.TextField()
    name_en = models.TextField()
    archive = models.BinaryField()
    archive_sha256 = models.CharField(max_length=64)
    parameter_set = models.BinaryField(null=True)
    parameter_set_sha256 = models.CharField(max_length=64, default="", blank=True)
    parameter_set_code = models.TextField(default="", blank=True)
    purpose = models.TextField()
    blocked_by = models.JSONField(default=list)
    imported_at = models.DateTimeField()
    state = models.TextField(default=VersionState.DRAFT)
    case_id = models.BigIntegerField(null=True)
    proposed_from = models.DateField(null=True)
    filing_number = models.TextField(null=True, unique=True)
    filing_year = models.IntegerField(null=True)
    filing_seq = models.IntegerField(null=True)
    filed_at = models.DateTimeField(null=True)
    valid_from = models.DateField(null=True)
    leaf_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["archive_sha256", "parameter_set_sha256"], name="methodology_version_once_per_bytes"
            ),
            models.UniqueConstraint(
                fields=["filing_year", "filing_seq"], name="methodology_filing_number_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in VersionState]),
                name="methodology_version_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="filed")
                | models.Q(
                    case_id__isnull=False,
                    filing_number__isnull=False,
                    filed_at__isnull=False,
                    valid_from__isnull=False,
                    leaf_id__isnull=False,
                ),
                name="methodology_filed_is_complete",
            ),
        ]
        indexes = [
            models.Index(
                fields=["scenario", "-valid_from", "-filed_at"],
                condition=models.Q(state="filed"),
                name="methodology_filed_by_scenario",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="bytes_stay", when=pgtrigger.Before, operation=pgtrigger.Update, func=BYTES_STAY
            ),
        ]


class MethodologyDraft(models.Model):
    """A folder that an organisation is writing (草稿), as the archive of its files; each saving is the next revision.

    `parameter_set` stands beside the archive, as it does in a version. A proposed draft names the version it became.
    """

    organisation_id = models.BigIntegerField()
    archive = models.BinaryField()
    archive_sha256 = models.CharField(max_length=64)
    parameter_set = models.BinaryField(null=True)
    based_on_id = models.BigIntegerField(null=True)
    revision = models.IntegerField(default=1)
    state = models.TextField(default=DraftState.OPEN)
    version_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    saved_by = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DraftState]),
                name="methodology_draft_state",
            ),
            models.CheckConstraint(
                condition=models.Q(revision__gte=1), name="methodology_draft_revision_counts"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="proposed") | models.Q(version_id__isnull=False),
                name="methodology_proposed_draft_names_its_version",
            ),
        ]
        indexes = [models.Index(fields=["organisation_id", "-id"], name="methodology_draft_by_owner")]
        triggers = [pgtrigger.Protect(name="no_draft_delete", operation=pgtrigger.Delete)]


class MethodologyFiling(models.Model):
    """What a filing case is about (备案事项): who wants a methodology filed, and which version is before the committee now."""

    organisation_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True, unique=True)
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT, related_name="filings")
    opened_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="no_filing_delete", operation=pgtrigger.Delete)]


class FilingVersion(models.Model):
    """One version that was handed in within a filing: the first, and each corrected one after it (补正稿)."""

    filing = models.ForeignKey(MethodologyFiling, on_delete=models.PROTECT, related_name="versions")
    seq = models.SmallIntegerField()
    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT)
    submitted_at = models.DateTimeField()
    submitted_by = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["filing", "seq"], name="filing_version_once")]
        triggers = append_only()


class VersionStatus(models.Model):
    """What holds of a filed version from a day on; rows are added, never changed (版本状态).

    A superseded or repealed version is closed to what starts on or after `effective_on`; what ran before may use it
    through `usable_until`.
    """

    version = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT, related_name="statuses")
    kind = models.TextField()
    effective_on = models.DateField()
    usable_until = models.DateField(null=True)
    successor = models.ForeignKey(MethodologyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    case_id = models.BigIntegerField()
    leaf_id = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in StatusKind]),
                name="version_status_kind",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="superseded") | models.Q(successor__isnull=False),
                name="version_superseded_by_one",
            ),
        ]
        triggers = append_only()
