"""What a file is wrapped in makes no difference to its rows; bombs, passwords and riddles are refused by name."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import FileRead, format_of, read_file
from tanpuhui.behaviour.activity.adapters.sampling import writing_of
from tanpuhui.behaviour.activity.domain import FileUnusable

LIMITS = Limits(file_bytes_max=1 << 24, line_bytes_max=1000)
CSV = b"a,b\n1,2\n\n3,4\n"
NDJSON = b'{"a":"1","b":2}\n\n{"a":3,"b":"4"}\n'


def read(content: bytes, name: str = "day.csv", limits: Limits = LIMITS) -> FileRead:
    return read_file(
        io.BytesIO(content),
        file_format=format_of(name, ""),
        limits=limits,
        wanted=("a", "b"),
        required=("a",),
    )


def rows(found: FileRead) -> list[tuple[int, str, str]]:
    table = found.table
    return list(zip(*(table.column(name).to_pylist() for name in ("row_number", "a", "b")), strict=True))


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, cells in enumerate(sheets):
        sheet = book.create_sheet(f"表{number}")
        for row in cells:
            sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def named(value: object) -> str:
    """Name a case by its text: a zip holds the moment it was made, and two workers would make two names of it."""
    return value if isinstance(value, str) else "file"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(CSV, mtime=0), "day.csv.gz"),
        (zstd(CSV), "day.csv.zst"),
        (zstd(NDJSON), "day.ndjson.zst"),
        (zipped(day_csv=CSV), "day.zip"),
        (zipped(day_ndjson=NDJSON), "upload"),
        (workbook([["a", "b"], [1, "2"], [], ["3", 4]]), "day.xlsx"),
        (workbook([], [["a", "b"], [1, "2"], [], ["3", 4]]), "day"),
    ],
    ids=named,
)
def test_the_rows_and_their_numbers_are_those_of_the_file_inside(content: bytes, name: str) -> None:
    found = read(content, name)
    start = 1 if b"ndjson" in content or "ndjson" in name else 2
    assert (rows(found), found.faults) == ([(start, "1", "2"), (start + 2, "3", "4")], [])
    writing = writing_of(content, file_format=format_of(name, ""), limits=LIMITS)
    assert (writing.columns, writing.compressed) == (("a", "b"), True)


def test_cells_of_a_workbook_are_read_as_written() -> None:
    moment = datetime.fromisoformat("2026-11-20T08:00:01")
    found = read(
        workbook(
            [["a", "b"], [8.4, moment], ["=1+1", True], ["007", 1e-7], ['x,"y"', None], [123456789012345, -2]]
        )
    )
    assert [row[1:] for row in rows(found)] == [
        ("8.4", "2026-11-20T08:00:01"),
        ("=1+1", "true"),
        ("007", "0.0000001"),
        ('x,"y"', ""),
        ("123456789012345", "-2"),
    ]


@pytest.mark.parametrize("cell", [6217000000000001234, 1e15, 0.12345678901234568, "two\nlines", 'a"\r\n"b'])
def test_a_cell_that_lost_something_takes_its_row_out_by_name_and_no_other(cell: Any) -> None:
    found = read(workbook([["a", "b"], ["1", "2"], ["x", cell], ["3", "4"]]))
    assert [(fault.row_number, fault.reason) for fault in found.faults] == [(3, "BAD_ROW")]
    assert rows(found) == [(2, "1", "2"), (4, "3", "4")]


def test_a_row_wider_than_the_header_is_named() -> None:
    found = read(workbook([["a", "b"], ["1", "2", "3"], ["3"]]))
    assert [(fault.row_number, fault.reason) for fault in found.faults] == [(2, "BAD_ROW")]
    assert rows(found) == [(3, "3", "")]


def locked() -> bytes:
    content = bytearray(zipped(day_csv=CSV))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def swapped(content: bytes, old: bytes) -> bytes:
    """Damage the packed bytes of the member that holds `old` in its name."""
    at = content.index(old) + len(old) + 4
    return content[:at] + bytes(byte ^ 0xFF for byte in content[at : at + 40]) + content[at + 40 :]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (zipped(), "ZIP_MEMBERS"),
        (zipped(a_csv=CSV, b_csv=CSV), "ZIP_MEMBERS"),
        (zipped(day_parquet=b"PAR1"), "ZIP_PARQUET"),
        (locked(), "ZIP_ENCRYPTED"),
        (zipped(day_csv=CSV)[:-30], "BAD_COMPRESSION"),
        (swapped(zipped(day_csv=CSV * 100), b"day.csv"), "BAD_COMPRESSION"),
        (zstd(CSV * 1000)[:-9], "BAD_COMPRESSION"),
        (b"\x28\xb5\x2f\xfd this is no zstd", "BAD_COMPRESSION"),
        (zipped(**{"xl/workbook_xml": b"<no"}), "WORKBOOK_UNREADABLE"),
        (swapped(workbook([["a", "b"], [1, 2]]), b"xl/worksheets/sheet1.xml"), "WORKBOOK_UNREADABLE"),
        (workbook([["a"]], [["b"]]), "WORKBOOK_SHEETS"),
        (workbook([]), "EMPTY_FILE"),
        (workbook([["b"], [1]]), "MISSING_COLUMN"),
    ],
    ids=named,
)
def test_a_wrapping_that_cannot_be_opened_is_refused_by_name(content: bytes, fault: str) -> None:
    with pytest.raises(FileUnusable) as caught:
        read(content)
    assert caught.value.fault == fault


@pytest.mark.parametrize("pack", [zstd, lambda content: zipped(day_csv=content)])
def test_a_bomb_is_refused_before_it_is_unpacked_whole(pack: Any) -> None:
    bomb = pack(b"a,b\n" + b"1,2\n" * 500_000)
    with pytest.raises(FileUnusable) as caught:
        read(bomb, limits=Limits(file_bytes_max=1_000_000, line_bytes_max=1000))
    assert caught.value.fault == "FILE_TOO_LARGE"


def test_a_workbook_that_unpacks_beyond_the_bound_is_refused_unread() -> None:
    content = workbook([["a", "b"], *([["1", "2"]] * 2000)])
    with pytest.raises(FileUnusable) as caught:
        read(content, limits=Limits(file_bytes_max=20_000, line_bytes_max=1000))
    assert caught.value.fault == "FILE_TOO_LARGE"
