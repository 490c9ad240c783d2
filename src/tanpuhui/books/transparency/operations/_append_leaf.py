"""Record an act in the public log, within the transaction of the act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection
from psycopg import errors as postgres_errors

from tanpuhui.books.transparency.domain.leaves import LeafKind, leaf_bytes
from tanpuhui.books.transparency.domain.merkle import leaf_hash
from tanpuhui.books.transparency.models import Leaf
from tanpuhui.foundation.kernel.errors import Refusal


class LeafExists(Refusal):
    """The act is in the log already; an act is recorded once."""

    code = "LEAF_EXISTS"
    zh = "公开日志中已有 {kind} {subject}，同一事项只记录一次。"
    en = "The public log holds {kind} {subject} already; an act is recorded once."


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A leaf to be appended. `subject` names the act within its kind, and is used once."""

    kind: str
    subject: str
    payload: Mapping[str, object]


def append_leaf(*, kind: str, subject: str, payload: Mapping[str, object], at: datetime) -> int:
    """Append one leaf in the open transaction and return its id; raises LeafExists, NotCanonical.

    `kind` is a LeafKind or its value. The payload holds text, integers to 2^53 − 1, truth values, null, lists and
    mappings; larger integers go in as text; a natural person only as a commitment.
    """
    return append_leaves(leaves=[NewLeaf(kind, subject, payload)], at=at)[0]


def append_leaves(*, leaves: Sequence[NewLeaf], at: datetime) -> list[int]:
    """Append many leaves in the open transaction and return their ids in order; raises LeafExists, NotCanonical."""
    if not connection.in_atomic_block:
        message = "a leaf is appended inside the transaction of the act that it records"
        raise RuntimeError(message)
    rows: list[Leaf] = []
    for leaf in leaves:
        content = leaf_bytes(
            kind=LeafKind(leaf.kind), subject=leaf.subject, recorded_at=at, payload=leaf.payload
        )
        rows.append(
            Leaf(
                kind=LeafKind(leaf.kind).value,
                subject=leaf.subject,
                recorded_at=at,
                leaf_bytes=content,
                leaf_hash=leaf_hash(content),
            )
        )
    _refuse_repeated(rows)
    try:
        return [row.pk for row in Leaf.objects.bulk_create(rows, batch_size=1_000)]
    except IntegrityError as error:
        if isinstance(error.__cause__, postgres_errors.UniqueViolation):
            # Another transaction committed the same act between our look and our insert.
            detail = error.__cause__.diag.message_detail
            raise LeafExists(kind="/".join(sorted({row.kind for row in rows})), subject=detail) from error
        raise


def _refuse_repeated(rows: Sequence[Leaf]) -> None:
    """Name a repeated act before the constraint would fail the whole transaction without saying which."""
    subjects: dict[str, set[str]] = {}
    for row in rows:
        named = subjects.setdefault(row.kind, set())
        if row.subject in named:
            raise LeafExists(kind=row.kind, subject=row.subject)
        named.add(row.subject)
    for kind, named in subjects.items():
        found = Leaf.objects.filter(kind=kind, subject__in=named).values_list("subject", flat=True).first()
        if found is not None:
            raise LeafExists(kind=kind, subject=found)
