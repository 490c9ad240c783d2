"""Reads of the audit record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.models import AuditRecord, Disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of a timeline: what was done, by whom, when."""

    operation: str
    actor_kind: str
    actor_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExportLine:
    """One line of an export: what was done, by whom, about what, inside which other operation."""

    id: int
    at: datetime
    recorded_at: datetime
    operation: str
    actor_kind: str
    actor_id: str
    subject: str
    within: str


def records(*, first: datetime, before: datetime) -> Iterator[AuditExportLine]:
    """Yield what was done from one moment until before another, oldest first, without holding it all in memory."""
    rows = AuditRecord.objects.filter(at__gte=first, at__lt=before).order_by("id")
    for row in rows.defer("result", "arguments_sha256").iterator(chunk_size=2000):
        yield AuditExportLine(
            id=row.pk,
            at=row.at,
            recorded_at=row.recorded_at,
            operation=row.operation,
            actor_kind=row.actor_kind,
            actor_id=row.actor_id,
            subject=row.subject,
            within=row.within,
        )


def timeline(*, subject: str, limit: int = 100) -> tuple[AuditLine, ...]:
    """Return what happened to a subject (`certificate:…`), newest first."""
    rows = AuditRecord.objects.filter(subject=subject).order_by("-id")[:limit]
    return tuple(
        AuditLine(operation=row.operation, actor_kind=row.actor_kind, actor_id=row.actor_id, at=row.at)
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureView:
    """One handing over of a person's data: by whom, to whom, what for, on which basis, which kinds of data."""

    at: datetime
    actor: str
    recipient: str
    purpose: str
    legal_basis: str
    data_kinds: tuple[str, ...]
    subject: str


def disclosures_of(person: int) -> tuple[DisclosureView, ...]:
    """Return to whom a person's data were handed over, newest first."""
    return tuple(_disclosure(row) for row in Disclosure.objects.filter(person=person).order_by("-id"))


def disclosures(*, subject: str = "", limit: int) -> tuple[DisclosureView, ...]:
    """Return the latest handings over, of one subject (`user:7`, `batch:7`) or of all, newest first."""
    rows = Disclosure.objects.order_by("-id")
    if subject:
        rows = rows.filter(subject=subject)
    return tuple(_disclosure(row) for row in rows[:limit])


def _disclosure(row: Disclosure) -> DisclosureView:
    return DisclosureView(
        at=row.at,
        actor=f"{row.actor_kind}:{row.actor_id}",
        recipient=row.recipient,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        data_kinds=tuple(row.data_kinds),
        subject=row.subject,
    )
