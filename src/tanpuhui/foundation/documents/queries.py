"""Reads of the document store."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.conf import settings

from tanpuhui.foundation.documents.adapters import data_folder
from tanpuhui.foundation.documents.adapters.seals import SEALERS, Sealed, Sealer
from tanpuhui.foundation.documents.domain import (
    DocumentBytesMissing,
    DocumentDestroyed,
    DocumentSealBroken,
    is_sha256,
)
from tanpuhui.foundation.documents.models import Document, DocumentKey
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import unseal

__all__ = [
    "KEY_CONTEXT",
    "DocumentBytesMissing",
    "DocumentDestroyed",
    "DocumentSealBroken",
    "DocumentView",
    "Sealed",
    "Sealer",
    "breaches",
    "document",
    "documents",
    "open_document",
    "sealer",
]


KEY_CONTEXT = "documents.file_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """What is known of a stored file; `size` is in bytes."""

    sha256: str
    size: int
    name: str
    media_type: str
    stored_at: datetime


def document(sha256: str) -> DocumentView:
    """Return what is known of a stored file; raises NotFound."""
    row = Document.objects.filter(sha256=sha256).first() if is_sha256(sha256) else None
    if row is None:
        raise NotFound(what="文件 document", id=sha256)
    return _view(row)


def documents(sha256s: Collection[str]) -> dict[str, DocumentView]:
    """Return what is known of those of these files that are stored, by hash, in one query."""
    return {row.sha256: _view(row) for row in Document.objects.filter(sha256__in=set(sha256s))}


def _view(row: Document) -> DocumentView:
    return DocumentView(
        sha256=row.sha256, size=row.size, name=row.name, media_type=row.media_type, stored_at=row.stored_at
    )


def sealer() -> Sealer:
    """Return what seals documents here, by the setting TANPUHUI_SEAL; an unknown word is an error at once (LookupError)."""
    return SEALERS[settings.TANPUHUI_SEAL]()


def open_document(sha256: str) -> BinaryIO:
    """Open a stored file for reading, decrypted where it is kept encrypted; the caller closes it.

    Raises NotFound, DocumentBytesMissing, DocumentDestroyed, DocumentSealBroken (also while it is read).
    """
    document(sha256)
    row = DocumentKey.objects.filter(document_id=sha256).first()
    if row is not None and row.sealed_key is None:
        raise DocumentDestroyed(sha256=sha256, destroyed_at=row.destroyed_at)
    try:
        return data_folder.open_bytes(sha256, key=_key(row))
    except FileNotFoundError as error:
        raise DocumentBytesMissing(sha256=sha256) from error


def _key(row: DocumentKey | None) -> bytes | None:
    if row is None or row.sealed_key is None:
        return None
    return b64decode(unseal(bytes(row.sealed_key), context=KEY_CONTEXT))


def breaches() -> Iterator[Breach]:
    """Read every stored file and report those that are gone or whose bytes no longer give their name."""
    for row in Document.objects.select_related("documentkey").order_by("sha256").iterator():
        sha256, key = row.sha256, getattr(row, "documentkey", None)
        if key is not None and key.sealed_key is None:
            if data_folder.has_sealed_bytes(sha256):
                yield Breach(
                    invariant="destroyed_document_has_no_bytes",
                    subject=f"document:{sha256}",
                    detail="bytes on disk",
                )
            continue
        found = data_folder.hash_of_bytes(sha256, key=_key(key))
        if found != sha256:
            yield Breach(
                invariant="document_bytes_match_their_name",
                subject=f"document:{sha256}",
                detail=f"on disk: {found}",
            )
