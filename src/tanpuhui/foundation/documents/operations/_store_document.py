"""Store a file: bytes to disk first, the row last, so that a row never speaks of bytes that are not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import connection

from tanpuhui.foundation.documents.adapters import data_folder
from tanpuhui.foundation.documents.models import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStored:
    """The name of the stored content (64 hexadecimal digits) and its size in bytes."""

    sha256: str
    size: int


def store_document(*, content: BinaryIO | bytes, name: str, media_type: str, at: datetime) -> DocumentStored:
    """Store content under its hash and register it in the open transaction; the same content is the same row.

    A transaction that is rolled back leaves at most unregistered bytes, which the next storing of them reuses.
    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        message = "a document is stored inside the transaction that speaks of it; open an operation first"
        raise RuntimeError(message)
    written = data_folder.write(content)
    Document.objects.bulk_create(
        [Document(sha256=written.sha256, size=written.size, name=name, media_type=media_type, stored_at=at)],
        ignore_conflicts=True,
    )
    return DocumentStored(sha256=written.sha256, size=written.size)
