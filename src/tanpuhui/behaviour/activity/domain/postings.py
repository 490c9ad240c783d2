"""The content of a posting (入账): what its hash commits to, and the arithmetic of points."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import rfc8785
from numpy.typing import NDArray

RECORDS_PER_CHUNK = 4_000
CHUNKS_MAX = 256
PERSON_OWNER = "user"
"""The owner type of a person's ledger account; its owner id is the user's."""
GENESIS = bytes(32)
"""What the first posting of a partner follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PostingContent:
    """Everything a posting says; counts and grams are whole numbers, hashes hexadecimal."""

    partner_id: int
    batch_id: int
    file_sha256: str
    scenario: str
    methodology_version_id: int
    methodology_sha256: str
    parameter_set_sha256: str
    engine_version: str
    rounding: str
    evidence_tier: int
    month: str
    records: int
    account_days: int
    accounts: int
    grams: int
    points: int
    points_rules: tuple[Mapping[str, str], ...]
    amounts_sha256: str
    traces_sha256: str
    inputs_sha256: str
    results_sha256: str
    posted_at: str
    slice_number: int = 0
    day_settlement_id: int = 0


_SINCE_RECALCULATION = (
    "parameter_set_sha256",
    "engine_version",
    "rounding",
    "inputs_sha256",
    "results_sha256",
)
"""What postings say since results can be had again; one made before says none of it, and its hash neither."""


def posting_hash(content: PostingContent, prev_hash: bytes) -> bytes:
    """Return SHA-256 over the previous posting's hash and the canonical JSON (RFC 8785) of the content."""
    plain: Any = asdict(content)
    plain["points_rules"] = [dict(rule) for rule in content.points_rules]
    if not content.engine_version:
        for name in _SINCE_RECALCULATION:
            del plain[name]
    for name in ("slice_number", "day_settlement_id"):
        if not plain[name]:
            del plain[name]  # neither existed when the first hashes were made
    return hashlib.sha256(prev_hash + rfc8785.dumps(plain)).digest()


def payload_root(hashes: Iterable[bytes]) -> bytes:
    """Return the one hash of a posting's payloads: SHA-256 over the chunk hashes in order of bucket."""
    return hashlib.sha256(b"".join(hashes)).digest()


def chunk_count(records: int) -> int:
    """Return into how many chunks a posting's records go: records/4,000 rounded to a power of two, 1 to 256.

    House plan section 4.
    """
    wanted = max(1, records // RECORDS_PER_CHUNK)
    lower = 1 << (wanted.bit_length() - 1)
    nearest = lower if wanted - lower < 2 * lower - wanted else 2 * lower
    return min(CHUNKS_MAX, nearest)


def points_for(grams: NDArray[np.int64], per_gram: Fraction) -> NDArray[np.int64]:
    """Return the points of account-days in one posting: the exact products, rounded down (rule FLOOR_1P).

    A correction that lowers grams lowers points by the same rule, towards zero.
    """
    points: NDArray[np.int64] = np.sign(grams) * (np.abs(grams) * per_gram.numerator // per_gram.denominator)
    return points
