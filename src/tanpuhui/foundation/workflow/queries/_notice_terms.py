"""How long a notice lasts and by which rule, and which attachments are published with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import NOTICE_DAYS_MAX
from tanpuhui.foundation.workflow.models import Attachment, Case

NOT_ESTABLISHED = "NOT ESTABLISHED"
"""The tag of a notice whose days no rule sets: somebody chose them, and the basis is their reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTerms:
    """The working days of a notice, None where whoever opens it decides; the rule's basis and its evidence tag."""

    working_days: int | None
    basis: str
    confidence: str


def notice_terms(state: rulebook.State, *, process: str, at: datetime) -> NoticeTerms:
    """Return the terms of a state's notice on the business day of `at`: the process' own, or those of its parameter.

    Raises ValueError for a parameter that is no number of working days.
    """
    if not state.notice_parameter:
        return NoticeTerms(
            working_days=state.notice_working_days,
            basis=state.notice_basis,
            confidence=state.notice_confidence,
        )
    found = rulebook.parameter(key=state.notice_parameter, at=at, scope=process)
    days = None if found.value is None else int(found.value)
    if days is not None and not 1 <= days <= NOTICE_DAYS_MAX:
        message = f"{found.key} is {found.value!r}: a notice lasts 1 to {NOTICE_DAYS_MAX} working days"
        raise ValueError(message)
    basis = "；".join(part for part in (found.basis, found.note) if part)
    return NoticeTerms(working_days=days, basis=basis, confidence=found.confidence)


def notice_documents(case: Case, *, kinds: tuple[str, ...]) -> list[dict[str, object]]:
    """Return the newest version of every attachment of the published kinds, as a notice keeps them."""
    rows = Attachment.objects.filter(case=case, kind__in=kinds).select_related("document")
    newest = {(row.kind, row.name): row for row in rows.order_by("version")}
    order = sorted(newest.values(), key=lambda row: (kinds.index(row.kind), row.name))
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "version": row.version,
            "sha256": row.document_id,
            "size": row.document.size,
        }
        for row in order
    ]
