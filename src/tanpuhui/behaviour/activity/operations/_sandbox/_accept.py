"""Accept a sample in writing (书面接受): where a rule is unset or speaks against it, a person decides and says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.contents import content_of
from tanpuhui.behaviour.activity.domain.applications import TEXT_CHARACTERS_MAX, tryable
from tanpuhui.behaviour.activity.domain.quality import SampleOutdated, SandboxClosed
from tanpuhui.behaviour.activity.models import Sample, SampleAcceptance, ScenarioApplicationVersion
from tanpuhui.behaviour.activity.operations._apply import locked_application
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleAccepted:
    """A person accepted a sample."""

    application_id: int
    sample_id: int


@operation(roles={Role.MAKER}, subject="scenario_application:{application_id}")
def accept_sample(
    *, actor: Actor, at: datetime, sample_id: int, reason: str, idempotency_key: str
) -> SampleAccepted:
    """Accept a sample of the present definition, with the reason; a second acceptance leaves the first.

    By a maker of the applicant's area. Raises NotFound, NotPermitted, SandboxClosed, SampleOutdated, Invalid.
    """
    sample = Sample.objects.filter(pk=sample_id).first()
    if sample is None:
        raise NotFound(what="沙箱样本 / sample", id=sample_id)
    row = locked_application(sample.application_id)
    actor.require(Role.MAKER, operation="activity.accept_sample", area=organisation(row.organisation_id).area)
    saved = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    if not tryable(row.state, content_of(saved.content)):
        raise SandboxClosed
    if saved.definition_sha256 != sample.definition_sha256:
        raise SampleOutdated
    text = reason.strip()
    if not text or len(text) > TEXT_CHARACTERS_MAX:
        raise Invalid(field="reason", why="请写明理由 / give the reason")
    SampleAcceptance.objects.get_or_create(
        sample=sample,
        defaults={"reason": text, "accepted_by_kind": actor.kind, "accepted_by_id": actor.id, "at": at},
    )
    return SampleAccepted(application_id=row.pk, sample_id=sample.pk)
