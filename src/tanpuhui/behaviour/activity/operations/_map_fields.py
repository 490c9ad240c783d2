"""A feed's field mapping (字段映射): written in its application, proved by a sample, and put in force by another person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.contents import content_of
from tanpuhui.behaviour.activity.domain.applications import (
    EDITABLE,
    ApplicationChanged,
    ApplicationIncomplete,
    ApplicationNotEditable,
    ApplicationState,
)
from tanpuhui.behaviour.activity.domain.mappings import (
    MAPPED,
    MappingNotLive,
    MappingOwnWork,
    MappingSource,
    MappingUnchanged,
    NotMapped,
)
from tanpuhui.behaviour.activity.models import Feed, FieldMappingVersion, ScenarioApplicationVersion
from tanpuhui.behaviour.activity.operations._apply import (
    APPLICANTS,
    ApplicationSaved,
    locked_application,
    next_version,
    require_party,
)
from tanpuhui.behaviour.activity.operations._open_scenario import put_in_force
from tanpuhui.behaviour.activity.queries._applications import application_lacks
from tanpuhui.behaviour.activity.queries._samples import sample_in_force
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role

SUBJECT = "scenario_application:{application_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingSwitched:
    """A feed is read with another version of its field mapping from now on."""

    application_id: int
    feed_id: int
    mapping_version: int
    document_sha256: str


@operation(roles=APPLICANTS, subject=SUBJECT)
def save_mapping(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    version: int,
    document: str,
    idempotency_key: str,
) -> ApplicationSaved:
    """Save a field mapping as a new version of its application, if nobody saved one since `version`.

    Before the application is submitted, and again once its feed is live; then the feed is read as before until the new
    mapping has passed a sample and `switch_mapping` put it in force. By the applicant, the partner that the application
    names, or a maker of the area. Raises NotFound, NotPermitted, NotMapped, MappingInvalid, ApplicationNotEditable,
    ApplicationChanged.
    """
    row = locked_application(application_id)
    before = content_of(
        ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version).content
    )
    require_party(actor, row, before, operation="activity.save_mapping")
    if row.state not in EDITABLE and row.state != ApplicationState.LIVE:
        raise ApplicationNotEditable
    if before.adapter != MAPPED:
        raise NotMapped
    if row.version != version:
        raise ApplicationChanged(version=row.version)
    text = "\n".join(document.splitlines()).strip() + "\n"
    return next_version(row, lambda content: replace(content, mapping=text), actor=actor, at=at)


@operation(roles={Role.MAKER}, subject=SUBJECT)
def switch_mapping(
    *, actor: Actor, at: datetime, application_id: int, version: int, idempotency_key: str
) -> MappingSwitched:
    """Put the newest mapping of a live feed in force: files that come from now on are read with it.

    By a maker of the applicant's area who did not save it, and only once a sample has proved exactly this mapping. Files that
    came before are read with the version that was in force then. Raises NotFound, NotPermitted, NotMapped,
    MappingNotLive, ApplicationChanged, MappingOwnWork, MappingUnchanged, ApplicationIncomplete,
    SampleMissing, SampleNotPassed.
    """
    row = locked_application(application_id)
    actor.require(
        Role.MAKER, operation="activity.switch_mapping", area=organisation(row.organisation_id).area
    )
    saved = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    content = content_of(saved.content)
    if content.adapter != MAPPED:
        raise NotMapped
    if row.state != ApplicationState.LIVE or row.feed_id is None:
        raise MappingNotLive
    if row.version != version:
        raise ApplicationChanged(version=row.version)
    if (saved.saved_by_kind, saved.saved_by_id) == (actor.kind, actor.id):
        raise MappingOwnWork
    feed = Feed.objects.get(pk=row.feed_id)
    last = FieldMappingVersion.objects.filter(feed=feed).order_by("-version").first()
    if last is not None and last.document == content.mapping:
        raise MappingUnchanged(version=row.version)
    lacking = [one for one in application_lacks(content, at=at) if one.field == "mapping"]
    if lacking:
        raise ApplicationIncomplete(lacking=lacking)
    proof = sample_in_force(row.pk)
    switched = put_in_force(
        feed,
        content.mapping,
        actor=actor,
        at=at,
        source=MappingSource(application_id=row.pk, application_version=row.version, sample_id=proof.id),
    )
    return MappingSwitched(
        application_id=row.pk,
        feed_id=feed.pk,
        mapping_version=switched.version,
        document_sha256=switched.document_sha256,
    )
