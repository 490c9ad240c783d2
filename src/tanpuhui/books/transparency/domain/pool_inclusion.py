"""The inclusion file of a pool (归集包含证明) and its check: one person's grams are in a pool, and the pool in the log.

`pool-inclusion.json` holds the person's leaf, its path to the root of the pool's contributions, the log's leaf of the
pool, which names that root, and the path of that leaf to a signed head.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tanpuhui.books.transparency.domain.canonical import (
    NotCanonical,
    canonical,
    parse,
)
from tanpuhui.books.transparency.domain.certificates import (
    SOUND,
    Check,
    Proof,
    Verdict,
    in_log,
    open_files,
    proof_document,
    read_leaf,
    read_proof,
    refused,
    signature_check,
)
from tanpuhui.books.transparency.domain.contributions import CONTRIBUTION_FORMAT
from tanpuhui.books.transparency.domain.heads import (
    Head,
    HeadSignature,
    Malformed,
    check_signatures,
    exact_members,
    read_count,
    read_hash,
)
from tanpuhui.books.transparency.domain.leaves import LeafKind
from tanpuhui.books.transparency.domain.merkle import leaf_hash, verify_inclusion

POOL_INCLUSION_FORMAT = "tanpuhui-pool-inclusion/1"

PATH_MAX = 64

_ACCOUNT = re.compile(r"\d{10,18}", re.ASCII)
_GRAMS = re.compile(r"[1-9]\d{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Inclusion:
    contribution: Mapping[str, str]
    index: int
    path: tuple[bytes, ...]
    leaf: bytes
    people: int
    root: bytes
    proof: Proof


def build_pool_inclusion(
    *,
    contribution: Mapping[str, object],
    index: int,
    path: Sequence[bytes],
    leaf: bytes,
    leaf_index: int,
    leaf_path: Sequence[bytes],
    head: Head,
    signatures: Mapping[str, HeadSignature],
) -> bytes:
    """Return `pool-inclusion.json`, as canonical JSON. `leaf` are the bytes of the pool's leaf in the log."""
    return canonical(
        {
            "format": POOL_INCLUSION_FORMAT,
            "contribution": dict(contribution),
            "contribution_index": index,
            "contribution_path": [step.hex() for step in path],
            "leaf": parse(leaf),
            "proof": proof_document(leaf_index=leaf_index, path=leaf_path, head=head, signatures=signatures),
        }
    )


def verify_pool_inclusion(file_json: bytes, keys_json: bytes) -> Verdict:
    """Check an inclusion file against a published key set, without network, database or clock.

    `Verdict.certificate` is the contribution with the pool's number of `people`. Every member is hashed, signed
    or decides a path, so a change of any is refused.
    """
    opened = open_files(file_json, keys_json, name_zh="证明文件")
    if isinstance(opened, Verdict):
        return opened
    document, keys = opened
    try:
        found = _read(document)
    except (Malformed, NotCanonical) as error:
        return refused(
            True,
            Check(
                "FORMAT",
                False,
                f"证明内容不符合格式：{error}。",
                f"The file departs from its format: {error}.",
            ),
        )
    head = found.proof.head
    checks = (
        SOUND,
        _in_pool(found),
        _in_log(found),
        *(signature_check(finding) for finding in check_signatures(head, found.proof.signatures, keys)),
    )
    return Verdict(
        valid=all(check.ok for check in checks),
        usable=True,
        as_of_head=head.number,
        size=head.size,
        checks=checks,
        certificate={**found.contribution, "people": found.people},
    )


def _in_pool(found: _Inclusion) -> Check:
    included = verify_inclusion(
        hashed=leaf_hash(canonical(found.contribution)),
        index=found.index,
        size=found.people,
        path=found.path,
        root=found.root,
    )
    if included:
        zh = f"这份减排量是归集中 {found.people} 份里的第 {found.index} 份（从 0 数起）。"
        en = f"The contribution is number {found.index} (from 0) of {found.people} in the pool."
    else:
        zh = "这份减排量不在归集的树根之下：内容或路径被改动过。"
        en = "The contribution is not under the pool's root: its content or its path was changed."
    return Check("IN_POOL", included, zh, en)


def _in_log(found: _Inclusion) -> Check:
    proof = found.proof
    included = in_log(found.leaf, proof)
    if included:
        zh = f"归集是公开日志的第 {proof.index} 号叶，由第 {proof.head.number} 号树头（共 {proof.head.size} 叶）覆盖。"
        en = f"The pool is leaf {proof.index} under head {proof.head.number}, which covers {proof.head.size} leaves."
    else:
        zh = "归集与公开日志不符：内容或证明路径被改动过。"
        en = "The pool is not what the public log holds: its content or its path was changed."
    return Check("INCLUDED", included, zh, en)


def _read(document: object) -> _Inclusion:
    names = {"format", "contribution", "contribution_index", "contribution_path", "leaf", "proof"}
    file = exact_members(document, names, "$")
    if file["format"] != POOL_INCLUSION_FORMAT:
        raise Malformed(f"$.format is {POOL_INCLUSION_FORMAT}")
    contribution = _read_contribution(file["contribution"])
    leaf = read_leaf(file["leaf"], LeafKind.POOL)
    payload = leaf["payload"]
    if not isinstance(payload, dict):
        raise Malformed("leaf.payload is an object")
    for name in ("scenario", "month"):
        if payload.get(name) != contribution[name]:
            raise Malformed(f"contribution.{name} is that of the pool")
    pooled = exact_members(
        payload.get("contributions"), {"root", "people", "grams"}, "leaf.payload.contributions"
    )
    path = file["contribution_path"]
    if not isinstance(path, list) or len(path) > PATH_MAX:
        raise Malformed(f"contribution_path is a list of at most {PATH_MAX} hashes")
    return _Inclusion(
        contribution=contribution,
        index=read_count(file["contribution_index"], "contribution_index", least=0),
        path=tuple(bytes.fromhex(read_hash(step, "contribution_path")) for step in path),
        leaf=canonical(leaf),
        people=read_count(pooled["people"], "leaf.payload.contributions.people", least=1),
        root=bytes.fromhex(read_hash(pooled["root"], "leaf.payload.contributions.root")),
        proof=read_proof(file["proof"]),
    )


def _read_contribution(document: object) -> dict[str, str]:
    names = {"account", "format", "grams", "month", "salt", "scenario"}
    members = exact_members(document, names, "contribution")
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    if len(texts) != len(names):
        raise Malformed("contribution has only texts")
    if texts["format"] != CONTRIBUTION_FORMAT:
        raise Malformed(f"contribution.format is {CONTRIBUTION_FORMAT}")
    if not _ACCOUNT.fullmatch(texts["account"]) or not _GRAMS.fullmatch(texts["grams"]):
        raise Malformed("contribution.account and contribution.grams are digits")
    read_hash(texts["salt"], "contribution.salt")
    return texts
