"""A file under a key of its own (文件密钥): AES-256-GCM in frames, so that files of any length are read and written as streams.

Each frame is encrypted with the frame's number as nonce, which is safe because no other file has the key, and with a mark for
the last one, so that a frame that is changed, moved or missing is found.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tanpuhui.foundation.documents.domain import DocumentSealBroken

MAGIC = b"TPHSEAL1"
FRAME_BYTES = 1 << 20
TAG_BYTES = 16
_MORE, _LAST = b"more", b"last"


def new_key() -> bytes:
    """Return a fresh key of 256 bits."""
    return AESGCM.generate_key(256)


def sealed_pieces(pieces: Iterator[bytes], key: bytes) -> Iterator[bytes]:
    """Yield the encrypted form of a stream of plain pieces of any size."""
    cipher = AESGCM(key)
    yield MAGIC
    number, held = 0, bytearray()
    for piece in pieces:
        held += piece
        while len(held) > FRAME_BYTES:  # the last frame is never empty unless the file is
            yield cipher.encrypt(_nonce(number), bytes(held[:FRAME_BYTES]), _MORE)
            del held[:FRAME_BYTES]
            number += 1
    yield cipher.encrypt(_nonce(number), bytes(held), _LAST)


def open_sealed(source: BinaryIO, key: bytes, *, sha256: str) -> io.BufferedReader:
    """Return the plain bytes as a stream that can be read from any place, and closes its source.

    Raises DocumentSealBroken where the end is missing; so does reading a frame that is not as it was.
    """
    return io.BufferedReader(_Plain(source, key, sha256), FRAME_BYTES)


class _Plain(io.RawIOBase):
    """The plain bytes, from any place on: the frame of a place is found by counting, and one frame is held decrypted."""

    def __init__(self, source: BinaryIO, key: bytes, sha256: str) -> None:
        self._source, self._cipher, self._sha256 = source, AESGCM(key), sha256
        sealed = source.seek(0, io.SEEK_END) - len(MAGIC)
        source.seek(0)
        if source.read(len(MAGIC)) != MAGIC or sealed < TAG_BYTES:
            raise DocumentSealBroken(sha256=sha256)
        self._frames = -(-sealed // (FRAME_BYTES + TAG_BYTES))
        self._size = sealed - self._frames * TAG_BYTES
        self._place, self._held, self._number = 0, b"", -1
        self._hold(self._frames - 1)  # the last frame says that nothing is missing behind it

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._place >= self._size:
            return 0
        number, within = divmod(self._place, FRAME_BYTES)
        if number != self._number:
            self._hold(number)
        piece = self._held[within : within + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def close(self) -> None:
        self._source.close()
        super().close()

    def _hold(self, number: int) -> None:
        """Decrypt a frame and hold it."""
        self._source.seek(len(MAGIC) + number * (FRAME_BYTES + TAG_BYTES))
        frame = self._source.read(FRAME_BYTES + TAG_BYTES)
        mark = _LAST if number == self._frames - 1 else _MORE
        try:
            self._held, self._number = self._cipher.decrypt(_nonce(number), frame, mark), number
        except InvalidTag as error:
            raise DocumentSealBroken(sha256=self._sha256) from error


def _nonce(number: int) -> bytes:
    return struct.pack(">IQ", 0, number)
