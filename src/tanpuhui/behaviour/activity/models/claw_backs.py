"""Claw-backs (冲回): which records a maker wants taken back and why, from the case to its decision."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.conditions import holds


class ClawBack(models.Model):
    """A proposal to take posted records of one scenario back.

    `records` are pairs of posting and row, in the order in which they are taken; `left` are the lines that named nothing,
    each line number, words and reason; `preview` is what taking them back came to when it was proposed.
    """

    scenario = models.TextField()
    partner_id = models.BigIntegerField()
    ground = models.TextField()
    records = models.JSONField()
    left = models.JSONField(default=list)
    preview = models.JSONField()
    state = models.TextField()
    case_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()

    class Meta:
        db_table = "activity_claw_back"
        constraints = [
            models.CheckConstraint(
                condition=holds("state in ('proposed', 'done', 'rejected', 'withdrawn')"),
                name="activity_claw_back_state",
            ),
            models.CheckConstraint(
                condition=holds("(run_id is not null) = (state = 'done')"),
                name="activity_claw_back_run_when_done",
            ),
        ]
