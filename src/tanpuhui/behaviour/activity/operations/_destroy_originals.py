"""The end of an original file's retention (原始文件销毁): its key is destroyed, its hash stays with batch and public log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from tanpuhui.books.transparency.operations import LeafKind, append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import destroy_document, remove_left_bytes
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.rulebook import queries as rulebook

ORIGINALS_MAX = 500

_DUE = """
select b.file_sha256, array_agg(b.id order by b.id) from activity_batch b
join documents_documentkey k on k.document_id = b.file_sha256 and k.sealed_key is not null
group by b.file_sha256 having bool_and(b.state <> 'received' and b.received_at < %s) order by min(b.id) limit %s
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class OriginalsDestroyed:
    """How many original files lost their key in this run, and before which moment they had come in."""

    before: datetime
    originals: int

    @property
    def more(self) -> bool:
        """Say whether another run may find more."""
        return self.originals >= ORIGINALS_MAX


@operation(roles={Role.SYSTEM}, subject="originals:{before}")
def destroy_originals(*, actor: Actor, at: datetime) -> OriginalsDestroyed:
    """Destroy the keys of original files that were kept for `intake.original_retention_days`, some hundreds at once.

    A file that several partners sent goes when the last of their batches is old enough; one that is not settled stays. Each gets a leaf of
    the public log with its hash, so that the file can still be shown to be the one, should its sender have kept it.
    While the rule is unset nothing is destroyed. Raises NotPermitted.
    """
    rule = rulebook.parameter(key="intake.original_retention_days", at=at)
    if rule.value is None:
        return OriginalsDestroyed(before=at, originals=0)
    before = at - timedelta(days=int(rule.value))
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [before, ORIGINALS_MAX])
        due = [(sha256, list(batches)) for sha256, batches in cursor.fetchall()]
    for sha256, batches in due:
        destroy_document(sha256=sha256, at=at)
        append_leaf(
            kind=LeafKind.ERASURE,
            subject=f"batch:{batches[0]}",
            payload={"sha256": sha256, "batches": batches, "rule": "intake.original_retention_days"},
            at=at,
        )
    remove_left_bytes()
    return OriginalsDestroyed(before=before, originals=len(due))
