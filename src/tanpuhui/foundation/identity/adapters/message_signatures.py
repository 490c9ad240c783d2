"""HTTP Message Signatures (RFC 9421) and Content-Digest (RFC 9530), by a library; our rules stand in domain/signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import http_sf
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature

from tanpuhui.foundation.identity.domain.signatures import (
    COVERED_ALWAYS,
    COVERED_WITH_BODY,
    NONCE_LENGTH_MAX,
    NONCE_LENGTH_MIN,
    SignatureInvalid,
    SignatureKeyUnknown,
    SigningKeyUnusable,
)

BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
DIGEST = "sha-256"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A request as it came: method, absolute address, headers."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What a signature says and covers; `body_sha256` None where the request has no body."""

    key_id: str
    created: datetime
    expires: datetime | None
    nonce: str
    body_sha256: bytes | None


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find

    def resolve_public_key(self, key_id: str) -> bytes:
        pem = self._find(key_id)
        if pem is None:
            raise SignatureKeyUnknown(key_id=key_id[:80])
        return pem.encode()


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Leave the clock to our own rule, which is given the moment instead of asking for it."""


def verify(message: Message, find: Callable[[str], str | None]) -> Signed:
    """Return what the one signature of a request says; `find` gives the public key (PEM) of a key id, or None.

    Method, authority, path and query are covered, with a body its digest and the idempotency key too, so that nothing that
    decides what happens can be changed. Raises SignatureInvalid, SignatureKeyUnknown.
    """
    required = COVERED_ALWAYS + (COVERED_WITH_BODY if message.method in BODY_METHODS else ())
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(find))
    try:
        (found,) = verifier.verify(message, max_age=None, require_components=required)
    except SignatureKeyUnknown:
        raise
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        if isinstance(error.__cause__, SignatureKeyUnknown):
            raise error.__cause__ from error
        raise SignatureInvalid(why=str(error)) from error
    except ValueError as error:
        raise SignatureInvalid(why="one signature is expected") from error
    said = found.parameters
    nonce, created = str(said.get("nonce") or ""), said.get("created")
    if not NONCE_LENGTH_MIN <= len(nonce) <= NONCE_LENGTH_MAX:
        raise SignatureInvalid(why=f"nonce needs {NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} characters")
    if type(created) is not int:
        raise SignatureInvalid(why="created is missing")
    digest = found.covered_components.get('"content-digest"')
    return Signed(
        key_id=str(said["keyid"]),
        created=_moment(created),
        expires=_moment(said["expires"]) if "expires" in said else None,
        nonce=nonce,
        body_sha256=_sha256_of(digest) if digest is not None else None,
    )


def read_public_key(pem: str) -> str:
    """Return an Ed25519 public key in its canonical PEM form. Raises SigningKeyUnusable."""
    try:
        key = serialization.load_pem_public_key(pem.strip().encode())
    except ValueError as error:
        raise SigningKeyUnusable from error
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyUnusable
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def _moment(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SignatureInvalid(why=f"no moment: {seconds}") from error


def _sha256_of(field: str) -> bytes:
    """Return the SHA-256 of the body that Content-Digest gives; another digest alone does not do."""
    try:
        found: Any = http_sf.parse(field.encode(), tltype="dictionary")
        digest = found[DIGEST][0]
    except (KeyError, ValueError, TypeError) as error:
        raise SignatureInvalid(why=f"Content-Digest gives no {DIGEST}") from error
    if not isinstance(digest, bytes) or len(digest) != hashlib.sha256().digest_size:
        raise SignatureInvalid(why=f"Content-Digest gives no {DIGEST}")
    return digest
