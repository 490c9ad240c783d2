"""Give the waiting leaves their places in the tree and sign one head over them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from tanpuhui.books.transparency.domain.canonical import instant
from tanpuhui.books.transparency.domain.heads import Head as HeadContent
from tanpuhui.books.transparency.domain.heads import sign_head
from tanpuhui.books.transparency.domain.merkle import EMPTY_ROOT, Frontier, perfect_nodes
from tanpuhui.books.transparency.models import Head, Leaf, Node
from tanpuhui.books.transparency.queries import head as latest_head
from tanpuhui.books.transparency.queries import read_nodes
from tanpuhui.foundation.keys.queries import signers
from tanpuhui.foundation.persistence.locks import limit_lock_wait, lock_names

SEQUENCER_LOCK = "transparency:sequencer"


@dataclass(frozen=True, slots=True)
class LeavesSequenced:
    """One head was signed: its number, the leaves it covers, and how many of them are new."""

    number: int
    size: int
    added: int


def sequence_leaves(*, at: datetime) -> LeavesSequenced | None:
    """Order the unsequenced leaves by id, extend the tree, sign one head at `at`, or at the last head's moment if that is later (RFC 6962 section 3.5); None when nothing is waiting.

    One sequencer works at a time; another waits its turn. It opens its own durable transaction and raises RuntimeError
    inside another, because a head over leaves that roll back would be a lie with a signature.
    """
    with transaction.atomic(durable=True):
        limit_lock_wait()
        lock_names(SEQUENCER_LOCK)
        waiting = list(Leaf.objects.filter(index__isnull=True).order_by("id").values_list("id", "leaf_hash"))
        if not waiting:
            return None
        last = latest_head()
        size = last.head.size if last else 0
        edge = perfect_nodes(0, size)
        # A reader takes the later head for the newer state, so a clock that was set back does not reach what is signed.
        signed_at = max(at, Head.objects.latest("number").signed_at) if last else at
        read = read_nodes(edge)
        frontier = Frontier(size, [read[node] for node in edge])
        _write_indexes([leaf_id for leaf_id, _ in waiting], first=size)
        _write_nodes(frontier, [bytes(hashed) for _, hashed in waiting])
        content = HeadContent(
            log_id=last.head.log_id if last else hashlib.sha256(signers()[0].public_key).hexdigest(),
            number=last.head.number + 1 if last else 1,
            size=frontier.size,
            root=frontier.root().hex(),
            previous_size=size,
            previous_root=last.head.root if last else EMPTY_ROOT.hex(),
            signed_at=instant(signed_at),
        )
        _write_head(content, at=signed_at)
    return LeavesSequenced(number=content.number, size=content.size, added=len(waiting))


def _write_indexes(leaf_ids: Sequence[int], *, first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update transparency_leaf as leaf set index = place.index"
            " from unnest(%s::bigint[], %s::bigint[]) as place (id, index) where leaf.id = place.id",
            [list(leaf_ids), list(range(first, first + len(leaf_ids)))],
        )


def _write_nodes(frontier: Frontier, hashes: Sequence[bytes]) -> None:
    """Extend the tree and store every full subtree of two leaves or more that this completes."""
    completed = (
        Node(level=level, index=index, node_hash=hashed)
        for leaf in hashes
        for (level, index), hashed in frontier.append(leaf)
        if level > 0
    )
    Node.objects.bulk_create(completed, batch_size=5_000)


def _write_head(content: HeadContent, *, at: datetime) -> None:
    signed = sign_head(content, signers())
    Head.objects.create(
        number=content.number,
        size=content.size,
        root=bytes.fromhex(content.root),
        previous_size=content.previous_size,
        previous_root=bytes.fromhex(content.previous_root),
        signed_at=at.astimezone(UTC),
        head_bytes=content.signed_bytes(),
        signatures=signed.signatures_as_dict(),
    )
