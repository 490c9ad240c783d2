"""What the public log answers: leaves, heads, proofs, certificate bundles, and whether it is consistent.

The pure names that other rooms need to fill a leaf are given here too: `certificate_payload`, `commit_person`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import connection

from tanpuhui.books.transparency.domain import merkle
from tanpuhui.books.transparency.domain.canonical import instant, parse
from tanpuhui.books.transparency.domain.certificates import (
    Check,
    Verdict,
    build_bundle,
    build_pending_bundle,
    certificate_payload,
    verify_certificate,
)
from tanpuhui.books.transparency.domain.contributions import (
    PART_LEAVES,
    ContributionLeaves,
    Part,
    contribution_path,
    parts_of,
)
from tanpuhui.books.transparency.domain.heads import Head as HeadContent
from tanpuhui.books.transparency.domain.heads import HeadSignature, SignedHead, check_signatures, read_head
from tanpuhui.books.transparency.domain.leaves import (
    SALT_BYTES,
    LeafKind,
    commit_person,
    leaf_bytes,
    opens_commitment,
)
from tanpuhui.books.transparency.domain.merkle import Coordinate, path_sides
from tanpuhui.books.transparency.domain.pool_inclusion import build_pool_inclusion, verify_pool_inclusion
from tanpuhui.books.transparency.models import Head, Leaf, Node
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.keys.queries import PublishedKey, parse_key_set, published_key_set

__all__ = [
    "PART_LEAVES",
    "SALT_BYTES",
    "Check",
    "ConsistencyProof",
    "ContributionLeaves",
    "InclusionProof",
    "LeafKind",
    "LeafView",
    "Part",
    "ProofPending",
    "SignedHead",
    "Verdict",
    "breaches",
    "certificate_bundle",
    "certificate_payload",
    "commit_person",
    "consistency_proof",
    "contribution_path",
    "contributions_root",
    "head",
    "head_before",
    "head_covering",
    "heads",
    "inclusion_proof",
    "leaf",
    "leaf_hash_of",
    "leaf_of",
    "log_is_consistent",
    "only_appended",
    "opens_commitment",
    "parts_of",
    "path_sides",
    "pool_inclusion",
    "read_nodes",
    "verify_certificate",
    "verify_pool_inclusion",
    "waiting_since",
]


class ProofPending(Refusal):
    """No head covers the leaf yet."""

    code = "PROOF_PENDING"
    zh = "证明待生成：公开日志的树头尚未覆盖第 {leaf_id} 号记录，请稍后再试。"
    en = "Proof pending: no head of the public log covers record {leaf_id} yet. Try again shortly."
    retryable = True


@dataclass(frozen=True, slots=True)
class LeafView:
    """One leaf. `index` is None until the sequencer has placed it; from then on a head covers it."""

    id: int
    kind: str
    subject: str
    recorded_at: datetime
    payload: Mapping[str, Any]
    content: bytes
    index: int | None

    @property
    def state(self) -> str:
        """Return `pending` or `sequenced`."""
        return "pending" if self.index is None else "sequenced"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf stands at an index in the tree of a size (RFC 9162, 2.1.3). Hashes are hexadecimal, leaf end first."""

    leaf_hash: str
    leaf_index: int
    size: int
    root: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of the new size only appended to the old one (RFC 9162, 2.1.4). Hashes are hexadecimal."""

    old_size: int
    old_root: str
    new_size: int
    new_root: str
    path: tuple[str, ...]


def leaf(leaf_id: int) -> LeafView | None:
    """Return a leaf by its id."""
    return _view(Leaf.objects.filter(pk=leaf_id).first())


def leaf_hash_of(*, leaf_id: int) -> str:
    """Return the hash of a leaf's stored bytes, in hexadecimal; raises NotFound."""
    content = Leaf.objects.filter(pk=leaf_id).values_list("leaf_bytes", flat=True).first()
    if content is None:
        raise NotFound(what="日志记录 / log record", id=leaf_id)
    return merkle.leaf_hash(bytes(content)).hex()


def leaf_of(*, kind: str, subject: str) -> LeafView | None:
    """Return the leaf of an act by its kind and its name within the kind."""
    return _view(Leaf.objects.filter(kind=kind, subject=subject).first())


def head(*, size: int | None = None) -> SignedHead | None:
    """Return the head over exactly `size` leaves, or the latest one."""
    rows = Head.objects.all() if size is None else Head.objects.filter(size=size)
    row = rows.order_by("-number").first()
    return None if row is None else signed_head(row)


def heads(*, before: int | None = None, limit: int = 50) -> tuple[SignedHead, ...]:
    """Return signed heads, newest first, those with a number below `before` if it is given."""
    rows = Head.objects.all() if before is None else Head.objects.filter(number__lt=before)
    return tuple(signed_head(row) for row in rows.order_by("-number")[:limit])


def head_covering(*, leaf_id: int) -> SignedHead | None:
    """Return the first head that covers a leaf, None while the leaf waits."""
    index = Leaf.objects.filter(pk=leaf_id).values_list("index", flat=True).first()
    row = None if index is None else Head.objects.filter(size__gt=index).order_by("number").first()
    return None if row is None else signed_head(row)


def head_before(*, number: int) -> SignedHead | None:
    """Return the head that was signed before the one of this number, None before the first."""
    row = Head.objects.filter(number__lt=number).order_by("-number").first()
    return None if row is None else signed_head(row)


def only_appended(*, earlier: SignedHead, later: SignedHead) -> bool:
    """Say whether the log of the later head only appended to that of the earlier one.

    The proof is made from the stored nodes and judged against both signed roots; the earlier head's signatures count
    too, since a head that anybody could have written proves nothing.
    """
    keys = parse_key_set(published_key_set())
    if any(found.trouble for found in check_signatures(earlier.head, earlier.signatures, keys)):
        return False
    try:
        proof = consistency_proof(old_size=earlier.head.size, new_size=later.head.size)
    except (NotFound, LookupError):
        return False
    return merkle.verify_consistency(
        old_size=earlier.head.size,
        old_root=bytes.fromhex(earlier.head.root),
        new_size=later.head.size,
        new_root=bytes.fromhex(later.head.root),
        path=[bytes.fromhex(step) for step in proof.path],
    )


def waiting_since() -> datetime | None:
    """Return when the oldest leaf that no head covers yet was recorded, None when nothing waits."""
    return (
        Leaf.objects.filter(index__isnull=True).order_by("id").values_list("recorded_at", flat=True).first()
    )


def inclusion_proof(*, leaf_id: int, size: int | None = None) -> InclusionProof:
    """Return the proof of a leaf in the tree of the latest head, or of `size` leaves; raises NotFound, ProofPending."""
    row = Leaf.objects.filter(pk=leaf_id).first()
    if row is None:
        raise NotFound(what="日志记录 / log record", id=leaf_id)
    size = _size(size)
    if row.index is None or row.index >= size:
        raise ProofPending(leaf_id=leaf_id)
    ranges = merkle.inclusion_ranges(row.index, size)
    nodes = read_nodes([*merkle.nodes_of_ranges(ranges), *merkle.perfect_nodes(0, size)])
    return InclusionProof(
        leaf_hash=bytes(row.leaf_hash).hex(),
        leaf_index=row.index,
        size=size,
        root=merkle.root_at(size, nodes.__getitem__).hex(),
        path=tuple(step.hex() for step in merkle.inclusion_path(row.index, size, nodes.__getitem__)),
    )


def consistency_proof(*, old_size: int, new_size: int | None = None) -> ConsistencyProof:
    """Return the proof that the log of `new_size` (the latest head) extends that of `old_size`; raises NotFound."""
    new_size = _size(new_size)
    if not 0 < old_size <= new_size:
        raise NotFound(what="树大小 / tree size", id=old_size)
    ranges = merkle.consistency_ranges(old_size, new_size)
    nodes = read_nodes(
        [
            *merkle.nodes_of_ranges(ranges),
            *merkle.perfect_nodes(0, old_size),
            *merkle.perfect_nodes(0, new_size),
        ]
    )
    return ConsistencyProof(
        old_size=old_size,
        old_root=merkle.root_at(old_size, nodes.__getitem__).hex(),
        new_size=new_size,
        new_root=merkle.root_at(new_size, nodes.__getitem__).hex(),
        path=tuple(step.hex() for step in merkle.consistency_path(old_size, new_size, nodes.__getitem__)),
    )


def certificate_bundle(*, leaf_id: int) -> bytes:
    """Return `certificate.json` of a retirement leaf, with its proof under the latest head or as pending; raises NotFound."""
    row = Leaf.objects.filter(pk=leaf_id, kind=LeafKind.RETIREMENT.value).first()
    if row is None:
        raise NotFound(what="注销记录 / retirement record", id=leaf_id)
    latest = head()
    if row.index is None or latest is None or row.index >= latest.head.size:
        return build_pending_bundle(leaf=bytes(row.leaf_bytes))
    proof = inclusion_proof(leaf_id=leaf_id, size=latest.head.size)
    return build_bundle(
        leaf=bytes(row.leaf_bytes),
        leaf_index=proof.leaf_index,
        path=[bytes.fromhex(step) for step in proof.path],
        head=latest.head,
        signatures=latest.signatures,
    )


def contributions_root(part_roots: Iterable[bytes]) -> bytes:
    """Return the root over a pool's contributions from the roots of its parts in order."""
    return merkle.root_of(part_roots)


def pool_inclusion(
    *, leaf_id: int, contribution: Mapping[str, object], index: int, path: Sequence[bytes]
) -> bytes:
    """Return `pool-inclusion.json` of a contribution under the latest head; raises NotFound, ProofPending.

    `leaf_id` is the pool's leaf; `index` and `path` prove the contribution under the root that the leaf names.
    """
    proof = inclusion_proof(leaf_id=leaf_id)
    signed = head(size=proof.size)
    row = Leaf.objects.filter(pk=leaf_id, kind=LeafKind.POOL.value).first()
    if row is None or signed is None:
        raise NotFound(what="归集记录 / pool record", id=leaf_id)
    return build_pool_inclusion(
        contribution=contribution,
        index=index,
        path=path,
        leaf=bytes(row.leaf_bytes),
        leaf_index=proof.leaf_index,
        leaf_path=[bytes.fromhex(step) for step in proof.path],
        head=signed.head,
        signatures=signed.signatures,
    )


def read_nodes(coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
    """Return the hashes of perfect nodes, leaves being level 0, in one query; raises KeyError through a missing one."""
    wanted = sorted(set(coordinates))
    with connection.cursor() as cursor:
        cursor.execute(
            "with wanted as (select * from unnest(%s::int[], %s::bigint[]) as wanted (level, index))"
            " select wanted.level, wanted.index, leaf.leaf_hash from wanted"
            " join transparency_leaf as leaf on leaf.index = wanted.index where wanted.level = 0"
            " union all select wanted.level, wanted.index, node.node_hash from wanted"
            " join transparency_node as node on node.level = wanted.level and node.index = wanted.index",
            [[level for level, _ in wanted], [index for _, index in wanted]],
        )
        return {(level, index): bytes(hashed) for level, index, hashed in cursor.fetchall()}


def signed_head(row: Head) -> SignedHead:
    """Return a stored head as it was signed; raises Unreadable or Malformed when its bytes were damaged."""
    return SignedHead(
        head=read_head(parse(bytes(row.head_bytes))),
        signatures={algorithm: HeadSignature(**signature) for algorithm, signature in row.signatures.items()},
    )


def breaches() -> Iterator[Breach]:
    """Yield what is wrong with the log: leaves, stored nodes, heads and signatures, all recomputed from the leaves.

    Every leaf is hashed again and every root folded again from nothing, so it reads the whole log.
    """
    keys = parse_key_set(published_key_set())
    roots: dict[int, bytes] = {}
    sizes = set(Head.objects.values_list("size", flat=True))
    frontier = merkle.Frontier()
    stored = Node.objects.count()
    completed: dict[Coordinate, bytes] = {}
    for row in Leaf.objects.filter(index__isnull=False).order_by("index").iterator(chunk_size=2_000):
        yield from _leaf_breaches(row, place=frontier.size)
        grown = frontier.append(merkle.leaf_hash(bytes(row.leaf_bytes)))
        completed.update(grown[1:])
        if len(completed) >= 5_000:
            yield from _node_breaches(completed)
            stored -= len(completed)
            completed.clear()
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    yield from _node_breaches(completed)
    if stored != len(completed):
        yield Breach(
            "transparency.nodes_are_the_tree", "nodes", f"{stored - len(completed):+} nodes beside the tree"
        )
    yield from _head_breaches(roots, covered=frontier.size, keys=keys)


def log_is_consistent() -> list[Breach]:
    """Return every breach of the log; an empty list means that it holds."""
    return list(breaches())


def _leaf_breaches(row: Leaf, *, place: int) -> Iterator[Breach]:
    subject = f"leaf:{row.pk}"
    if row.index != place:
        yield Breach(
            "transparency.indexes_are_contiguous", subject, f"index {row.index} where {place} comes next"
        )
    content = bytes(row.leaf_bytes)
    if merkle.leaf_hash(content) != bytes(row.leaf_hash):
        yield Breach("transparency.leaf_has_its_hash", subject, "stored hash is not that of the stored bytes")
    try:
        document = cast("dict[str, Any]", parse(content))
        again = leaf_bytes(
            kind=LeafKind(row.kind),
            subject=row.subject,
            recorded_at=row.recorded_at,
            payload=document["payload"],
        )
    except (ValueError, LookupError, TypeError) as error:
        yield Breach("transparency.leaf_is_canonical", subject, str(error))
        return
    if again != content:
        yield Breach("transparency.leaf_is_canonical", subject, "columns and canonical bytes disagree")


def _node_breaches(completed: Mapping[Coordinate, bytes]) -> Iterator[Breach]:
    found = read_nodes(completed)
    for place, hashed in completed.items():
        if found.get(place) != hashed:
            yield Breach(
                "transparency.nodes_are_the_tree",
                f"node:{place[0]}:{place[1]}",
                "stored node is not that of its leaves",
            )


def _head_breaches(
    roots: Mapping[int, bytes], *, covered: int, keys: Mapping[str, PublishedKey]
) -> Iterator[Breach]:
    number, size, root, log_id = 0, 0, merkle.EMPTY_ROOT.hex(), None
    before: datetime | None = None
    for row in Head.objects.order_by("number").iterator():
        subject = f"head:{row.number}"
        try:
            signed = signed_head(row)
        except (ValueError, TypeError, AttributeError) as error:
            yield Breach("transparency.head_is_canonical", subject, str(error))
            continue
        content = signed.head
        if not _columns_agree(row, content):
            yield Breach("transparency.head_is_canonical", subject, "columns and signed bytes disagree")
        follows = (content.number, content.previous_size, content.previous_root, content.log_id)
        if follows != (number + 1, size, root, log_id or content.log_id):
            yield Breach("transparency.heads_are_one_chain", subject, f"does not follow head {number}")
        if before is not None and row.signed_at < before:
            yield Breach("transparency.heads_go_forward_in_time", subject, f"signed before head {number}")
        before = row.signed_at
        recomputed = roots.get(content.size, b"").hex()
        if recomputed != content.root:
            yield Breach(
                "transparency.root_commits_to_leaves",
                subject,
                f"leaves give {recomputed}, signed {content.root}",
            )
        for finding in check_signatures(content, signed.signatures, keys):
            if finding.trouble is not None:
                yield Breach(
                    "transparency.head_is_signed", subject, f"{finding.algorithm}: {finding.trouble}"
                )
        number, size, root, log_id = content.number, content.size, content.root, content.log_id
    if covered != size:
        yield Breach(
            "transparency.heads_cover_leaves",
            f"head:{number}",
            f"covers {size} of {covered} sequenced leaves",
        )


def _columns_agree(row: Head, content: HeadContent) -> bool:
    columns = (row.number, row.size, bytes(row.root).hex(), row.previous_size, bytes(row.previous_root).hex())
    signed = (content.number, content.size, content.root, content.previous_size, content.previous_root)
    exact = content.signed_bytes() == bytes(row.head_bytes)
    return exact and columns == signed and instant(row.signed_at) == content.signed_at


def _size(size: int | None) -> int:
    latest = head()
    covered = latest.head.size if latest else 0
    if size is not None and not 0 < size <= covered:
        raise NotFound(what="树大小 / tree size", id=size)
    return covered if size is None else size


def _view(row: Leaf | None) -> LeafView | None:
    if row is None:
        return None
    content = bytes(row.leaf_bytes)
    document = cast("dict[str, Any]", parse(content))
    return LeafView(row.pk, row.kind, row.subject, row.recorded_at, document["payload"], content, row.index)
