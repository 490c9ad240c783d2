"""Reads of the audit record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.models import AuditRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of a timeline: what was done, by whom, when."""

    operation: str
    actor_kind: str
    actor_id: str
    at: datetime


def timeline(*, subject: str, limit: int = 100) -> tuple[AuditLine, ...]:
    """Return what happened to a subject (`certificate:…`), newest first."""
    rows = AuditRecord.objects.filter(subject=subject).order_by("-id")[:limit]
    return tuple(
        AuditLine(operation=row.operation, actor_kind=row.actor_kind, actor_id=row.actor_id, at=row.at)
        for row in rows
    )
