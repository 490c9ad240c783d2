"""The deterministic archive of a version's files (归档): same files, same bytes, everywhere.

A stored (uncompressed) ZIP with sorted names and one fixed date, so that anybody can open it and nobody
can hide a bomb in it. Truth is these bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from typing import NoReturn

from tanpuhui.science.engine.errors import Source

MAX_FILES = 64
MAX_FILE_BYTES = 512 * 1024
MAX_TOTAL_BYTES = 2 * 1024 * 1024
PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,2}\Z")
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def _refuse(problem: str, *, file: str, zh: str, en: str) -> NoReturn:
    Source.of_text("", file=file).refuse(problem, zh=zh, en=en)


def check_files(files: Mapping[str, bytes]) -> None:
    """Refuse a folder with too many files, too many bytes, or a path that could lead elsewhere."""
    if len(files) > MAX_FILES:
        _refuse(
            "FOLDER_TOO_BIG", file="", zh=f"文件超过 {MAX_FILES} 个。", en=f"More than {MAX_FILES} files."
        )
    for path, content in files.items():
        if not PATH.match(path):
            _refuse("PATH", file=path[:80], zh="文件路径不合规。", en="This path is not allowed.")
        if len(content) > MAX_FILE_BYTES:
            _refuse("FILE_TOO_BIG", file=path, zh="文件过大。", en="The file is too big.")
    if sum(map(len, files.values())) > MAX_TOTAL_BYTES:
        _refuse("FOLDER_TOO_BIG", file="", zh="文件夹过大。", en="The folder is too big.")


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return the deterministic archive of the files."""
    check_files(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as container:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, FIXED_DATE)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            container.writestr(entry, files[path])
    return buffer.getvalue()


def archive_sha256(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of the archive, in hexadecimal."""
    return hashlib.sha256(archive(files)).hexdigest()


def open_archive(content: bytes) -> dict[str, bytes]:
    """Return the files of an archive; refuse one that `archive` would not have written byte for byte."""
    if len(content) > 2 * MAX_TOTAL_BYTES:
        _refuse("FOLDER_TOO_BIG", file="", zh="归档过大。", en="The archive is too big.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            entries = container.infolist()
            plain = all(entry.compress_type == zipfile.ZIP_STORED and not entry.is_dir() for entry in entries)
            small = len(entries) <= MAX_FILES and sum(entry.file_size for entry in entries) <= MAX_TOTAL_BYTES
            files = {entry.filename: container.read(entry) for entry in entries} if plain and small else None
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError):
        files = None
    if files is None or archive(files) != content:
        _refuse(
            "NOT_AN_ARCHIVE",
            file="",
            zh="这不是本平台写出的归档，或已被改动。请用“下载为一个文件”得到的原件。",
            en="This is not an archive this platform wrote, or it was changed. Use the file it let you download.",
        )
    return files
