"""Leaves and commitments to persons."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tanpuhui.books.transparency.domain.canonical import NotCanonical
from tanpuhui.books.transparency.domain.leaves import LeafKind, commit_person, leaf_bytes, opens_commitment

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_the_kinds_are_the_acts_that_the_log_commits_to() -> None:
    assert {kind.value for kind in LeafKind} == {
        "filing",
        "file",
        "posting",
        "pool",
        "verification",
        "issuance",
        "transfer",
        "freeze",
        "retirement",
        "cancellation",
        "erasure",
    }


def test_a_leaf_holds_kind_subject_time_and_payload() -> None:
    leaf = leaf_bytes(kind=LeafKind.POOL, subject="P-1", recorded_at=AT, payload={"t": 3})
    assert json.loads(leaf) == {
        "format": "tanpuhui-leaf/1",
        "kind": "pool",
        "subject": "P-1",
        "recorded_at": "2026-11-20T02:00:00.000000Z",
        "payload": {"t": 3},
    }


def test_an_unknown_kind_and_a_binary_float_are_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        leaf_bytes(kind="gossip", subject="1", recorded_at=AT, payload={})  # type: ignore[arg-type]
    with pytest.raises(NotCanonical):
        leaf_bytes(kind=LeafKind.POOL, subject="1", recorded_at=AT, payload={"t": 0.5})


def test_a_commitment_opens_with_its_text_and_salt_only() -> None:
    salt = bytes(range(32))
    commitment = commit_person(text="张三 370102199001011234", salt=salt)
    assert opens_commitment(commitment=commitment, text="张三 370102199001011234", salt=salt)
    assert not opens_commitment(commitment=commitment, text="李四 370102199001011234", salt=salt)
    assert not opens_commitment(commitment=commitment, text="张三 370102199001011234", salt=bytes(32))
    assert not opens_commitment(commitment=commitment, text="张三 370102199001011234", salt=salt[:31])


def test_equal_persons_under_two_salts_cannot_be_linked() -> None:
    assert commit_person(text="张三", salt=bytes(32)) != commit_person(text="张三", salt=b"\x01" * 32)


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit_person(text="张三", salt=b"short")
