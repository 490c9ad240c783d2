"""The signed tree head (签名树头): what the log is at one moment, and the two signatures over its canonical bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tanpuhui.books.transparency.domain.canonical import SAFE_INTEGER_MAX, canonical, is_instant
from tanpuhui.foundation.keys.domain import SIGNATURE_ALGORITHMS, PublishedKey, Signer, verify_signature

HEAD_FORMAT = "tanpuhui-head/1"

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{128}", re.ASCII)


class Malformed(ValueError):
    """A document of the log departs from its format; the text says where and how."""


@dataclass(frozen=True, slots=True)
class Head:
    """One head. Roots are hexadecimal; the first head follows size 0 and the root of nothing."""

    log_id: str
    number: int
    size: int
    root: str
    previous_size: int
    previous_root: str
    signed_at: str

    def as_dict(self) -> dict[str, object]:
        """Return the members that are signed, the format among them."""
        return {"format": HEAD_FORMAT, **asdict(self)}

    def signed_bytes(self) -> bytes:
        """Return the bytes that both signatures are over."""
        return canonical(self.as_dict())


@dataclass(frozen=True, slots=True)
class HeadSignature:
    """One signature over a head: which key, and 64 bytes in hexadecimal."""

    key_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """Whether one of the signatures stands, and if not, why: `key` (unknown or not in use then) or `signature`."""

    algorithm: str
    key_id: str
    trouble: str | None


def read_head(document: object, place: str = "head") -> Head:
    """Read a head strictly: exactly its members, of exactly their types; raises Malformed."""
    members = exact_members(
        document,
        {"format", "log_id", "number", "size", "root", "previous_size", "previous_root", "signed_at"},
        place,
    )
    if members["format"] != HEAD_FORMAT:
        raise Malformed(f"{place}.format is {HEAD_FORMAT}")
    head = Head(
        log_id=read_hash(members["log_id"], f"{place}.log_id"),
        number=read_count(members["number"], f"{place}.number", least=1),
        size=read_count(members["size"], f"{place}.size", least=1),
        root=read_hash(members["root"], f"{place}.root"),
        previous_size=read_count(members["previous_size"], f"{place}.previous_size", least=0),
        previous_root=read_hash(members["previous_root"], f"{place}.previous_root"),
        signed_at=_moment(members["signed_at"], f"{place}.signed_at"),
    )
    if head.previous_size >= head.size:
        raise Malformed(f"{place}.previous_size is below its size")
    return head


def read_signatures(document: object, place: str = "signatures") -> dict[str, HeadSignature]:
    """Read the signatures strictly: one of each algorithm, no more and no fewer; raises Malformed."""
    members = exact_members(document, set(SIGNATURE_ALGORITHMS), place)
    signatures: dict[str, HeadSignature] = {}
    for algorithm in SIGNATURE_ALGORITHMS:
        entry = exact_members(members[algorithm], {"key_id", "signature"}, f"{place}.{algorithm}")
        key_id, signature = entry["key_id"], entry["signature"]
        if (
            not isinstance(key_id, str)
            or not isinstance(signature, str)
            or not _SIGNATURE.fullmatch(signature)
        ):
            raise Malformed(f"{place}.{algorithm} is a key_id and 128 lower-case hexadecimal digits")
        signatures[algorithm] = HeadSignature(key_id, signature)
    return signatures


def check_signatures(
    head: Head, signatures: Mapping[str, HeadSignature], keys: Mapping[str, PublishedKey]
) -> list[SignatureFinding]:
    """Check both signatures of a head against published keys that were in use when it was signed."""
    findings: list[SignatureFinding] = []
    for algorithm in SIGNATURE_ALGORITHMS:
        signature = signatures.get(algorithm)
        key = keys.get(signature.key_id) if signature else None
        trouble: str | None = None
        if signature is None or key is None or key.algorithm != algorithm or not key.covers(head.signed_at):
            trouble = "key"
        elif not verify_signature(
            algorithm=algorithm,
            public_key=bytes.fromhex(key.public_key),
            message=head.signed_bytes(),
            signature=bytes.fromhex(signature.signature),
        ):
            trouble = "signature"
        findings.append(SignatureFinding(algorithm, signature.key_id if signature else "", trouble))
    return findings


def exact_members(document: object, names: set[str], place: str) -> dict[str, object]:
    """Return a JSON object that has exactly these members; raises Malformed."""
    if not isinstance(document, dict):
        raise Malformed(f"{place} is an object")
    missing, unknown = names - document.keys(), document.keys() - names
    if missing or unknown:
        raise Malformed(f"{place}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    return document


def read_hash(value: object, place: str) -> str:
    """Return 64 lower-case hexadecimal digits; raises Malformed."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Malformed(f"{place} is 64 lower-case hexadecimal digits")
    return value


def read_count(value: object, place: str, *, least: int) -> int:
    """Return an integer from `least` to 2^53 − 1 (true and false are not integers here); raises Malformed."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= SAFE_INTEGER_MAX:
        raise Malformed(f"{place} is an integer of at least {least}")
    return value


def _moment(value: object, place: str) -> str:
    if not is_instant(value):
        raise Malformed(f"{place} is a UTC moment with six decimals")
    return str(value)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head with its signatures, one per algorithm."""

    head: Head
    signatures: Mapping[str, HeadSignature]

    def document(self) -> bytes:
        """Return what `/log/head` publishes: canonical JSON of the head and its signatures."""
        return canonical({"head": self.head.as_dict(), "signatures": self.signatures_as_dict()})

    def signatures_as_dict(self) -> dict[str, dict[str, str]]:
        """Return the signatures as they stand in documents."""
        return {algorithm: asdict(signature) for algorithm, signature in self.signatures.items()}


def sign_head(head: Head, signers: Sequence[Signer]) -> SignedHead:
    """Return the head signed by one signer of each algorithm; raises ValueError when one is missing or double."""
    if sorted(signer.algorithm for signer in signers) != sorted(SIGNATURE_ALGORITHMS):
        message = f"a head is signed once by each of {', '.join(SIGNATURE_ALGORITHMS)}"
        raise ValueError(message)
    message_bytes = head.signed_bytes()
    return SignedHead(
        head,
        {one.algorithm: HeadSignature(one.key_id, one.sign(message_bytes).hex()) for one in signers},
    )
