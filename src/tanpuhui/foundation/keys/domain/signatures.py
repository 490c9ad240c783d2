"""The port of a signer and the check of a signature: Ed25519 (RFC 8032) and SM2 with SM3 (GB/T 32918.2, GB/T 32905)."""

from __future__ import annotations

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from gmssl import sm2

ED25519 = "ed25519"
SM2_SM3 = "sm2-sm3"
SIGNATURE_ALGORITHMS = (ED25519, SM2_SM3)

SM2_USER_ID = b"1234567812345678"
"""The default user identifier of GM/T 0009-2012, clause 10; every signature of the platform is made with it."""

SM2_P = int(sm2.default_ecc_table["p"], 16)
SM2_A = int(sm2.default_ecc_table["a"], 16)
SM2_B = int(sm2.default_ecc_table["b"], 16)
SM2_N = int(sm2.default_ecc_table["n"], 16)
SM2_G = sm2.default_ecc_table["g"].lower()


class Signer(Protocol):
    """Whoever can sign bytes with one key: a key file, or a certified device (密码机) behind the same port.

    `public_key` and the signature have the published form: Ed25519 32 and 64 bytes; SM2 an uncompressed point
    (0x04, x, y: 65 bytes) and r then s (64 bytes), the digest being SM3 over Z and the message.
    """

    @property
    def key_id(self) -> str:
        """The name under which the public key is published."""
        ...

    @property
    def algorithm(self) -> str:
        """One of SIGNATURE_ALGORITHMS."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key in its published form."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message in its published form."""
        ...


def verify_signature(*, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether the signature over the message is good; anything malformed is simply not good."""
    if algorithm == ED25519:
        return _verify_ed25519(public_key, message, signature)
    if algorithm == SM2_SM3:
        return _verify_sm2(public_key, message, signature)
    return False


def is_public_key(*, algorithm: str, public_key: bytes) -> bool:
    """Say whether these bytes are a public key of the algorithm: right length and, for SM2, a point of the curve."""
    if algorithm == ED25519:
        return len(public_key) == 32
    return algorithm == SM2_SM3 and _is_sm2_point(public_key)


def sm2_digest(*, public_key: bytes, message: bytes) -> bytes:
    """Return e = SM3(Z ‖ message), Z binding the user identifier, the curve and the public key (GB/T 32918.2, 5.5)."""
    z = hashes.Hash(hashes.SM3())
    z.update((len(SM2_USER_ID) * 8).to_bytes(2, "big") + SM2_USER_ID)
    z.update(SM2_A.to_bytes(32, "big") + SM2_B.to_bytes(32, "big") + bytes.fromhex(SM2_G))
    z.update(public_key[1:])
    e = hashes.Hash(hashes.SM3())
    e.update(z.finalize() + message)
    return e.finalize()


def sm2_engine(*, private_key_hex: str, public_key: bytes) -> sm2.CryptSM2:
    """Return the library's SM2 object for a key pair.

    The public key is set after construction, because the constructor strips leading 0 and 4 digits of x as well.
    """
    engine = sm2.CryptSM2(private_key=private_key_hex, public_key="")
    engine.public_key = public_key[1:].hex()
    return engine


def _verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verify_sm2(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if not _is_sm2_point(public_key) or len(signature) != 64:
        return False
    # The library does not check the ranges of r and s that GB/T 32918.2, 7.1 (B1, B2) asks for.
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < SM2_N and 0 < s < SM2_N):
        return False
    engine = sm2_engine(private_key_hex="", public_key=public_key)
    try:
        return bool(engine.verify(signature.hex(), sm2_digest(public_key=public_key, message=message)))
    except (TypeError, ValueError):
        # The library answers the point at infinity with None and then fails on it: no signature.
        return False


def _is_sm2_point(public_key: bytes) -> bool:
    if len(public_key) != 65 or public_key[0] != 4:
        return False
    x, y = int.from_bytes(public_key[1:33], "big"), int.from_bytes(public_key[33:], "big")
    return x < SM2_P and y < SM2_P and (y * y - (x * x * x + SM2_A * x + SM2_B)) % SM2_P == 0
