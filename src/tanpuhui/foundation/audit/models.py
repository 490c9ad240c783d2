"""The append-only record of what was done (审计记录)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from tanpuhui.foundation.persistence.triggers import append_only


class AuditRecord(models.Model):
    """One finished operation: who, what, when, about what, with which result. It is also the idempotency record."""

    operation = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    idempotency_key = models.TextField(null=True)
    arguments_sha256 = models.BinaryField(max_length=32)
    subject = models.TextField()
    result = models.JSONField()
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    within = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["actor_kind", "actor_id", "operation", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="audit_one_effect_per_key",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "id"], name="audit_by_subject"),
            models.Index(fields=["actor_kind", "actor_id", "id"], name="audit_by_actor"),
        ]
        triggers = append_only()


class Disclosure(models.Model):
    """One handing over of a person's data (披露记录): to whom, what for, on which legal basis, which kinds of data, when.

    Of a person as a rule; `person` is empty where it was of a set of people, which `subject` names. It holds no data itself.
    Source: 个人信息保护法 articles 23 and 55; 网络数据安全管理条例 article 12 (kept three years at least).
    """

    person = models.BigIntegerField(null=True)
    subject = models.TextField()
    recipient = models.TextField()
    purpose = models.TextField()
    legal_basis = models.TextField()
    data_kinds = ArrayField(models.TextField())
    actor_kind = models.TextField()
    actor_id = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "id"], name="audit_disclosure_of_person")]
        triggers = append_only()
