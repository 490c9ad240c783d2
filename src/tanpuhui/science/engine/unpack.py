"""Unpacking an author's ZIP (解包): the folder that somebody made on a laptop, bounded before anything is read."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import NoReturn

from tanpuhui.science.engine.archive import MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES, check_files
from tanpuhui.science.engine.errors import Source

MAIN_FILE = "methodology.yaml"
MAX_ENTRIES = 4 * MAX_FILES
# Left by operating systems beside the author's files.
NOT_THE_AUTHORS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP by path; a single folder around them is taken off. Refuses what is too big or no ZIP.

    The sizes that the ZIP declares are checked first, and no entry is read beyond its own.
    """
    if len(content) > 2 * MAX_TOTAL_BYTES:
        _refuse("FOLDER_TOO_BIG", zh="压缩包过大。", en="The ZIP is too big.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            entries = [one for one in container.infolist() if not one.is_dir() and not _stray(one.filename)]
            if len(entries) > MAX_ENTRIES or sum(one.file_size for one in entries) > MAX_TOTAL_BYTES:
                _refuse(
                    "FOLDER_TOO_BIG",
                    zh="压缩包里的文件过多或过大。",
                    en="The ZIP holds too many or too big files.",
                )
            files = {one.filename: _read(container, one) for one in entries}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError, OSError):
        _refuse(
            "NOT_A_ZIP", zh="这不是可以打开的 ZIP 文件。", en="This is not a ZIP file that can be opened."
        )
    files = _without_folder(files)
    if MAIN_FILE not in files:
        _refuse("FILE_MISSING", zh=f"压缩包里没有 {MAIN_FILE}。", en=f"The ZIP holds no {MAIN_FILE}.")
    check_files(files)
    return files


def _read(container: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with container.open(entry) as stream:
        return stream.read(min(entry.file_size, MAX_FILE_BYTES) + 1)


def _stray(path: str) -> bool:
    return any(mark in path for mark in NOT_THE_AUTHORS) or any(
        part.startswith(".") and part != ".." for part in path.split("/")
    )


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """Take off the folders around methodology.yaml when everything lies below them."""
    mains = sorted((path for path in files if path.rpartition("/")[2] == MAIN_FILE), key=len)
    around = mains[0].removesuffix(MAIN_FILE) if mains else ""
    if not all(path.startswith(around) for path in files):
        return files
    return {path.removeprefix(around): content for path, content in files.items()}


def _refuse(problem: str, *, zh: str, en: str) -> NoReturn:
    Source.of_text("", file="").refuse(problem, zh=zh, en=en)
