"""Signers whose private key lies in memory."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tanpuhui.foundation.keys.domain.signatures import (
    ED25519,
    SM2_G,
    SM2_N,
    SM2_SM3,
    Signer,
    sm2_digest,
    sm2_engine,
)


class Ed25519Signer:
    """Signs by RFC 8032 with a 32-byte seed."""

    algorithm = ED25519

    def __init__(self, *, key_id: str, private_key: bytes) -> None:
        self.key_id = key_id
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"<Ed25519Signer {self.key_id}>"


class Sm2Signer:
    """Signs by GB/T 32918.2 with the digest SM3 and the default user identifier."""

    algorithm = SM2_SM3

    def __init__(self, *, key_id: str, private_key: bytes) -> None:
        number = int.from_bytes(private_key, "big")
        if len(private_key) != 32 or not 0 < number < SM2_N - 1:
            message = f"{key_id}: an SM2 private key is 32 bytes between 1 and n − 2"
            raise ValueError(message)
        self.key_id = key_id
        point = sm2_engine(private_key_hex="", public_key=b"")._kg(number, SM2_G)  # noqa: SLF001  the library has no public way from the private to the public key
        self.public_key = b"\x04" + bytes.fromhex(point)
        self._engine = sm2_engine(private_key_hex=private_key.hex(), public_key=self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return r and s, 32 bytes each."""
        digest = sm2_digest(public_key=self.public_key, message=message)
        while True:
            # The library's own nonce comes from a predictable generator and would give the private key away.
            nonce = 1 + secrets.randbelow(SM2_N - 1)
            signature = self._engine.sign(digest, f"{nonce:064x}")
            if signature is not None:
                return bytes.fromhex(signature)

    def __repr__(self) -> str:
        return f"<Sm2Signer {self.key_id}>"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A private key just drawn; its value stays out of every representation."""

    algorithm: str
    value: bytes = field(repr=False)


def draw_signing_key(algorithm: str) -> NewKey:
    """Draw a private key from the system's random source."""
    if algorithm == ED25519:
        return NewKey(algorithm, secrets.token_bytes(32))
    if algorithm == SM2_SM3:
        return NewKey(algorithm, (1 + secrets.randbelow(SM2_N - 2)).to_bytes(32, "big"))
    message = f"no such signature algorithm: {algorithm}"
    raise ValueError(message)


def signer_of(*, key_id: str, algorithm: str, private_key: bytes) -> Signer:
    """Return the signer of a private key."""
    if algorithm == ED25519:
        return Ed25519Signer(key_id=key_id, private_key=private_key)
    if algorithm == SM2_SM3:
        return Sm2Signer(key_id=key_id, private_key=private_key)
    message = f"{key_id}: no such signature algorithm: {algorithm}"
    raise ValueError(message)
