"""The public log in the database: leaves join their act, the sequencer orders them, proofs come out of stored nodes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django.fixtures import DjangoAssertNumQueries
from tests.unit.books.transparency.samples import PAYLOAD_ARGUMENTS

from tanpuhui.books.transparency import queries
from tanpuhui.books.transparency.domain import merkle
from tanpuhui.books.transparency.domain.canonical import NotCanonical
from tanpuhui.books.transparency.models import Head, Leaf, Node
from tanpuhui.books.transparency.operations import (
    LeafExists,
    LeafKind,
    NewLeaf,
    _sequence_leaves,
    append_leaf,
    append_leaves,
    sequence_leaves,
)
from tanpuhui.books.transparency.queries import ProofPending, certificate_payload, verify_certificate
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.adapters.key_files import rotate
from tanpuhui.foundation.keys.queries import published_key_set

pytestmark = pytest.mark.django_db


def _append(count: int, at: datetime, *, first: int = 0) -> list[int]:
    return append_leaves(
        leaves=[NewLeaf("posting", str(number), {"n": number}) for number in range(first, first + count)],
        at=at,
    )


def test_a_leaf_waits_until_it_is_sequenced(now: datetime) -> None:
    leaf_id = append_leaf(kind=LeafKind.POOL, subject="P-1", payload={"t": 3}, at=now)
    waiting = queries.leaf(leaf_id)
    assert waiting is not None
    assert (waiting.state, waiting.index, waiting.payload) == ("pending", None, {"t": 3})
    with pytest.raises(ProofPending):
        queries.inclusion_proof(leaf_id=leaf_id)

    done = sequence_leaves(at=now)
    assert done is not None
    assert (done.number, done.size, done.added) == (1, 1, 1)
    placed = queries.leaf_of(kind="pool", subject="P-1")
    assert placed is not None
    assert (placed.id, placed.state, placed.index) == (leaf_id, "sequenced", 0)


def test_an_act_is_recorded_once(now: datetime) -> None:
    append_leaf(kind="pool", subject="P-1", payload={}, at=now)
    with pytest.raises(LeafExists, match="P-1"):
        append_leaf(kind="pool", subject="P-1", payload={}, at=now)
    with pytest.raises(LeafExists, match="P-2"):
        append_leaves(leaves=[NewLeaf("pool", "P-2", {}), NewLeaf("pool", "P-2", {})], at=now)
    append_leaf(kind="issuance", subject="P-1", payload={}, at=now)


def test_an_inexact_payload_and_an_unknown_kind_are_refused(now: datetime) -> None:
    with pytest.raises(NotCanonical):
        append_leaf(kind="pool", subject="P-1", payload={"t": 0.5}, at=now)
    with pytest.raises(ValueError, match="gossip"):
        append_leaf(kind="gossip", subject="P-1", payload={}, at=now)
    assert not Leaf.objects.exists()


def test_sequencing_nothing_signs_nothing(now: datetime) -> None:
    assert sequence_leaves(at=now) is None
    _append(3, now)
    assert sequence_leaves(at=now) is not None
    assert sequence_leaves(at=now) is None
    assert Head.objects.count() == 1


def test_leaves_stand_in_the_order_in_which_they_came(now: datetime) -> None:
    ids = _append(5, now)
    sequence_leaves(at=now)
    assert list(Leaf.objects.order_by("index").values_list("id", flat=True)) == ids


def test_heads_form_one_chain_and_every_proof_stands(now: datetime) -> None:
    ids: list[int] = []
    for count in (1, 2, 5, 1, 8, 3):
        ids += _append(count, now, first=len(ids))
        sequence_leaves(at=now)
    heads = queries.heads()[::-1]
    assert [one.head.size for one in heads] == [1, 3, 8, 9, 17, 20]
    assert [one.head.number for one in heads] == [1, 2, 3, 4, 5, 6]
    hashes = [bytes(one) for one in Leaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    for older in heads:
        assert older.head.root == merkle.root_of(hashes[: older.head.size]).hex()
        for index, leaf_id in enumerate(ids[: older.head.size]):
            proof = queries.inclusion_proof(leaf_id=leaf_id, size=older.head.size)
            assert (proof.leaf_index, proof.root) == (index, older.head.root)
            assert merkle.verify_inclusion(
                hashed=hashes[index],
                index=index,
                size=older.head.size,
                path=[bytes.fromhex(step) for step in proof.path],
                root=bytes.fromhex(older.head.root),
            )
        for newer in heads[older.head.number - 1 :]:
            extension = queries.consistency_proof(old_size=older.head.size, new_size=newer.head.size)
            assert (extension.old_root, extension.new_root) == (older.head.root, newer.head.root)
            assert merkle.verify_consistency(
                old_size=extension.old_size,
                old_root=bytes.fromhex(extension.old_root),
                new_size=extension.new_size,
                new_root=bytes.fromhex(extension.new_root),
                path=[bytes.fromhex(step) for step in extension.path],
            )
    assert queries.log_is_consistent() == []


def test_a_proof_reads_few_rows_of_a_long_log(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = _append(3_000, now)
    sequence_leaves(at=now)
    with django_assert_num_queries(3):
        proof = queries.inclusion_proof(leaf_id=ids[1_234])
    assert len(proof.path) == 12
    needed = [*merkle.nodes_of_ranges(merkle.inclusion_ranges(1_234, 3_000)), *merkle.perfect_nodes(0, 3_000)]
    assert len(set(needed)) <= 2 * 12


def test_what_is_not_there_is_named(now: datetime) -> None:
    leaf_id = _append(1, now)[0]
    sequence_leaves(at=now)
    later = _append(1, now, first=1)[0]
    assert queries.leaf(999_999_999) is None
    assert queries.leaf_of(kind="pool", subject="absent") is None
    assert queries.head(size=7) is None
    with pytest.raises(NotFound):
        queries.inclusion_proof(leaf_id=999_999_999)
    with pytest.raises(NotFound):
        queries.inclusion_proof(leaf_id=leaf_id, size=2)
    with pytest.raises(ProofPending):
        queries.inclusion_proof(leaf_id=later)
    with pytest.raises(NotFound):
        queries.consistency_proof(old_size=0)
    with pytest.raises(NotFound):
        queries.consistency_proof(old_size=2)
    with pytest.raises(NotFound):
        queries.certificate_bundle(leaf_id=leaf_id)


def test_a_certificate_is_pending_then_verifies_offline_and_its_old_copy_stays_good(now: datetime) -> None:
    _append(4, now)
    leaf_id = append_leaf(
        kind="retirement",
        subject=PAYLOAD_ARGUMENTS["number"],
        payload=certificate_payload(**PAYLOAD_ARGUMENTS),
        at=now,
    )
    pending = verify_certificate(queries.certificate_bundle(leaf_id=leaf_id), published_key_set())
    assert (pending.valid, pending.checks[-1].code) == (False, "PROOF_PENDING")

    sequence_leaves(at=now)
    first = queries.certificate_bundle(leaf_id=leaf_id)
    assert verify_certificate(first, published_key_set()).as_of_head == 1

    _append(9, now, first=10)
    sequence_leaves(at=now + timedelta(seconds=1))
    second = verify_certificate(queries.certificate_bundle(leaf_id=leaf_id), published_key_set())
    assert (second.valid, second.as_of_head, second.size) == (True, 2, 14)
    assert verify_certificate(first, published_key_set()).valid


def test_a_rotated_key_signs_new_heads_and_old_ones_stay_good(now: datetime) -> None:
    _append(1, now)
    sequence_leaves(at=now)
    for algorithm in ("ed25519", "sm2-sm3"):
        rotate(Path(settings.TANPUHUI_DATA_DIR) / "keys", algorithm=algorithm, at=now + timedelta(hours=1))
    _append(1, now, first=1)
    sequence_leaves(at=now + timedelta(hours=2))
    new, old = queries.heads()
    assert new.head.log_id == old.head.log_id
    assert {one.key_id for one in new.signatures.values()}.isdisjoint(
        one.key_id for one in old.signatures.values()
    )
    assert queries.log_is_consistent() == []


def test_a_published_head_is_canonical_and_complete(now: datetime) -> None:
    _append(1, now)
    sequence_leaves(at=now)
    signed = queries.head()
    assert signed is not None
    document = json.loads(signed.document())
    assert set(document) == {"head", "signatures"}
    assert set(document["signatures"]) == {"ed25519", "sm2-sm3"}
    assert document["head"]["signed_at"] == "2026-11-20T02:00:00.000000Z"


@pytest.mark.parametrize(
    "statement",
    [
        "update transparency_leaf set subject = 'x' where index = 0",
        "update transparency_leaf set index = 7 where index = 0",
        "update transparency_leaf set index = null where index = 0",
        "update transparency_leaf set subject = 'x', index = 7 where index is null",
        "update transparency_leaf set recorded_at = now() where index is null",
        "delete from transparency_leaf",
        "truncate transparency_leaf",
        (
            "insert into transparency_leaf (kind, subject, recorded_at, leaf_bytes, leaf_hash, index)"
            " select 'pool', 'x', now(), leaf_bytes, leaf_hash, 9 from transparency_leaf where index = 0"
        ),
        "update transparency_node set node_hash = '\\x00'",
        "delete from transparency_node",
        "truncate transparency_node",
        "update transparency_head set size = 9",
        "delete from transparency_head",
        "truncate transparency_head",
    ],
)
def test_the_database_refuses_to_change_the_log(now: datetime, statement: str) -> None:
    _append(2, now)
    sequence_leaves(at=now)
    _append(1, now, first=2)
    with (
        pytest.raises(DatabaseError, match="pgtrigger: Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "values",
    [
        "'pool', 'x', now(), 'bytes', '\\x00'",
        "'gossip', 'x', now(), 'bytes', sha256('\\x00'::bytea || 'bytes')",
    ],
)
def test_the_database_refuses_a_wrong_hash_and_an_unknown_kind(values: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"insert into transparency_leaf (kind, subject, recorded_at, leaf_bytes, leaf_hash) values ({values})"
        )


REWRITE = (
    (
        "update transparency_leaf set leaf_bytes = convert_to(replace(convert_from(leaf_bytes, 'UTF8'), '\"n\":3', '\"n\":4'),"
        " 'UTF8') where index = 3"
    ),
    "update transparency_leaf set leaf_hash = sha256('\\x00'::bytea || leaf_bytes) where index = 3",
)


@pytest.mark.parametrize(
    ("statements", "invariant"),
    [
        (REWRITE, "transparency.root_commits_to_leaves"),
        (REWRITE, "transparency.nodes_are_the_tree"),
        (REWRITE[:1], "transparency.leaf_has_its_hash"),
        (["update transparency_leaf set subject = 'x' where index = 1"], "transparency.leaf_is_canonical"),
        (["update transparency_leaf set leaf_bytes = 'x' where index = 1"], "transparency.leaf_is_canonical"),
        (["delete from transparency_leaf where index = 2"], "transparency.indexes_are_contiguous"),
        (["delete from transparency_leaf where index = 6"], "transparency.root_commits_to_leaves"),
        (["update transparency_node set node_hash = sha256('x') where level = 1 and index = 1"], "transparency.nodes_are_the_tree"),
        (["delete from transparency_node where level = 2"], "transparency.nodes_are_the_tree"),
        (["insert into transparency_node values (5, 9, sha256('x'))"], "transparency.nodes_are_the_tree"),
        (["delete from transparency_head where number = 1"], "transparency.heads_are_one_chain"),
        (["delete from transparency_head where number = 2"], "transparency.heads_cover_leaves"),
        (["update transparency_head set root = sha256('x') where number = 1"], "transparency.head_is_canonical"),
        (["update transparency_head set head_bytes = 'x' where number = 1"], "transparency.head_is_canonical"),
        (
            ["update transparency_head set signatures = jsonb_set(signatures, '{sm2-sm3}', '{\"key_id\": \"k\", \"signature\": \"00\"}')"],
            "transparency.head_is_signed",
        ),
        (
            ["update transparency_head set signatures = (select signatures from transparency_head where number = 2) where number = 1"],
            "transparency.head_is_signed",
        ),
    ],
)  # fmt: skip
def test_what_the_owner_role_corrupts_is_found(now: datetime, statements: list[str], invariant: str) -> None:
    _append(5, now)
    sequence_leaves(at=now)
    _append(2, now, first=5)
    sequence_leaves(at=now)
    assert queries.log_is_consistent() == []
    with connection.cursor() as cursor:
        cursor.execute("alter table transparency_leaf drop constraint transparency_leaf_hash")
        for table in (Leaf, Node, Head):
            cursor.execute(f"alter table {table._meta.db_table} disable trigger user")
        for statement in statements:
            cursor.execute(statement)
    assert invariant in {breach.invariant for breach in queries.log_is_consistent()}


def test_a_head_that_is_signed_before_the_last_one_is_found(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _append(2, now)
    sequence_leaves(at=now)
    _append(2, now, first=2)
    monkeypatch.setattr(_sequence_leaves, "max", lambda at, _: at, raising=False)
    sequence_leaves(at=now - timedelta(hours=1))
    assert [one.invariant for one in queries.breaches()] == ["transparency.heads_go_forward_in_time"]
