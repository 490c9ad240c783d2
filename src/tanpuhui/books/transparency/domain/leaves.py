"""What the log commits to: the kinds of leaves (叶), their canonical bytes, and commitments in place of persons."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from tanpuhui.books.transparency.domain.canonical import canonical, instant

LEAF_FORMAT = "tanpuhui-leaf/1"
SALT_BYTES = 32


class LeafKind(StrEnum):
    """The acts that a root commits to; an act that is not in this list is not in the log."""

    FILING = "filing"
    FILE = "file"
    POSTING = "posting"
    POOL = "pool"
    VERIFICATION = "verification"
    ISSUANCE = "issuance"
    TRANSFER = "transfer"
    FREEZE = "freeze"
    RETIREMENT = "retirement"
    CANCELLATION = "cancellation"
    ERASURE = "erasure"


def leaf_bytes(
    *, kind: LeafKind, subject: str, recorded_at: datetime, payload: Mapping[str, object]
) -> bytes:
    """Return the canonical bytes of a leaf, which `merkle.leaf_hash` hashes; raises NotCanonical.

    `subject` names the act within its kind (a certificate number, a posting number), not the thing acted on.
    A natural person appears in the payload only as a commitment.
    """
    return canonical(
        {
            "format": LEAF_FORMAT,
            "kind": LeafKind(kind).value,
            "subject": subject,
            "recorded_at": instant(recorded_at),
            "payload": dict(payload),
        }
    )


def commit_person(*, text: str, salt: bytes) -> str:
    """Return the commitment to a natural person: HMAC-SHA-256 under a 32-byte random salt, 64 hexadecimal digits.

    Who is given text and salt can check it; without the salt it says nothing, and erasing the salt erases the person.
    The text is put in Unicode form C first.
    """
    if len(salt) != SALT_BYTES:
        message = f"the salt of a commitment has {SALT_BYTES} bytes, not {len(salt)}"
        raise ValueError(message)
    return hmac.digest(
        salt, b"tanpuhui-person/1\x00" + unicodedata.normalize("NFC", text).encode(), "sha256"
    ).hex()


def opens_commitment(*, commitment: str, text: str, salt: bytes) -> bool:
    """Say whether text and salt are what was committed to."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(commit_person(text=text, salt=salt), commitment)
