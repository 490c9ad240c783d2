"""A file under its own key comes out as it went in, at any length; what was changed, moved or cut off does not come out."""

from __future__ import annotations

import io

import pytest

from tanpuhui.foundation.documents.adapters.sealed_files import (
    FRAME_BYTES,
    MAGIC,
    TAG_BYTES,
    new_key,
    open_sealed,
    sealed_pieces,
)
from tanpuhui.foundation.documents.domain import DocumentSealBroken

FRAME = FRAME_BYTES + TAG_BYTES


def sealed(plain: bytes, key: bytes, piece: int = 700_001) -> bytes:
    pieces = (plain[start : start + piece] for start in range(0, len(plain), piece))
    return b"".join(sealed_pieces(pieces, key))


def opened(content: bytes, key: bytes) -> bytes:
    with open_sealed(io.BytesIO(content), key, sha256="0" * 64) as stream:
        return stream.read()


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES])
def test_what_goes_in_comes_out(size: int) -> None:
    key, plain = new_key(), bytes(range(256)) * (size // 256) + bytes(size % 256)
    content = sealed(plain, key)
    assert opened(content, key) == plain
    assert plain[:64] not in content or size < 64


def broken() -> dict[str, bytes]:
    whole = sealed(bytes(3 * FRAME_BYTES), KEY)
    frames = [whole[len(MAGIC) + n * FRAME : len(MAGIC) + (n + 1) * FRAME] for n in range(3)]
    return {
        "a bit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "the last frame gone": whole[:-FRAME],
        "half a frame gone": whole[: -FRAME // 2],
        "two frames changed places": MAGIC + frames[1] + frames[0] + frames[2],
        "something behind": whole + frames[0],
        "another file": b"TPHSEAL2" + whole[8:],
        "nothing": b"",
    }


KEY = new_key()
BROKEN = broken()


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_was_changed_does_not_come_out(name: str) -> None:
    with pytest.raises(DocumentSealBroken):
        opened(BROKEN[name], KEY)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(DocumentSealBroken):
        opened(sealed(b"content", KEY), new_key())


def test_it_can_be_read_from_any_place() -> None:
    plain = bytes(n % 251 for n in range(2 * FRAME_BYTES + 500))
    with open_sealed(io.BytesIO(sealed(plain, KEY)), KEY, sha256="0" * 64) as stream:
        for place in (0, FRAME_BYTES - 10, 2 * FRAME_BYTES + 400, 17):
            stream.seek(place)
            assert stream.read(300) == plain[place : place + 300]
        assert stream.seek(-5, io.SEEK_END) == len(plain) - 5
        assert stream.read() == plain[-5:]
