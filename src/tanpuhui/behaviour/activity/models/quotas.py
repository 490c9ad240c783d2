"""How often partners call (调用计数), minute by minute; a minute that is over is forgotten soon."""

from __future__ import annotations

from django.db import models


class PartnerCalls(models.Model):
    """How many calls a partner made in a minute (UTC, its first second). Only counted where a rule limits them."""

    pk = models.CompositePrimaryKey("partner_id", "minute")
    partner_id = models.BigIntegerField()
    minute = models.DateTimeField()
    calls = models.IntegerField()

    class Meta:
        db_table = "activity_partner_calls"
        indexes = [models.Index(fields=["minute"], name="activity_calls_by_age")]
