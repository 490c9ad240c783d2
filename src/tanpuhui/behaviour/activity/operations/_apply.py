"""Write a scenario application (场景申请): every save is a version, and only a draft or a returned one is edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tanpuhui.behaviour.activity.adapters.contents import content_json, content_of, content_sha256
from tanpuhui.behaviour.activity.adapters.mapping_file import read_mapping
from tanpuhui.behaviour.activity.domain.applications import (
    DOCUMENTS_MAX,
    EDITABLE,
    FIELDS_MAX,
    TEXT_CHARACTERS_MAX,
    ApplicationChanged,
    ApplicationNotEditable,
    ApplicationState,
    DocumentRef,
    ScenarioContent,
    feed_definition_sha256,
)
from tanpuhui.behaviour.activity.domain.mappings import MAPPED
from tanpuhui.behaviour.activity.models import ScenarioApplication, ScenarioApplicationVersion
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound

APPLICANTS = frozenset({Role.PARTNER, Role.OWNER, Role.MAKER})
"""Who applies for a scenario: the partner that sends its records, a project owner, or the centre itself."""

SUBJECT = "scenario_application:{application_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationSaved:
    """An application as it stands now."""

    application_id: int
    version: int
    content_sha256: str


@operation(roles=APPLICANTS, subject=SUBJECT)
def open_application(
    *, actor: Actor, at: datetime, organisation_id: int, content: ScenarioContent, idempotency_key: str
) -> ApplicationSaved:
    """Begin an application of an organisation; it need not be complete yet. Raises NotPermitted, Invalid."""
    actor.require(*APPLICANTS, operation="activity.open_application", organisation_id=organisation_id)
    row = ScenarioApplication.objects.create(
        organisation_id=organisation_id,
        state=ApplicationState.DRAFT,
        version=1,
        code=content.code,
        opened_at=at,
        saved_at=at,
    )
    return _write(row, _checked(organisation_id, content), actor=actor, at=at)


@operation(roles=APPLICANTS, subject=SUBJECT)
def save_application(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    version: int,
    content: ScenarioContent,
    idempotency_key: str,
) -> ApplicationSaved:
    """Save a new version, if nobody saved one since `version`; its documents and field mapping stay as they are.

    Raises NotFound, NotPermitted, ApplicationNotEditable, ApplicationChanged, Invalid.
    """
    return _change(
        actor,
        at,
        application_id,
        version,
        lambda before: replace(content, documents=before.documents, mapping=before.mapping),
    )


@operation(roles=APPLICANTS, subject=SUBJECT)
def attach_to_application(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    version: int,
    name: str,
    media_type: str,
    content: bytes,
    idempotency_key: str,
) -> ApplicationSaved:
    """Add a document to an application, as a new version. Raises as save_application."""
    row = _locked(actor, application_id, version)
    stored = store_document(content=content, name=name, media_type=media_type, at=at)
    document = DocumentRef(sha256=stored.sha256, name=name)
    return next_version(row, lambda before: before.with_document(document), actor=actor, at=at)


@operation(roles=APPLICANTS, subject=SUBJECT)
def detach_from_application(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    version: int,
    sha256: str,
    idempotency_key: str,
) -> ApplicationSaved:
    """Take a document off an application, as a new version; earlier versions keep it. Raises as save_application."""
    return _change(actor, at, application_id, version, lambda before: before.without_document(sha256))


@operation(roles=APPLICANTS, subject=SUBJECT)
def discard_application(
    *, actor: Actor, at: datetime, application_id: int, version: int, idempotency_key: str
) -> ApplicationSaved:
    """Give up a draft that was never submitted; it stays on record. One that has a case is withdrawn there.

    Raises as save_application.
    """
    row = _locked(actor, application_id, version)
    if row.state != ApplicationState.DRAFT:
        raise ApplicationNotEditable
    row.state = ApplicationState.WITHDRAWN
    row.save(update_fields=["state"])
    saved = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    return ApplicationSaved(application_id=row.pk, version=row.version, content_sha256=saved.content_sha256)


def require_party(actor: Actor, row: ScenarioApplication, said: ScenarioContent, *, operation: str) -> None:
    """Let in the applicant, the partner that the application names, and a maker of the area. Raises NotPermitted."""
    if actor.has(*APPLICANTS, organisation_id=row.organisation_id):
        return
    if said.partner_id and actor.has(Role.PARTNER, organisation_id=said.partner_id):
        return
    actor.require(Role.MAKER, operation=operation, area=organisation(row.organisation_id).area)


def locked_application(application_id: int) -> ScenarioApplication:
    """Return an application, locked until the transaction ends. Raises NotFound."""
    row = ScenarioApplication.objects.select_for_update().filter(pk=application_id).first()
    if row is None:
        raise NotFound(what="场景申请 / scenario application", id=application_id)
    return row


def _locked(actor: Actor, application_id: int, version: int) -> ScenarioApplication:
    """Return the application, locked, if the actor works for its organisation and saw its newest version."""
    row = locked_application(application_id)
    actor.require(*APPLICANTS, operation="activity.save_application", organisation_id=row.organisation_id)
    if row.state not in EDITABLE:
        raise ApplicationNotEditable
    if row.version != version:
        raise ApplicationChanged(version=row.version)
    return row


def _change(
    actor: Actor,
    at: datetime,
    application_id: int,
    version: int,
    change: Callable[[ScenarioContent], ScenarioContent],
) -> ApplicationSaved:
    return next_version(_locked(actor, application_id, version), change, actor=actor, at=at)


def next_version(
    row: ScenarioApplication,
    change: Callable[[ScenarioContent], ScenarioContent],
    *,
    actor: Actor,
    at: datetime,
) -> ApplicationSaved:
    """Write the next version of a locked application. Raises Invalid, MappingInvalid."""
    before = ScenarioApplicationVersion.objects.get(application_id=row.pk, version=row.version)
    content = _checked(row.organisation_id, change(content_of(before.content)))
    row.version += 1
    row.code = content.code
    row.saved_at = at
    row.save(update_fields=["version", "code", "saved_at"])
    return _write(row, content, actor=actor, at=at)


def _write(
    row: ScenarioApplication, content: ScenarioContent, *, actor: Actor, at: datetime
) -> ApplicationSaved:
    digest = content_sha256(content)
    ScenarioApplicationVersion.objects.create(
        application_id=row.pk,
        version=row.version,
        content=content_json(content),
        content_sha256=digest,
        definition_sha256=feed_definition_sha256(content),
        saved_at=at,
        saved_by_kind=actor.kind,
        saved_by_id=actor.id,
    )
    return ApplicationSaved(application_id=row.pk, version=row.version, content_sha256=digest)


def _checked(organisation_id: int, content: ScenarioContent) -> ScenarioContent:
    """Return the content, if it can be kept at all; a partner applies for its own records only. Raises Invalid, MappingInvalid."""
    texts = (
        content.name_zh,
        content.name_en,
        content.behaviour,
        content.evidence_note,
        content.exclusion_note,
    )
    if any(len(text) > TEXT_CHARACTERS_MAX for text in texts):
        raise Invalid(field="text", why=f"> {TEXT_CHARACTERS_MAX}")
    if len(content.fields) > FIELDS_MAX:
        raise Invalid(field="fields", why=f"> {FIELDS_MAX}")
    if len(content.documents) > DOCUMENTS_MAX:
        raise Invalid(field="documents", why=f"> {DOCUMENTS_MAX}")
    if any("\0" in text for text in texts):
        raise Invalid(field="text", why="NUL")
    if content.adapter != MAPPED:
        content = replace(content, mapping="")
    elif content.mapping:
        read_mapping(content.mapping)
    applicant = organisation(organisation_id)
    if applicant.kind == "partner":
        return replace(content, partner_id=organisation_id)
    if content.partner_id and organisation(content.partner_id).kind != "partner":
        raise Invalid(field="partner_id", why="报送数据的须是数据伙伴 / the sender is a data partner")
    return content
