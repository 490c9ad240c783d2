"""The keys of this platform, found through the settings: sign, publish, seal, open, index.

Nothing here has a row in the database. The ring is the folder `TANPUHUI_DATA_DIR/keys`, made on first use; the
environment variable `TANPUHUI_KEY_RING` names another folder, which must exist and is then never written to.
Every function raises KeyRingUnavailable when the ring cannot be used.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from pathlib import Path

import rfc8785
from django.conf import settings

from tanpuhui.foundation.keys import domain
from tanpuhui.foundation.keys.adapters.key_files import KeyRing, KeyRingUnavailable, open_ring
from tanpuhui.foundation.keys.domain import (
    KEY_SET_FORMAT,
    KeyUnknown,
    PublishedKey,
    SealBroken,
    Signer,
    parse_key_set,
    verify_signature,
)

__all__ = [
    "KeyRingUnavailable",
    "KeyUnknown",
    "PublishedKey",
    "SealBroken",
    "Signer",
    "blind_index",
    "blind_indexes",
    "parse_key_set",
    "published_key_set",
    "published_keys",
    "seal",
    "signers",
    "unseal",
    "verify_signature",
]


def signers() -> tuple[Signer, ...]:
    """Return the signer in use of each algorithm: Ed25519, then SM2 with SM3."""
    return _ring().signers()


def published_keys() -> list[dict[str, str | None]]:
    """Return every signing key, retired ones too: key_id, algorithm, public_key, valid_from, valid_to."""
    return [key.as_dict() for key in _ring().published()]


def published_key_set() -> bytes:
    """Return the document of `/keys`, which `tanpuhui verify --keys` reads: canonical JSON (RFC 8785)."""
    return rfc8785.dumps({"format": KEY_SET_FORMAT, "keys": published_keys()})  # type: ignore[no-any-return,unused-ignore]


def seal(plaintext: str, *, context: str) -> bytes:
    """Encrypt text for one context, the lasting name of a column such as `identity.person_phone`."""
    return domain.seal(plaintext, context=context, key=_ring().sealing_key())


def unseal(sealed: bytes, *, context: str) -> str:
    """Return the text of a sealed value; raises SealBroken or KeyUnknown."""
    return domain.unseal(bytes(sealed), context=context, key_named=_ring().sealing_key_named)


def blind_index(value: str, *, purpose: str) -> str:
    """Return 64 hexadecimal digits by which equal values of one purpose are found without opening any."""
    return domain.blind_index(value, purpose=purpose, key=_ring().index_key())


def blind_indexes(values: Iterable[str], *, purpose: str) -> list[bytes]:
    """Return the blind index of each value as 32 bytes, in order; for many values at once."""
    return domain.blind_indexes(values, purpose=purpose, key=_ring().index_key())


def _ring() -> KeyRing:
    elsewhere = os.environ.get("TANPUHUI_KEY_RING", "")
    folder = Path(elsewhere) if elsewhere else Path(settings.TANPUHUI_DATA_DIR) / "keys"
    try:
        state = (folder / "ring.json").stat()
    except OSError:
        open_ring(folder, create=not elsewhere)
        state = (folder / "ring.json").stat()
    return _read(folder, state.st_ino, state.st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _read(folder: Path, inode: int, modified_ns: int) -> KeyRing:  # noqa: ARG001  a rotated ring is another file, so it is read anew
    return open_ring(folder, create=False)
