"""Reads of the document store."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.conf import settings

from tanpuhui.foundation.documents.adapters import data_folder
from tanpuhui.foundation.documents.adapters.seals import SEALERS, Sealed, Sealer
from tanpuhui.foundation.documents.domain import DocumentBytesMissing, is_sha256
from tanpuhui.foundation.documents.models import Document
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound

__all__ = [
    "DocumentBytesMissing",
    "DocumentView",
    "Sealed",
    "Sealer",
    "breaches",
    "document",
    "documents",
    "open_document",
    "sealer",
]


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
    """Open a stored file for reading; the caller closes it. Raises NotFound, or DocumentBytesMissing."""
    document(sha256)
    try:
        return data_folder.open_bytes(sha256)
    except FileNotFoundError as error:
        raise DocumentBytesMissing(sha256=sha256) from error


def breaches() -> Iterator[Breach]:
    """Read every stored file and report those that are gone or whose bytes no longer give their name."""
    for sha256 in Document.objects.order_by("sha256").values_list("sha256", flat=True).iterator():
        found = data_folder.hash_of_bytes(sha256)
        if found != sha256:
            yield Breach(
                invariant="document_bytes_match_their_name",
                subject=f"document:{sha256}",
                detail=f"on disk: {found}",
            )
