"""The folder that holds the bytes: `TANPUHUI_DATA_DIR/documents/ab/cd/<sha256>`, written once, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from tanpuhui.foundation.documents.domain import relative_path
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
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    folder = _folder()
    incoming = folder / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=incoming)
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(descriptor, "wb") as target:
            while piece := source.read(PIECE_BYTES):
                digest.update(piece)
                size += target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        final = folder / relative_path(digest.hexdigest())
        final.parent.mkdir(parents=True, exist_ok=True)
        Path(temporary).replace(final)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull from error
        raise
    for level in (final.parent, final.parent.parent, folder):
        _force_to_disk(level)
    return Written(sha256=digest.hexdigest(), size=size)


def open_bytes(sha256: str) -> io.BufferedReader:
    """Open the bytes for reading; raises FileNotFoundError."""
    return (_folder() / relative_path(sha256)).open("rb")


def hash_of_bytes(sha256: str) -> str | None:
    """Return the hash of what lies in a document's place now, None where nothing lies."""
    try:
        with open_bytes(sha256) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _folder() -> Path:
    return Path(settings.TANPUHUI_DATA_DIR) / "documents"


def _force_to_disk(folder: Path) -> None:
    """A rename survives a power cut only when the folder that names the file is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
