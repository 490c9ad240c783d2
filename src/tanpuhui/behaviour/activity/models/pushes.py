"""Records that were pushed one by one and wait to be gathered into a batch (推送记录)."""

from __future__ import annotations

import pgtrigger
from django.db import models


class PushedRecord(models.Model):
    """One record as a partner's system pushed it; gathered, it is a row of a batch and its content stands in the batch's file.

    The same record pushed again is this row again; another content under the same id is another row, of which intake counts one.
    """

    partner = models.ForeignKey("identity.Organisation", on_delete=models.PROTECT)
    day = models.DateField()
    record_id = models.TextField()
    content_sha256 = models.BinaryField(max_length=32)
    content = models.TextField(null=True)
    received_at = models.DateTimeField()
    batch = models.ForeignKey("Batch", on_delete=models.PROTECT, null=True)
    row_number = models.BigIntegerField(null=True)

    class Meta:
        db_table = "activity_pushed_record"
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "day", "record_id", "content_sha256"], name="activity_pushed_once"
            ),
            models.CheckConstraint(
                condition=models.Q(batch__isnull=True, content__isnull=False, row_number__isnull=True)
                | models.Q(batch__isnull=False, content__isnull=True, row_number__isnull=False),
                name="activity_pushed_waits_or_is_a_row",
            ),
        ]
        indexes = [
            models.Index(
                fields=["partner", "id"],
                name="activity_pushed_to_gather",
                condition=models.Q(batch__isnull=True),
            )
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]
