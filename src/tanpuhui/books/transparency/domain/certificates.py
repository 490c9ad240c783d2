"""The certificate bundle (凭证包) and its check, with nothing but the bundle and the published keys.

`certificate.json` holds the leaf of one retirement (注销), the path from it to the root of a signed head, the head and
its two signatures. Whether it is valid is said as of that head: what happened later needs a later head.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tanpuhui.books.transparency.domain.canonical import (
    NotCanonical,
    Unreadable,
    canonical,
    is_instant,
    parse,
)
from tanpuhui.books.transparency.domain.heads import (
    Head,
    HeadSignature,
    Malformed,
    SignatureFinding,
    check_signatures,
    exact_members,
    read_count,
    read_hash,
    read_head,
    read_signatures,
)
from tanpuhui.books.transparency.domain.leaves import LEAF_FORMAT, LeafKind
from tanpuhui.books.transparency.domain.merkle import leaf_hash, verify_inclusion
from tanpuhui.foundation.keys.domain import ED25519, KeySetUnreadable, PublishedKey, parse_key_set

BUNDLE_FORMAT = "tanpuhui-certificate/1"
TEXT_LENGTH_MAX = 2_000
RANGES_MAX = 10_000

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, with a stable code and a sentence in each language."""

    code: str
    ok: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found. `valid` holds as of head number `as_of_head` over `size` leaves, and not beyond.

    `usable` is False when bundle or keys could not be read at all. `certificate` is what the leaf says, None when it
    departs from its format; it may be believed only when `valid`.
    """

    valid: bool
    usable: bool
    as_of_head: int | None
    size: int | None
    checks: tuple[Check, ...]
    certificate: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Where a leaf stands under a signed head, as a file says it."""

    index: int
    path: tuple[bytes, ...]
    head: Head
    signatures: Mapping[str, HeadSignature]


def certificate_payload(
    *,
    number: str,
    jurisdiction: str,
    unit_code: str,
    unit_name: str,
    quantity_t: int,
    serial_ranges: Sequence[tuple[str, int, int]],
    project_code: str,
    project_name: str,
    methodology_code: str,
    methodology_version: str,
    vintage: str,
    beneficiary: Mapping[str, str],
    purpose_code: str,
    purpose_text: str,
    retired_on: date,
    holder_code: str,
    holder_name: str,
) -> dict[str, object]:
    """Return the payload of a retirement leaf, checked against its format; raises Malformed.

    `serial_ranges` are (issuance, first, last) in whole tonnes and add up to `quantity_t`. `beneficiary` is
    {kind: organisation or event, code, name} or {kind: person, commitment}. `vintage` is a year of four digits.
    The leaf's subject is the certificate number.
    """
    payload: dict[str, object] = {
        "number": number,
        "jurisdiction": jurisdiction,
        "unit": {"code": unit_code, "name": unit_name},
        "quantity_t": quantity_t,
        "serial_ranges": [
            {"issuance": name, "first": first, "last": last} for name, first, last in serial_ranges
        ],
        "project": {"code": project_code, "name": project_name},
        "methodology": {"code": methodology_code, "version": methodology_version},
        "vintage": vintage,
        "beneficiary": dict(beneficiary),
        "purpose": {"code": purpose_code, "text": purpose_text},
        "retired_on": retired_on.isoformat(),
        "holder": {"code": holder_code, "name": holder_name},
    }
    _check_payload(payload)
    return payload


def build_bundle(
    *,
    leaf: bytes,
    leaf_index: int,
    path: Sequence[bytes],
    head: Head,
    signatures: Mapping[str, HeadSignature],
) -> bytes:
    """Return `certificate.json` of a leaf that a head covers, as canonical JSON."""
    return canonical(
        {
            "format": BUNDLE_FORMAT,
            "leaf": parse(leaf),
            "proof": proof_document(leaf_index=leaf_index, path=path, head=head, signatures=signatures),
        }
    )


def proof_document(
    *, leaf_index: int, path: Sequence[bytes], head: Head, signatures: Mapping[str, HeadSignature]
) -> dict[str, object]:
    """Return the member `proof` of a file: the place of its leaf, the path to the head's root, head and signatures."""
    return {
        "leaf_index": leaf_index,
        "path": [step.hex() for step in path],
        "head": head.as_dict(),
        "signatures": {
            algorithm: {"key_id": one.key_id, "signature": one.signature}
            for algorithm, one in signatures.items()
        },
    }


def build_pending_bundle(*, leaf: bytes) -> bytes:
    """Return `certificate.json` of a leaf that no head covers yet: the proof is pending and it does not verify."""
    return canonical({"format": BUNDLE_FORMAT, "leaf": parse(leaf), "proof": None})


def verify_certificate(bundle_json: bytes, keys_json: bytes) -> Verdict:
    """Check a certificate against a published key set, without network, database or clock.

    Every member is either part of the hashed leaf or of the signed head, or decides the path between them, so a change
    of any of them is refused. Order of members and white space carry no meaning and are free.
    """
    opened = open_files(bundle_json, keys_json, name_zh="凭证文件")
    if isinstance(opened, Verdict):
        return opened
    document, keys = opened
    try:
        leaf, payload, proof = _read_bundle(document)
    except (Malformed, NotCanonical) as error:
        return refused(
            True,
            Check(
                "FORMAT",
                False,
                f"凭证内容不符合格式：{error}。",
                f"The certificate departs from its format: {error}.",
            ),
        )
    if proof is None:
        pending = Check(
            "PROOF_PENDING",
            False,
            "证明待生成：公开日志的树头尚未覆盖此凭证，请稍后重新下载。",
            "Proof pending: no head of the public log covers this certificate yet. Download it again shortly.",
        )
        return Verdict(False, True, None, None, (SOUND, pending), payload)
    checks = (
        SOUND,
        _inclusion_check(in_log(leaf, proof), proof),
        *(signature_check(finding) for finding in check_signatures(proof.head, proof.signatures, keys)),
    )
    return Verdict(
        valid=all(check.ok for check in checks),
        usable=True,
        as_of_head=proof.head.number,
        size=proof.head.size,
        checks=checks,
        certificate=payload,
    )


SOUND = Check(
    "FORMAT",
    True,
    "格式完整，没有缺少或多余的字段。",
    "The format is complete, nothing missing or added.",
)


def open_files(
    file_json: bytes, keys_json: bytes, *, name_zh: str
) -> tuple[object, Mapping[str, PublishedKey]] | Verdict:
    """Return the parsed file and key set, or the verdict on what could not be read; `name_zh` is what the file is called."""
    try:
        keys = parse_key_set(keys_json)
    except KeySetUnreadable as error:
        return refused(
            False,
            Check("KEYS_READABLE", False, f"公钥文件无法使用：{error}。", f"Unusable key set: {error}."),
        )
    try:
        return parse(file_json), keys
    except Unreadable as error:
        return refused(
            False, Check("BUNDLE_READABLE", False, f"{name_zh}无法读取：{error}。", f"Unreadable: {error}.")
        )


def in_log(leaf: bytes, proof: Proof) -> bool:
    """Say whether a leaf stands where its proof says, under the proof's head."""
    return verify_inclusion(
        hashed=leaf_hash(leaf),
        index=proof.index,
        size=proof.head.size,
        path=proof.path,
        root=bytes.fromhex(proof.head.root),
    )


def refused(usable: bool, check: Check) -> Verdict:
    """Return the verdict on a file that could not be read as far as its proof."""
    return Verdict(valid=False, usable=usable, as_of_head=None, size=None, checks=(check,))


def _inclusion_check(included: bool, proof: Proof) -> Check:
    if included:
        zh = f"凭证是公开日志的第 {proof.index} 号叶，由第 {proof.head.number} 号树头（共 {proof.head.size} 叶）覆盖。"
        en = f"The certificate is leaf {proof.index} under head {proof.head.number}, which covers {proof.head.size} leaves."
    else:
        zh = "凭证内容与公开日志不符：内容或证明路径被改动过。"
        en = "The certificate is not what the public log holds: its content or its path was changed."
    return Check("INCLUDED", included, zh, en)


def signature_check(finding: SignatureFinding) -> Check:
    """Return what was found of one signature, in words."""
    name = "Ed25519" if finding.algorithm == ED25519 else "SM2/SM3"
    code = "SIGNED_ED25519" if finding.algorithm == ED25519 else "SIGNED_SM2"
    if finding.trouble is None:
        zh, en = f"树头的 {name} 签名有效。", f"The {name} signature of the head is good."
    elif finding.trouble == "key":
        zh = f"树头的 {name} 签名所用密钥 {finding.key_id} 不在公钥文件中，或当时不在有效期内。"
        en = f"The key {finding.key_id} of the {name} signature is not published, or was not in use at that time."
    else:
        zh, en = f"树头的 {name} 签名无效。", f"The {name} signature of the head is not good."
    return Check(code, finding.trouble is None, zh, en)


def _read_bundle(document: object) -> tuple[bytes, dict[str, object], Proof | None]:
    bundle = exact_members(document, {"format", "leaf", "proof"}, "$")
    if bundle["format"] != BUNDLE_FORMAT:
        raise Malformed(f"$.format is {BUNDLE_FORMAT}")
    leaf = read_leaf(bundle["leaf"], LeafKind.RETIREMENT)
    payload = _check_payload(leaf["payload"])
    if leaf["subject"] != payload["number"]:
        raise Malformed("leaf.subject is the certificate number")
    return canonical(leaf), payload, None if bundle["proof"] is None else read_proof(bundle["proof"])


def read_leaf(document: object, kind: LeafKind) -> dict[str, object]:
    """Read the envelope of a leaf of this kind strictly; its payload is for the caller to read. Raises Malformed."""
    leaf = exact_members(document, {"format", "kind", "subject", "recorded_at", "payload"}, "leaf")
    if leaf["format"] != LEAF_FORMAT or leaf["kind"] != kind.value:
        raise Malformed(f"leaf is of format {LEAF_FORMAT} and kind {kind.value}")
    if not is_instant(leaf["recorded_at"]):
        raise Malformed("leaf.recorded_at is a UTC moment with six decimals")
    return leaf


def read_proof(document: object) -> Proof:
    """Read the member `proof` strictly; raises Malformed."""
    proof = exact_members(document, {"leaf_index", "path", "head", "signatures"}, "proof")
    path = proof["path"]
    if not isinstance(path, list) or len(path) > 64:
        raise Malformed("proof.path is a list of at most 64 hashes")
    return Proof(
        index=read_count(proof["leaf_index"], "proof.leaf_index", least=0),
        path=tuple(bytes.fromhex(read_hash(step, "proof.path")) for step in path),
        head=read_head(proof["head"], "proof.head"),
        signatures=read_signatures(proof["signatures"], "proof.signatures"),
    )


def _check_payload(document: object) -> dict[str, object]:
    names = {
        "number",
        "jurisdiction",
        "unit",
        "quantity_t",
        "serial_ranges",
        "project",
        "methodology",
        "vintage",
    }
    names |= {"beneficiary", "purpose", "retired_on", "holder"}
    payload = exact_members(document, names, "payload")
    for name in ("number", "jurisdiction"):
        _text(payload[name], f"payload.{name}")
    for name, members in (
        ("unit", {"code", "name"}),
        ("project", {"code", "name"}),
        ("methodology", {"code", "version"}),
        ("purpose", {"code", "text"}),
        ("holder", {"code", "name"}),
    ):
        _texts(payload[name], members, f"payload.{name}")
    quantity_t = read_count(payload["quantity_t"], "payload.quantity_t", least=1)
    if _serials(payload["serial_ranges"]) != quantity_t:
        raise Malformed("the serial ranges add up to quantity_t")
    if not isinstance(payload["vintage"], str) or not _YEAR.fullmatch(payload["vintage"]):
        raise Malformed("payload.vintage is a year of four digits, as text")
    _day(payload["retired_on"], "payload.retired_on")
    _beneficiary(payload["beneficiary"])
    return payload


def _serials(document: object) -> int:
    """Return the tonnes of disjoint serial ranges, after checking each."""
    if not isinstance(document, list) or not 0 < len(document) <= RANGES_MAX:
        raise Malformed("payload.serial_ranges is a non-empty list")
    ranges: list[tuple[str, int, int]] = []
    for entry in document:
        members = exact_members(entry, {"issuance", "first", "last"}, "payload.serial_ranges")
        first = read_count(members["first"], "payload.serial_ranges.first", least=1)
        last = read_count(members["last"], "payload.serial_ranges.last", least=first)
        ranges.append((_text(members["issuance"], "payload.serial_ranges.issuance"), first, last))
    ranges.sort()
    for (issuance, _, last), (next_issuance, first, _) in itertools.pairwise(ranges):
        if issuance == next_issuance and first <= last:
            raise Malformed("payload.serial_ranges do not overlap")
    return sum(last - first + 1 for _, first, last in ranges)


def _beneficiary(document: object) -> None:
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind == "person":
        members = exact_members(document, {"kind", "commitment"}, "payload.beneficiary")
        read_hash(members["commitment"], "payload.beneficiary.commitment")
    elif kind in ("organisation", "event"):
        _texts(document, {"kind", "code", "name"}, "payload.beneficiary")
    else:
        raise Malformed("payload.beneficiary is an organisation, an event, or a person as a commitment")


def _texts(document: object, names: set[str], place: str) -> None:
    for name, value in exact_members(document, names, place).items():
        _text(value, f"{place}.{name}")


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LENGTH_MAX:
        raise Malformed(f"{place} is text of 1 to {TEXT_LENGTH_MAX} characters")
    return value


def _day(value: object, place: str) -> None:
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError as error:
        raise Malformed(f"{place} is a date such as 2026-01-31") from error
