"""One small signed log with a certificate in it, made without a database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from tanpuhui.books.transparency.domain import merkle
from tanpuhui.books.transparency.domain.canonical import instant
from tanpuhui.books.transparency.domain.certificates import (
    build_bundle,
    build_pending_bundle,
    certificate_payload,
)
from tanpuhui.books.transparency.domain.heads import Head, HeadSignature
from tanpuhui.books.transparency.domain.leaves import LeafKind, leaf_bytes
from tanpuhui.foundation.keys.adapters.software_signers import Ed25519Signer, Sm2Signer
from tanpuhui.foundation.keys.domain import KEY_SET_FORMAT, Signer

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SIGNERS: tuple[Signer, ...] = (
    Ed25519Signer(key_id="ed25519-sample", private_key=b"\x11" * 32),
    Sm2Signer(key_id="sm2-sm3-sample", private_key=b"\x22" * 32),
)
PAYLOAD_ARGUMENTS: dict[str, Any] = {
    "number": "C-2026-000017",
    "jurisdiction": "370000",
    "unit_code": "U-1",
    "unit_name": "碳普惠核证减排量",
    "quantity_t": 30,
    "serial_ranges": [("I-2026-0001", 101, 120), ("I-2026-0002", 1, 10)],
    "project_code": "PRJ-9",
    "project_name": "公共出行（2026 年第一期）",
    "methodology_code": "M-BUS",
    "methodology_version": "1.0",
    "vintage": "2026",
    "beneficiary": {"kind": "organisation", "code": "91370000000000000X", "name": "某会议组委会"},
    "purpose_code": "event",
    "purpose_text": "大型活动碳中和",
    "retired_on": date(2026, 11, 20),
    "holder_code": "91370000000000001X",
    "holder_name": "某公司",
}


@dataclass(frozen=True)
class Sample:
    bundle: bytes
    pending: bytes
    keys: bytes


def key_set(signers: tuple[Signer, ...] = SIGNERS, **changed: object) -> bytes:
    return json.dumps(
        {
            "format": KEY_SET_FORMAT,
            "keys": [
                {
                    "key_id": one.key_id,
                    "algorithm": one.algorithm,
                    "public_key": one.public_key.hex(),
                    "valid_from": None,
                    "valid_to": None,
                    **changed,
                }
                for one in signers
            ],
        }
    ).encode()


def sign(head: Head, signers: tuple[Signer, ...] = SIGNERS) -> dict[str, HeadSignature]:
    return {one.algorithm: HeadSignature(one.key_id, one.sign(head.signed_bytes()).hex()) for one in signers}


@cache
def sample(size: int = 7, index: int = 4) -> Sample:
    leaf = leaf_bytes(
        kind=LeafKind.RETIREMENT,
        subject="C-2026-000017",
        recorded_at=AT,
        payload=certificate_payload(**PAYLOAD_ARGUMENTS),
    )
    leaves = [
        leaf
        if position == index
        else leaf_bytes(kind=LeafKind.POSTING, subject=str(position), recorded_at=AT, payload={})
        for position in range(size)
    ]
    frontier, nodes = merkle.Frontier(), {}
    for one in leaves:
        nodes.update(frontier.append(merkle.leaf_hash(one)))
    previous = merkle.root_at(size // 2, nodes.__getitem__)
    head = Head("ab" * 32, 12, size, frontier.root().hex(), size // 2, previous.hex(), instant(AT))
    return Sample(
        bundle=build_bundle(
            leaf=leaf,
            leaf_index=index,
            path=merkle.inclusion_path(index, size, nodes.__getitem__),
            head=head,
            signatures=sign(head),
        ),
        pending=build_pending_bundle(leaf=leaf),
        keys=key_set(),
    )
