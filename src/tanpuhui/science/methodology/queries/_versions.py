"""Reads of methodology versions and drafts: the library, the loaded version, the stored bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.conf import settings

from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.science.engine import MethodologyVersion as EngineVersion
from tanpuhui.science.engine import ParameterSet, load_parameter_set, load_version, open_archive
from tanpuhui.science.engine.cases import CaseOutcome, run_cases
from tanpuhui.science.methodology.domain import (
    ArchiveChanged,
    TestParametersRefused,
)
from tanpuhui.science.methodology.models import MethodologyDraft, MethodologyVersion

VERSIONS_KEPT_LOADED = 64
WITHOUT_BYTES = ("archive", "parameter_set")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """One version as a page lists it. `purpose` is operation, demonstration or test and is always shown."""

    id: int
    code: str
    version: str
    methodology_class: str
    scenario: str
    status: str
    name_zh: str
    name_en: str
    state: str
    purpose: str
    archive_sha256: str
    parameter_set_code: str
    parameter_set_sha256: str
    blocked_by: tuple[str, ...]
    imported_at: datetime
    case_id: int | None
    filing_number: str | None
    filed_at: datetime | None
    valid_from: date | None
    leaf_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledVersion:
    """The version that calculates. A `purpose` other than operation is carried to everything made with it."""

    id: int
    code: str
    version: str
    scenario: str
    name_zh: str
    name_en: str
    archive_sha256: str
    parameter_set_sha256: str
    purpose: str
    filed_at: datetime
    valid_from: date
    filing_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft as a list shows it. `saved_by` is the user's id as text."""

    id: int
    organisation_id: int
    state: str
    revision: int
    based_on_id: int | None
    version_id: int | None
    archive_sha256: str
    opened_at: datetime
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFiles:
    """What a draft holds: the files of the folder, and the parameter set beside them where there is one."""

    files: Mapping[str, bytes]
    parameter_set: bytes | None


def version(version_id: int) -> VersionView:
    """Return one version. Raises NotFound."""
    return _view(_row(version_id))


def library() -> tuple[VersionView, ...]:
    """Return every version, by code, newest version first."""
    rows = MethodologyVersion.objects.defer(*WITHOUT_BYTES).order_by("code", "-id")
    return tuple(_view(row) for row in rows)


def versions_of(code: str) -> tuple[VersionView, ...]:
    """Return the versions of one methodology, newest first."""
    rows = MethodologyVersion.objects.defer(*WITHOUT_BYTES).filter(code=code).order_by("-id")
    return tuple(_view(row) for row in rows)


def loaded(version_id: int) -> EngineVersion:
    """Return the checked, runnable tree of a version with its parameter set, from the stored bytes.

    Loaded once per process and pair of hashes. Raises NotFound, ArchiveChanged where the bytes do not have the
    recorded hash, TestParametersRefused, MethodologyError.
    """
    row = _row(version_id)
    try:
        found = _load(row.archive_sha256, row.parameter_set_sha256)
    except _HashDiffers:
        raise ArchiveChanged(version_id=version_id) from None
    refuse_test_parameters(found.parameter_set)
    return found


def files(version_id: int) -> Mapping[str, bytes]:
    """Return the files of a version by path, out of the stored archive. Raises NotFound, ArchiveChanged."""
    return open_archive(archive_bytes(version_id))


def archive_bytes(version_id: int) -> bytes:
    """Return the archive as one file for download. Raises NotFound, ArchiveChanged."""
    row = MethodologyVersion.objects.filter(pk=version_id).first()
    if row is None:
        raise NotFound(what="方法学版本 / methodology version", id=version_id)
    content = bytes(row.archive)
    if hashlib.sha256(content).hexdigest() != row.archive_sha256:
        raise ArchiveChanged(version_id=version_id)
    return content


def worked_cases(version_id: int) -> tuple[CaseOutcome, ...]:
    """Return the worked cases of a version with what the running engine finds, run once per process and archive.

    Raises NotFound, ArchiveChanged, MethodologyError.
    """
    return _run_cases(_row(version_id).archive_sha256)


def drafts(*, organisation_ids: Sequence[int]) -> tuple[DraftView, ...]:
    """Return the drafts of these organisations, the one saved last first."""
    rows = MethodologyDraft.objects.defer(*WITHOUT_BYTES).filter(organisation_id__in=organisation_ids)
    return tuple(_draft_view(row) for row in rows.order_by("-saved_at", "-id"))


def draft(draft_id: int) -> DraftView:
    """Return one draft. Raises NotFound."""
    row = MethodologyDraft.objects.defer(*WITHOUT_BYTES).filter(pk=draft_id).first()
    if row is None:
        raise NotFound(what="草稿 / draft", id=draft_id)
    return _draft_view(row)


def draft_files(draft_id: int) -> DraftFiles:
    """Return what a draft holds. Raises NotFound."""
    row = MethodologyDraft.objects.filter(pk=draft_id).first()
    if row is None:
        raise NotFound(what="草稿 / draft", id=draft_id)
    given = None if row.parameter_set is None else bytes(row.parameter_set)
    return DraftFiles(files=open_archive(bytes(row.archive)), parameter_set=given)


def parameter_set_bytes(version_id: int) -> bytes | None:
    """Return the parameter set that a version was taken in with, or None. Raises NotFound."""
    row = MethodologyVersion.objects.filter(pk=version_id).first()
    if row is None:
        raise NotFound(what="方法学版本 / methodology version", id=version_id)
    return None if row.parameter_set is None else bytes(row.parameter_set)


def refuse_test_parameters(parameter_set: ParameterSet | None) -> None:
    """Refuse a parameter set for tests where the settings do not allow it. Raises TestParametersRefused."""
    if (
        parameter_set is not None
        and parameter_set.purpose == "test"
        and not settings.TANPUHUI_ALLOW_TEST_PARAMETERS
    ):
        raise TestParametersRefused(parameter_set=parameter_set.code)


class _HashDiffers(Exception):
    """Stored bytes and recorded hash disagree."""


@lru_cache(maxsize=VERSIONS_KEPT_LOADED)
def _load(archive_sha256: str, parameter_set_sha256: str) -> EngineVersion:
    """Load by the hashes alone, so that a cached tree can only ever be that of the same bytes."""
    row = MethodologyVersion.objects.get(
        archive_sha256=archive_sha256, parameter_set_sha256=parameter_set_sha256
    )
    content = bytes(row.archive)
    values = None if row.parameter_set is None else bytes(row.parameter_set)
    if hashlib.sha256(content).hexdigest() != archive_sha256:
        raise _HashDiffers
    if ("" if values is None else hashlib.sha256(values).hexdigest()) != parameter_set_sha256:
        raise _HashDiffers
    return load_version(
        open_archive(content), parameter_set=None if values is None else load_parameter_set(values)
    )


@lru_cache(maxsize=VERSIONS_KEPT_LOADED)
def _run_cases(archive_sha256: str) -> tuple[CaseOutcome, ...]:
    """Run by the hash alone, like `_load`; `archive_bytes` refuses bytes that do not have it."""
    row = MethodologyVersion.objects.defer(*WITHOUT_BYTES).filter(archive_sha256=archive_sha256).first()
    return run_cases(open_archive(archive_bytes(row.pk))) if row is not None else ()


def _row(version_id: int) -> MethodologyVersion:
    row = MethodologyVersion.objects.defer(*WITHOUT_BYTES).filter(pk=version_id).first()
    if row is None:
        raise NotFound(what="方法学版本 / methodology version", id=version_id)
    return row


def _view(row: MethodologyVersion) -> VersionView:
    return VersionView(
        id=row.pk,
        code=row.code,
        version=row.version,
        methodology_class=row.methodology_class,
        scenario=row.scenario,
        status=row.status,
        name_zh=row.name_zh,
        name_en=row.name_en,
        state=row.state,
        purpose=row.purpose,
        archive_sha256=row.archive_sha256,
        parameter_set_code=row.parameter_set_code,
        parameter_set_sha256=row.parameter_set_sha256,
        blocked_by=tuple(row.blocked_by),
        imported_at=row.imported_at,
        case_id=row.case_id,
        filing_number=row.filing_number,
        filed_at=row.filed_at,
        valid_from=row.valid_from,
        leaf_id=row.leaf_id,
    )


def _draft_view(row: MethodologyDraft) -> DraftView:
    return DraftView(
        id=row.pk,
        organisation_id=row.organisation_id,
        state=row.state,
        revision=row.revision,
        based_on_id=row.based_on_id,
        version_id=row.version_id,
        archive_sha256=row.archive_sha256,
        opened_at=row.opened_at,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
    )
