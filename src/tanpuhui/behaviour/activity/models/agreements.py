"""Data-sharing agreements (数据共享协议) with those who send data, and their early ends."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.conditions import holds


class DataAgreement(models.Model):
    """What a partner shares, for which scenarios, fields and purpose, on which days; renewed by another agreement.

    `ended_on` is the last day where it was ended early. Its text is a document on the case.
    """

    number = models.TextField()
    partner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    scenarios = models.JSONField()
    fields = models.JSONField()
    purpose = models.TextField()
    legal_basis = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    ended_on = models.DateField(null=True)
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "activity_data_agreement"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('proposed', 'agreed', 'rejected', 'withdrawn')"),
                name="activity_agreement_state",
            ),
            models.CheckConstraint(
                condition=holds(
                    "valid_from <= valid_to and (ended_on is null or (ended_on <= valid_to and state = 'agreed'))"
                ),
                name="activity_agreement_days",
            ),
            models.UniqueConstraint(
                fields=["number"],
                condition=models.Q(state__in=["proposed", "agreed"]),
                name="activity_agreement_number",
            ),
        ]


class AgreementEnd(models.Model):
    """A proposal to end an agreement early: its last day and the reason."""

    agreement = models.ForeignKey(DataAgreement, on_delete=models.PROTECT, related_name="ends")
    last_day = models.DateField()
    reason = models.TextField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "activity_agreement_end"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('proposed', 'agreed', 'rejected', 'withdrawn')"),
                name="activity_agreement_end_state",
            ),
            models.UniqueConstraint(
                fields=["agreement"],
                condition=models.Q(state="proposed"),
                name="activity_agreement_end_one_open",
            ),
        ]
