"""The archive package of a case as a ZIP (归档包), written while it is sent; the same case gives the same bytes."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from django.template.loader import render_to_string
from django.utils.translation import override

from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.workflow.queries import (
    ARCHIVE_INDEX,
    ARCHIVE_PAGE,
    ARCHIVE_SUMS,
    ArchiveContent,
    sums_text,
)

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP can name: when it was packed is no part of a package."""

_PORTION = 256 * 1024


class _Outbox:
    """What ZipFile writes into: it keeps what was written until it is taken, and cannot go back."""

    def __init__(self) -> None:
        self._portions: list[bytes] = []

    def write(self, portion: bytes, /) -> int:
        """Take a portion."""
        self._portions.append(bytes(portion))
        return len(portion)

    def flush(self) -> None:
        """Do nothing: there is nothing behind."""

    def close(self) -> None:
        """Do nothing: what is left is still to be taken."""

    def taken(self) -> Iterator[bytes]:
        """Give what was written since the last time."""
        portions, self._portions = self._portions, []
        yield from portions


def package(content: ArchiveContent) -> Iterator[bytes]:
    """Give the ZIP in portions: index for machines and readers, every version of every attachment, the list of hashes."""
    index = content.index_bytes
    with override("zh-hans"):
        page = render_to_string("workbench/archive.html", {"index": content.index}).encode()
    hashes = dict(content.attachments)
    hashes |= {
        ARCHIVE_INDEX: hashlib.sha256(index).hexdigest(),
        ARCHIVE_PAGE: hashlib.sha256(page).hexdigest(),
    }
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, plain in ((ARCHIVE_INDEX, index), (ARCHIVE_PAGE, page)):
            archive.writestr(_entry(name), plain)
            yield from outbox.taken()
        for name, sha256 in content.attachments:
            with open_document(sha256) as source, archive.open(_entry(name), "w", force_zip64=True) as target:
                for portion in _portions(source):
                    target.write(portion)
                    yield from outbox.taken()
        archive.writestr(_entry(ARCHIVE_SUMS), sums_text(hashes))
    yield from outbox.taken()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_DATE)
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry


def _portions(source: BinaryIO) -> Iterator[bytes]:
    while portion := source.read(_PORTION):
        yield portion
