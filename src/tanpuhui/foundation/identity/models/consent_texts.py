"""Wordings that people consent to (同意文本)."""

from __future__ import annotations

from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only


class ConsentText(models.Model):
    """One version of the wording for one purpose (同意文本). It never changes: what was agreed to can be read again."""

    purpose = models.TextField()
    version = models.TextField()
    valid_from = models.DateField()
    sections_zh = models.JSONField()
    sections_en = models.JSONField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version"], name="consent_text_version_once"),
            models.UniqueConstraint(fields=["purpose", "valid_from"], name="consent_text_one_per_day"),
        ]
        triggers = append_only()
