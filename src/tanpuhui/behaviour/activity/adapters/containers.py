"""Containers (封装): what a file is wrapped in, told by its first bytes, opened as one stream of text.

gzip, zstd, a zip with exactly one member, and a workbook of Excel. Nothing is unpacked to disk or held whole, except
the table of strings of a workbook, which the bound of the file's unpacked bytes also bounds.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

from tanpuhui.behaviour.activity.adapters.workbooks import WORKBOOK_MEMBER, sheet_as_csv
from tanpuhui.behaviour.activity.domain import FileUnusable

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1


class Readable(Protocol):
    """Bytes that come one piece after the other."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Unwrapped:
    """The text inside, and the name of the file it was inside the wrapping, where the wrapping gives one."""

    stream: Readable
    member_name: str = ""
    wrapped: bool = True
    is_sheet: bool = False
    """The text was made from a workbook, so that it is UTF-8 with commas whatever the partner's own files are."""


class _Unpacking:
    """A stream of unpacked bytes whose damage is told as a damage of the file, not of the disk under it."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; raises FileUnusable."""
        try:
            return self._source.read(size)
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
            raise FileUnusable(fault="BAD_COMPRESSION") from error


def unwrap(stream: BinaryIO, *, bytes_max: int) -> Unwrapped:
    """Open what is inside, whatever the file is called; text that is not wrapped comes back as it is.

    `bytes_max` bounds the unpacked bytes that a zip or a workbook declares (a member cannot give more than it
    declares); what streams is bounded by its reader. Raises FileUnusable.
    """
    magic = stream.read(4)
    stream.seek(0)
    if magic.startswith(GZIP_MAGIC):
        return Unwrapped(stream=_Unpacking(cast(Readable, gzip.GzipFile(fileobj=stream, mode="rb"))))
    if magic == ZSTD_MAGIC:
        return Unwrapped(stream=_Unpacking(pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")))
    if magic in ZIP_MAGICS:
        return _from_zip(stream, bytes_max)
    return Unwrapped(stream=stream, wrapped=False)


def _from_zip(stream: BinaryIO, bytes_max: int) -> Unwrapped:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FileUnusable(fault="BAD_COMPRESSION") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    if sum(member.file_size for member in members) > bytes_max:
        raise FileUnusable(fault="FILE_TOO_LARGE", at=bytes_max)
    if any(member.filename == WORKBOOK_MEMBER for member in members):
        return Unwrapped(stream=sheet_as_csv(stream), member_name="sheet.csv", is_sheet=True)
    if len(members) != 1:
        raise FileUnusable(fault="ZIP_MEMBERS", at=len(members))
    if members[0].flag_bits & _ENCRYPTED:
        raise FileUnusable(fault="ZIP_ENCRYPTED")
    try:
        inside = archive.open(members[0])
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise FileUnusable(fault="BAD_COMPRESSION") from error
    return Unwrapped(stream=_Unpacking(cast(Readable, inside)), member_name=members[0].filename)
