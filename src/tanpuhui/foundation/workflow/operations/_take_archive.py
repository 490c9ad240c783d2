from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow.queries import archive_content


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTaken:
    """The package that was handed out, by the hash of its index."""

    case_id: int
    number: str
    index_sha256: str


@operation(roles=set(), subject="case:{case_id}")
def take_archive(*, actor: Actor, at: datetime, idempotency_key: str | None, case_id: int) -> ArchiveTaken:
    """Record that the archive package of a closed case is handed out (归档包下载); who may see the case is for the page to say.

    Raises NotFound, CaseRuns.
    """
    content = archive_content(case_id)
    return ArchiveTaken(
        case_id=case_id, number=content.number, index_sha256=hashlib.sha256(content.index_bytes).hexdigest()
    )
