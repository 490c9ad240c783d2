"""The register of stored files (文件登记); the bytes lie in the data folder under their hash."""

from __future__ import annotations

import pgtrigger
from django.db import models

from tanpuhui.foundation.persistence.triggers import append_only


class Document(models.Model):
    """One file, known by the SHA-256 of its bytes. Its name and type are those of the first time it came in."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.BigIntegerField()
    name = models.TextField()
    media_type = models.TextField()
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_named_by_hash"
            ),
            models.CheckConstraint(condition=models.Q(size__gte=0), name="document_size_not_negative"),
        ]
        triggers = append_only()


class DocumentKey(models.Model):
    """The key of a file that is kept encrypted (文件密钥), sealed by the key ring; destroyed, it is gone and the file with it."""

    document = models.OneToOneField(Document, on_delete=models.PROTECT, primary_key=True)
    sealed_key = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sealed_key__isnull=True, destroyed_at__isnull=False)
                | models.Q(sealed_key__isnull=False, destroyed_at__isnull=True),
                name="document_key_is_there_or_destroyed",
            )
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]
