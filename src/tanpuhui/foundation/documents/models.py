"""The register of stored files (文件登记); the bytes lie in the data folder under their hash."""

from __future__ import annotations

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
