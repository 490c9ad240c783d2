"""Reading a version (读取版本): a folder or an archive into bytes, never more than a version may have."""

from __future__ import annotations

import os
from pathlib import Path

from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.commands.methodology.sentences import Unusable, reading
from tanpuhui.science.engine import (
    MethodologyError,
    MethodologyVersion,
    ParameterSet,
    load_version,
    open_archive,
)
from tanpuhui.science.engine.archive import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES
from tanpuhui.science.engine.parameters import load_parameter_set

MAX_ENTRIES = 10 * MAX_FILES
ZIP_MAGIC = b"PK\x03\x04"


class VersionFaulty(Exception):
    """The version's own files are faulty; carries the refusal and the folder, so that the place can be told whole."""

    def __init__(self, refusal: Refusal, folder: Path) -> None:
        self.refusal = refusal
        self.folder = folder
        super().__init__(str(refusal))


def read_files(path: Path) -> dict[str, bytes]:
    """Return the files of a version's folder or archive by their relative paths; hidden files are left out.

    Raises Unusable when the folder is not there, is none of a version, or holds links; MethodologyError for an
    archive that was changed.
    """
    with reading(path):
        if path.is_dir():
            return _folder(path)
        content = _bounded(path, 2 * MAX_TOTAL_BYTES)
    if not content.startswith(ZIP_MAGIC):
        raise Unusable(
            zh=f"{path} 不是方法学版本的文件夹，也不是它的归档。",
            en=f"{path} is neither a folder of a methodology version nor an archive of one.",
        )
    return open_archive(content)


def _folder(folder: Path) -> dict[str, bytes]:
    if not (folder / "methodology.yaml").is_file():
        inner = sorted(found.parent for found in folder.glob("*/methodology.yaml"))
        hint = ("；里面有：", "; inside there is: ") if inner else ("", "")
        listed = ", ".join(map(str, inner[:5]))
        raise Unusable(
            zh=f"{folder} 里没有 methodology.yaml{hint[0]}{listed}。",
            en=f"{folder} holds no methodology.yaml{hint[1]}{listed}.",
        )
    found: dict[str, bytes] = {}
    seen = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*names, *(inner for inner in folders if (Path(parent) / inner).is_symlink())]):
            seen += 1
            if seen > MAX_ENTRIES:
                raise Unusable(
                    zh=f"{folder} 里的文件太多，不像一个方法学版本。",
                    en=f"{folder} holds too many files for a methodology version.",
                )
            if name.startswith("."):
                continue
            path = Path(parent) / name
            if path.is_symlink():
                raise Unusable(
                    zh=f"{path} 是链接。版本文件夹里只能有文件本身。",
                    en=f"{path} is a link. A version's folder holds files only.",
                )
            found[path.relative_to(folder).as_posix()] = _bounded(path, MAX_FILE_BYTES)
    return found


def _bounded(path: Path, limit: int) -> bytes:
    """Read one byte more than the limit at most; the engine refuses what is too big."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def read_parameter_set(path: Path | None) -> ParameterSet | None:
    """Return the parameter set of a file, None for no file. Raises Unusable, or MethodologyError with the place."""
    if path is None:
        return None
    with reading(path):
        content = _bounded(path, MAX_FILE_BYTES)
    return load_parameter_set(content, file=str(path))


def load(path: Path, parameters: Path | None = None) -> MethodologyVersion:
    """Load a version with a parameter set. Raises Unusable and MethodologyError as above, VersionFaulty for its files."""
    parameter_set = read_parameter_set(parameters)
    files = read_files(path)
    try:
        return load_version(files, parameter_set=parameter_set)
    except MethodologyError as refusal:
        raise VersionFaulty(refusal, path) from refusal
