"""A key ring in a folder: `ring.json` says what there is, one file of mode 0600 holds each private value in hexadecimal.

The files are written before the ring names them and the ring is replaced in one step, so a process that dies half-way
leaves a ring that can be read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.keys.adapters.software_signers import draw_signing_key, signer_of
from tanpuhui.foundation.keys.domain import (
    SIGNATURE_ALGORITHMS,
    KeyUnknown,
    PublishedKey,
    SealingKey,
    Signer,
)

RING_FORMAT = "tanpuhui-key-ring/1"
SM4_GCM = "sm4-gcm"
HMAC_SM3 = "hmac-sm3"
_SECRET_BYTES = {SM4_GCM: 16, HMAC_SM3: 32}


class KeyRingUnavailable(Refusal):
    """The keys cannot be used as they lie there."""

    code = "KEY_RING_UNAVAILABLE"
    zh = "密钥环 {path} 不可用：{why}。请核对文件与权限（0600），或恢复备份。"
    en = "The key ring {path} cannot be used: {why}. Check the files and their mode (0600), or restore the backup."


@dataclass(frozen=True, slots=True)
class RingEntry:
    """One key of the ring; `valid_to` None means in use, `public_key` is hexadecimal and None for a secret key."""

    key_id: str
    algorithm: str
    file: str
    public_key: str | None
    valid_from: str | None
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one platform. Its representation shows names only."""

    folder: Path
    entries: tuple[RingEntry, ...]
    _values: dict[str, bytes] = field(repr=False)
    _signers: tuple[Signer, ...] = field(repr=False)

    def signers(self) -> tuple[Signer, ...]:
        """Return the signer in use of each algorithm, Ed25519 first."""
        return self._signers

    def published(self) -> tuple[PublishedKey, ...]:
        """Return every signing key, retired ones too, for old heads stay to be checked."""
        return tuple(
            PublishedKey(entry.key_id, entry.algorithm, entry.public_key, entry.valid_from, entry.valid_to)
            for entry in self.entries
            if entry.public_key is not None
        )

    def sealing_key(self) -> SealingKey:
        """Return the key that seals new values."""
        return self.sealing_key_named(_in_use(self.entries, SM4_GCM, self.folder).key_id)

    def sealing_key_named(self, key_id: str) -> SealingKey:
        """Return the key a value names; raises KeyUnknown."""
        named = [entry for entry in self.entries if entry.key_id == key_id and entry.algorithm == SM4_GCM]
        if not named:
            message = f"the key ring has no sealing key {key_id}"
            raise KeyUnknown(message)
        return SealingKey(key_id, self._values[key_id])

    def index_key(self) -> bytes:
        """Return the one blind index key; it is never rotated, for indexes are compared across years."""
        return self._values[_in_use(self.entries, HMAC_SM3, self.folder).key_id]


def open_ring(folder: Path, *, create: bool) -> KeyRing:
    """Read the ring of a folder, and with `create` make it when there is none; raises KeyRingUnavailable."""
    if create and not (folder / "ring.json").exists():
        with _locked(folder):
            if not (folder / "ring.json").exists():
                _write_ring(folder, tuple(_draw(folder, algorithm, None) for algorithm in _ALL))
    return _read_ring(folder)


def rotate(folder: Path, *, algorithm: str, at: datetime) -> RingEntry:
    """Retire the key in use of an algorithm and draw the next one, valid from `at`; the index key is refused."""
    if algorithm == HMAC_SM3:
        raise KeyRingUnavailable(
            path=folder, why="the blind index key is not rotated; equal values would part"
        )
    instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with _locked(folder):
        entries = _read_ring(folder).entries
        retired = _in_use(entries, algorithm, folder)
        fresh = _draw(folder, algorithm, instant)
        kept = tuple(replace(entry, valid_to=instant) if entry == retired else entry for entry in entries)
        _write_ring(folder, (*kept, fresh))
    return fresh


_ALL = (*SIGNATURE_ALGORITHMS, SM4_GCM, HMAC_SM3)


def _draw(folder: Path, algorithm: str, valid_from: str | None) -> RingEntry:
    public_key: str | None = None
    if algorithm in SIGNATURE_ALGORITHMS:
        value = draw_signing_key(algorithm).value
        public_key = signer_of(key_id="", algorithm=algorithm, private_key=value).public_key.hex()
        key_id = f"{algorithm}-{hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]}"
    else:
        value = secrets.token_bytes(_SECRET_BYTES[algorithm])
        key_id = f"{algorithm}-{secrets.token_hex(8)}"
    _write_private(folder / f"{key_id}.key", value.hex().encode() + b"\n")
    return RingEntry(key_id, algorithm, f"{key_id}.key", public_key, valid_from, None)


def _read_ring(folder: Path) -> KeyRing:
    try:
        document = json.loads((folder / "ring.json").read_text("utf-8"))
        if document["format"] != RING_FORMAT:
            raise KeyRingUnavailable(path=folder, why=f"not of format {RING_FORMAT}")
        entries = tuple(RingEntry(**entry) for entry in document["keys"])
        values = {entry.key_id: _read_private(folder / entry.file) for entry in entries if _is_needed(entry)}
        signers = tuple(
            _signer(_in_use(entries, name, folder), values, folder) for name in SIGNATURE_ALGORITHMS
        )
    except OSError as error:
        raise KeyRingUnavailable(path=folder, why=f"{error.strerror}: {error.filename}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise KeyRingUnavailable(
            path=folder, why=f"ring.json or a key file is malformed ({type(error).__name__})"
        ) from error
    return KeyRing(folder, entries, values, signers)


def _is_needed(entry: RingEntry) -> bool:
    """A retired signing key may be destroyed; a retired sealing key still opens old values."""
    return entry.valid_to is None or entry.algorithm not in SIGNATURE_ALGORITHMS


def _signer(entry: RingEntry, values: dict[str, bytes], folder: Path) -> Signer:
    signer = signer_of(key_id=entry.key_id, algorithm=entry.algorithm, private_key=values[entry.key_id])
    if signer.public_key.hex() != entry.public_key:
        raise KeyRingUnavailable(path=folder, why=f"{entry.key_id} is not the key that was published")
    return signer


def _in_use(entries: tuple[RingEntry, ...], algorithm: str, folder: Path) -> RingEntry:
    found = [entry for entry in entries if entry.algorithm == algorithm and entry.valid_to is None]
    if len(found) != 1:
        raise KeyRingUnavailable(
            path=folder, why=f"{len(found)} keys of {algorithm} are in use instead of one"
        )
    return found[0]


def _read_private(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise KeyRingUnavailable(path=path, why="others can read it")
    return bytes.fromhex(path.read_text("ascii").strip())


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_ring(folder: Path, entries: tuple[RingEntry, ...]) -> None:
    content = json.dumps({"format": RING_FORMAT, "keys": [asdict(entry) for entry in entries]}, indent=2)
    fresh = folder / f"ring.json.{secrets.token_hex(4)}"
    _write_private(fresh, content.encode())
    fresh.replace(folder / "ring.json")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise KeyRingUnavailable(path=folder, why=f"{error.strerror}: {error.filename}") from error
    with os.fdopen(descriptor) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
