from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.science.engine import archive, archive_sha256, open_archive
from tanpuhui.science.engine.authoring import PARAMETER_SET_FILE
from tanpuhui.science.methodology.domain import (
    DRAFTS_OPEN_MAX,
    DraftChanged,
    DraftNotOpen,
    DraftState,
    TooManyDrafts,
)
from tanpuhui.science.methodology.models import MethodologyDraft
from tanpuhui.science.methodology.operations._import_version import import_archive
from tanpuhui.science.methodology.operations._propose_filing import propose_filing

DRAFTERS = frozenset({Role.OWNER, Role.PARTNER, Role.EXPERT, Role.MAKER, Role.SUBCENTRE})
"""Who writes methodologies: applicants and the centre. They work on the drafts of their own organisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSaved:
    """A draft as it stands now."""

    draft_id: int
    revision: int
    archive_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProposed:
    """A draft became a version and is before the committee."""

    draft_id: int
    version_id: int
    case_id: int
    number: str


@operation(roles=DRAFTERS, subject="methodology_draft:{draft_id}")
def open_draft(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    files: Mapping[str, bytes],
    parameter_set: bytes | None = None,
    based_on_id: int | None = None,
    idempotency_key: str,
) -> DraftSaved:
    """Begin a draft of an organisation with these files (path to bytes); they need not be a sound version yet.

    `based_on_id` is the version that it revises, for comparison. Raises NotPermitted, TooManyDrafts, MethodologyError
    where there are too many, too big or oddly named files.
    """
    actor.require(*DRAFTERS, operation="methodology.open_draft", organisation_id=organisation_id)
    lock_names(f"methodology:drafts:{organisation_id}")
    mine = MethodologyDraft.objects.filter(organisation_id=organisation_id, state=DraftState.OPEN.value)
    if mine.count() >= DRAFTS_OPEN_MAX:
        raise TooManyDrafts(limit=DRAFTS_OPEN_MAX)
    row = MethodologyDraft(
        organisation_id=organisation_id, based_on_id=based_on_id, opened_at=at, saved_at=at, saved_by=actor.id
    )
    _hold(row, files, parameter_set)
    row.save()
    return _saved(row)


@operation(roles=DRAFTERS, subject="methodology_draft:{draft_id}")
def save_draft(
    *,
    actor: Actor,
    at: datetime,
    draft_id: int,
    revision: int,
    changes: Mapping[str, str | None],
    idempotency_key: str,
) -> DraftSaved:
    """Write files of a draft (path to text; None takes one away), if nobody saved it since `revision`.

    `parameter_set.yaml` is the parameter set beside the archive. Raises NotFound, NotPermitted, DraftNotOpen,
    DraftChanged, MethodologyError where there are too many, too big or oddly named files.
    """
    row = locked_draft(actor, draft_id, revision)
    files = open_archive(bytes(row.archive))
    parameter_set = None if row.parameter_set is None else bytes(row.parameter_set)
    for path, text in changes.items():
        content = None if text is None else text.replace("\r\n", "\n").encode()
        if path == PARAMETER_SET_FILE:
            parameter_set = content
        elif content is None:
            files.pop(path, None)
        else:
            files[path] = content
    _hold(row, files, parameter_set)
    row.revision += 1
    row.saved_at, row.saved_by = at, actor.id
    row.save()
    return _saved(row)


@operation(roles=DRAFTERS, subject="methodology_draft:{draft_id}")
def close_draft(
    *, actor: Actor, at: datetime, draft_id: int, revision: int, idempotency_key: str
) -> DraftSaved:
    """Give a draft up; it stays on record and is not written any more. Raises as `save_draft`."""
    row = locked_draft(actor, draft_id, revision)
    row.state = DraftState.CLOSED.value
    row.save(update_fields=["state"])
    return _saved(row)


@operation(roles=DRAFTERS, subject="methodology_draft:{draft_id}")
def propose_draft(
    *,
    actor: Actor,
    at: datetime,
    draft_id: int,
    revision: int,
    valid_from: date | None = None,
    idempotency_key: str,
) -> DraftProposed:
    """Take a draft in as a version and propose that for filing, both or neither.

    Raises as `save_draft`, and what importing and proposing raise: the engine's refusal with its place, the parameters
    without value, a version of these bytes that is already before the committee.
    """
    row = locked_draft(actor, draft_id, revision)
    parameter_set = None if row.parameter_set is None else bytes(row.parameter_set)
    imported = import_archive(actor=actor, at=at, content=bytes(row.archive), parameter_set=parameter_set)
    proposed = propose_filing(
        actor=actor,
        at=at,
        version_id=imported.version_id,
        valid_from=valid_from,
        organisation_id=row.organisation_id,
    )
    row.state, row.version_id = DraftState.PROPOSED.value, imported.version_id
    row.save(update_fields=["state", "version_id"])
    return DraftProposed(
        draft_id=row.pk, version_id=imported.version_id, case_id=proposed.case_id, number=proposed.number
    )


def locked_draft(actor: Actor, draft_id: int, revision: int) -> MethodologyDraft:
    """Return the draft, locked, if the actor works for its organisation and it is as the actor saw it."""
    row = MethodologyDraft.objects.select_for_update().filter(pk=draft_id).first()
    if row is None:
        raise NotFound(what="草稿 / draft", id=draft_id)
    actor.require(*DRAFTERS, operation="methodology.save_draft", organisation_id=row.organisation_id)
    if row.state != DraftState.OPEN:
        raise DraftNotOpen
    if row.revision != revision:
        raise DraftChanged(revision=row.revision)
    return row


def _hold(row: MethodologyDraft, files: Mapping[str, bytes], parameter_set: bytes | None) -> None:
    row.archive, row.archive_sha256 = archive(files), archive_sha256(files)
    row.parameter_set = parameter_set


def _saved(row: MethodologyDraft) -> DraftSaved:
    return DraftSaved(draft_id=row.pk, revision=row.revision, archive_sha256=row.archive_sha256)
