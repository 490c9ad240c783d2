"""Erase samples (删除样本): file and rows go after the retention time, or at once by hand; hash and report stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.models import Sample
from tanpuhui.behaviour.activity.operations._apply import APPLICANTS
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound

AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleErased:
    """The file and rows of a sample are gone."""

    application_id: int
    sample_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplesErased:
    """How many samples were due and are gone, and whether there are more."""

    day: str
    erased: int
    more: bool


@operation(roles=APPLICANTS, subject="scenario_application:{application_id}")
def erase_sample(*, actor: Actor, at: datetime, sample_id: int, idempotency_key: str) -> SampleErased:
    """Erase a sample before its time: by the applicant, or a maker of the area. Raises NotFound, NotPermitted."""
    row = (
        Sample.objects.select_for_update(of=("self",))
        .select_related("application")
        .filter(pk=sample_id)
        .first()
    )
    if row is None:
        raise NotFound(what="沙箱样本 / sample", id=sample_id)
    applicant_id = row.application.organisation_id
    if not actor.has(*APPLICANTS, organisation_id=applicant_id):
        actor.require(Role.MAKER, operation="activity.erase_sample", area=organisation(applicant_id).area)
    if row.erased_at is None:
        _erase(row, at)
    return SampleErased(application_id=row.application_id, sample_id=row.pk)


@operation(roles={Role.SYSTEM}, subject="samples:{day}")
def erase_due_samples(*, actor: Actor, at: datetime) -> SamplesErased:
    """Erase the samples whose retention time is over; those without a rule are left for a person."""
    today = business_day(at)
    due = Sample.objects.select_for_update().filter(erase_on__lte=today, erased_at__isnull=True)
    rows = list(due.order_by("id")[:AT_ONCE])
    for row in rows:
        _erase(row, at)
    return SamplesErased(day=today.isoformat(), erased=len(rows), more=len(rows) == AT_ONCE)


def _erase(row: Sample, at: datetime) -> None:
    row.content, row.rows, row.erased_at = None, None, at
    row.save(update_fields=["content", "rows", "erased_at"])
