from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.science.engine import archive, load_parameter_set, load_version, open_archive
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.queries import refuse_test_parameters

MAIN_FILE = "methodology.yaml"
IMPORTERS = frozenset({Role.OWNER, Role.PARTNER, Role.EXPERT, Role.MAKER, Role.SUBCENTRE})


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionImported:
    """A version stands in the library as a draft, or stood there already with the same bytes."""

    version_id: int
    code: str
    version: str
    archive_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryImported:
    """Every version of a library folder, in the order of its paths."""

    versions: tuple[VersionImported, ...]


def import_version(
    *, actor: Actor, at: datetime, files: Mapping[str, bytes], parameter_set: bytes | None = None
) -> VersionImported:
    """Take in the files of a version (path → bytes) as a draft, with the parameter set it is to calculate with.

    The files become one deterministic archive; see `import_archive` for checks and errors.
    """
    return import_archive(actor=actor, at=at, content=archive(files), parameter_set=parameter_set)


@operation(roles=IMPORTERS, subject="methodology_version:{version_id}")
def import_archive(
    *, actor: Actor, at: datetime, content: bytes, parameter_set: bytes | None = None
) -> VersionImported:
    """Take in a version's archive as a draft; the same bytes with the same parameter set are the same row.

    The archive must be the one the platform writes, and must pass every check of the language; the engine's refusal
    (file, line, column, caret) is passed on. Raises MethodologyError, TestParametersRefused.
    """
    given = load_parameter_set(parameter_set) if parameter_set is not None else None
    refuse_test_parameters(given)
    loaded = load_version(open_archive(content), parameter_set=given)
    sha256 = loaded.archive_sha256
    set_sha256 = given.sha256 if given else ""
    lock_names(f"methodology:{sha256}:{set_sha256}")
    row = MethodologyVersion.objects.filter(archive_sha256=sha256, parameter_set_sha256=set_sha256).first()
    if row is None:
        row = MethodologyVersion.objects.create(
            code=loaded.code,
            version=loaded.version,
            methodology_class=loaded.methodology_class,
            scenario=loaded.scenario,
            status=loaded.status,
            name_zh=loaded.name.zh,
            name_en=loaded.name.en,
            archive=content,
            archive_sha256=sha256,
            parameter_set=parameter_set,
            parameter_set_sha256=set_sha256,
            parameter_set_code=given.code if given else "",
            purpose=loaded.purpose,
            blocked_by=list(loaded.blocked_by),
            imported_at=at,
        )
    return VersionImported(version_id=row.pk, code=row.code, version=row.version, archive_sha256=sha256)


@operation(roles=IMPORTERS, subject="methodology_library")
def import_library(
    *, actor: Actor, at: datetime, folder: Path, parameter_set: bytes | None = None
) -> LibraryImported:
    """Take in every version folder below `folder` (one that holds methodology.yaml) as a draft: all of them or none.

    The parameter set goes with the versions whose code it names; the others come without. Raises Invalid for a
    folder that is not there, and what `import_archive` raises.
    """
    if not folder.is_dir():
        raise Invalid(field="folder", why=f"没有这个文件夹 / no such folder: {folder.name}")
    named = load_parameter_set(parameter_set).values if parameter_set is not None else {}
    versions = []
    for main in sorted(folder.rglob(MAIN_FILE)):
        files = read_folder(main.parent)
        code = load_version(files).code
        given = parameter_set if code in named else None
        versions.append(import_archive(actor=actor, at=at, content=archive(files), parameter_set=given))
    return LibraryImported(versions=tuple(versions))


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a version folder by their relative paths; hidden files are left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
