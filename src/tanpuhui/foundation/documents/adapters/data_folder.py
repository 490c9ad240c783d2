"""The folder that holds the bytes: `TANPUHUI_DATA_DIR/documents/ab/cd/<sha256>`, written once, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from tanpuhui.foundation.documents.adapters.sealed_files import open_sealed, sealed_pieces
from tanpuhui.foundation.documents.domain import DocumentSealBroken, relative_path
from tanpuhui.foundation.kernel.errors import StorageFull

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written: the hash that names it, and its size in bytes."""

    sha256: str
    size: int


def write(content: BinaryIO | bytes) -> Written:
    """Stream the content to a temporary file, force it to disk, and move it to the place that its hash names.

    The move also happens when the place is taken, so that a copy damaged on disk is healed by the good one.
    Raises StorageFull, and then leaves nothing behind.
    """
    with incoming(content) as arrived:
        arrived.keep()
        return arrived.written


class Arrived:
    """Content that lies on disk under a temporary name; `keep` moves it to its place, else it goes."""

    def __init__(self, temporary: Path, written: Written, *, sealed: bool) -> None:
        self.written = written
        self._temporary = temporary
        self._sealed = sealed

    def keep(self) -> None:
        """Move the bytes to the place that their hash names, and force the move to disk."""
        final = _place(self.written.sha256, sealed=self._sealed)
        final.parent.mkdir(parents=True, exist_ok=True)
        self._temporary.replace(final)
        for level in (final.parent, final.parent.parent, _folder()):
            _force_to_disk(level)


@contextmanager
def incoming(content: BinaryIO | bytes, *, key: bytes | None = None) -> Iterator[Arrived]:
    """Stream the content to a temporary file, encrypted if a key is given, and force it to disk; the hash is of the plain bytes.

    What is not kept is gone afterwards. Raises StorageFull.
    """
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    arrivals = _folder() / "incoming"
    arrivals.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=arrivals)
    counted = _Counted(source)
    try:
        with os.fdopen(descriptor, "wb") as target:
            for piece in sealed_pieces(counted.pieces(), key) if key is not None else counted.pieces():
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        written = Written(sha256=counted.digest.hexdigest(), size=counted.size)
        yield Arrived(Path(temporary), written, sealed=key is not None)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull from error
        raise
    finally:
        Path(temporary).unlink(missing_ok=True)


class _Counted:
    """A source read piece by piece, hashed and counted on the way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0

    def pieces(self) -> Iterator[bytes]:
        while piece := self._source.read(PIECE_BYTES):
            self.digest.update(piece)
            self.size += len(piece)
            yield piece


def open_bytes(sha256: str, *, key: bytes | None = None) -> io.BufferedReader:
    """Open the bytes for reading, decrypted if a key is given; raises FileNotFoundError, DocumentSealBroken."""
    source = _place(sha256, sealed=key is not None).open("rb")
    return source if key is None else open_sealed(source, key, sha256=sha256)


def has_sealed_bytes(sha256: str) -> bool:
    """Say whether encrypted bytes of a document lie on disk."""
    return _place(sha256, sealed=True).exists()


def remove_sealed_bytes(sha256: str) -> None:
    """Remove the encrypted bytes of a document, if they are there."""
    _place(sha256, sealed=True).unlink(missing_ok=True)


def hash_of_bytes(sha256: str, *, key: bytes | None = None) -> str | None:
    """Return the hash of what lies in a document's place now, None where nothing lies or it cannot be opened."""
    try:
        with open_bytes(sha256, key=key) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, DocumentSealBroken):
        return None


def _place(sha256: str, *, sealed: bool) -> Path:
    plain = _folder() / relative_path(sha256)
    return plain.with_name(f"{sha256}.sealed") if sealed else plain


def _folder() -> Path:
    return Path(settings.TANPUHUI_DATA_DIR) / "documents"


def _force_to_disk(folder: Path) -> None:
    """A rename survives a power cut only when the folder that names the file is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
