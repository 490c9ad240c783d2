"""Impact assessments of personal data (个人信息保护影响评估), one row each; a later one does not replace an earlier one."""

from __future__ import annotations

from django.db import models

from tanpuhui.behaviour.activity.models.scenarios import Scenario
from tanpuhui.foundation.persistence.conditions import holds


class ImpactAssessment(models.Model):
    """What was assessed of a scenario's use of personal data: the three things that article 56 asks for."""

    scenario = models.ForeignKey(Scenario, on_delete=models.PROTECT, related_name="assessments")
    necessity = models.TextField()
    impact = models.TextField()
    measures = models.TextField()
    assessed_on = models.DateField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "activity_impact_assessment"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('proposed', 'approved', 'rejected', 'withdrawn')"),
                name="activity_assessment_state",
            ),
            models.UniqueConstraint(
                fields=["scenario"],
                condition=models.Q(state="proposed"),
                name="activity_assessment_one_open",
            ),
        ]
