"""Leave a line about an export of the audit record itself (审计导出留痕)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.audit.operations._operation import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNoted:
    """What is about to be exported."""

    first: datetime
    before: datetime
    records: int


@operation(roles={Role.AUDIT_ADMINISTRATOR, Role.REGULATOR}, subject="audit_export:{first}")
def note_export(*, actor: Actor, at: datetime, area: str, first: datetime, before: datetime) -> ExportNoted:
    """Write down that somebody takes the records of a span; the export follows.

    The record holds what was done everywhere, so `area` is the province, and whoever watches less does not take it.
    Raises Invalid, NotPermitted.
    """
    actor.require(Role.AUDIT_ADMINISTRATOR, Role.REGULATOR, operation="audit.note_export", area=area)
    if before <= first:
        raise Invalid(field="before", why="止日不能早于起日 / the last day is before the first")
    found = AuditRecord.objects.filter(at__gte=first, at__lt=before).count()
    return ExportNoted(first=first, before=before, records=found)
