"""Parts of results (结果分段): in which order a partner's systems are told what became of its records."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only


class ResultPart(models.Model):
    """A posting, a batch's other rows, a settlement's losers, an exception run or a recalculated slice, as one part of a partner's results.

    Numbers of a partner have no gap and only grow, so that a cursor misses nothing. The lines are read from what the part
    names, which never changes; nothing of a record or person is stored here. What does not apply is 0.
    """

    partner_id = models.BigIntegerField()
    number = models.BigIntegerField()
    kind = models.TextField()
    batch_id = models.BigIntegerField(default=0)
    posting_id = models.BigIntegerField(default=0)
    waiting_id = models.BigIntegerField(default=0)
    run_id = models.BigIntegerField(default=0)
    recalculation_id = models.BigIntegerField(default=0)
    slice = models.SmallIntegerField(default=0)
    records = models.BigIntegerField()
    numbered_at = models.DateTimeField()

    class Meta:
        db_table = "activity_result_part"
        constraints = [
            models.UniqueConstraint(fields=["partner_id", "number"], name="activity_result_part_number"),
            models.UniqueConstraint(
                fields=[
                    "batch_id",
                    "posting_id",
                    "waiting_id",
                    "run_id",
                    "recalculation_id",
                    "slice",
                    "kind",
                ],
                name="activity_result_part_once",
            ),
        ]
        triggers = append_only()
