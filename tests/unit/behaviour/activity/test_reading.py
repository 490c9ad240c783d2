"""Bytes to rows: bad lines leave by name with their number, good lines stay, and no line can fill the memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator

import pytest

from tanpuhui.behaviour.activity.adapters import reading
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.reading import FileRead, format_of, read_file
from tanpuhui.behaviour.activity.domain import FileUnusable

LIMITS = Limits(file_bytes_max=1 << 32, line_bytes_max=1000)


def read(content: bytes, kind: str = "csv", limits: Limits = LIMITS) -> FileRead:
    return read_file(
        io.BytesIO(content),
        file_format=kind,
        limits=limits,
        wanted=("a", "b"),
        required=("a",),  # type: ignore[arg-type]
    )


def rows(found: FileRead) -> list[tuple[int, str, str]]:
    table = found.table
    return list(zip(*(table.column(name).to_pylist() for name in ("row_number", "a", "b")), strict=True))


def faults(found: FileRead) -> list[tuple[int, str]]:
    return [(fault.row_number, fault.reason) for fault in found.faults]


def test_rows_are_numbered_as_in_an_editor_and_blank_lines_are_no_rows() -> None:
    found = read(b"a,b\r\n1,2\r\n\r\n3,4")
    assert (found.rows, rows(found)) == (2, [(2, "1", "2"), (4, "3", "4")])


def test_columns_are_found_by_name_and_others_passed_over() -> None:
    assert rows(read(b"c,b,a\nx,2,1\n")) == [(2, "1", "2")]


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    assert rows(read(b"\xef\xbb\xbfa,b\n1,2\n")) == [(2, "1", "2")]


def test_a_line_with_too_many_or_too_few_cells_is_named() -> None:
    found = read(b"a,b\n1\n1,2,3\n5,6\n")
    assert (faults(found), rows(found)) == ([(2, "BAD_ROW"), (3, "BAD_ROW")], [(4, "5", "6")])


def test_an_open_quote_does_not_swallow_the_lines_that_follow() -> None:
    found = read(b'a,b\n"1,2\n3,4\n5,"6\n"7,7",8\n')
    assert faults(found) == [(2, "BAD_ROW"), (4, "BAD_ROW")]
    assert rows(found) == [(3, "3", "4"), (5, "7,7", "8")]


def test_a_quote_within_a_cell_does_not_join_lines() -> None:
    found = read(b'a,b\n1,2\nx"3,"4\n5,6\n"7"8,9\n10,11\n')
    assert (3, "BAD_ROW") in faults(found)
    assert rows(found)[0] == (2, "1", "2")
    assert rows(found)[-1] == (6, "10", "11")
    assert (4, "5", "6") in rows(found)
    assert len(faults(found)) + len(rows(found)) == found.rows == 5


def test_a_carriage_return_within_a_line_makes_no_row() -> None:
    found = read(b"a,b\r\n1,2\r\n3\r4,5\r\n6,7\r\n")
    assert faults(found) == [(3, "BAD_ROW")]
    assert rows(found) == [(2, "1", "2"), (4, "6", "7")]


def test_a_line_that_is_not_utf8_is_named_with_the_byte_and_the_rest_is_kept() -> None:
    found = read(b"a,b\n1,2\n3,\xff4\n5,6\n")
    assert [(f.row_number, f.reason, f.value) for f in found.faults] == [(3, "BAD_ENCODING", "11")]
    assert rows(found) == [(2, "1", "2"), (4, "5", "6")]


def test_a_zero_byte_is_named() -> None:
    assert faults(read(b"a,b\n1,\x002\n3,4\n")) == [(2, "BAD_ENCODING")]


def test_a_long_line_is_named_and_the_next_one_is_read() -> None:
    found = read(b"a,b\n1," + b"x" * 2000 + b"\n3,4\n")
    assert (faults(found), rows(found)) == ([(2, "LINE_TOO_LONG")], [(3, "3", "4")])


def test_a_long_last_line_without_an_end_is_named() -> None:
    found = read(b"a,b\n1,2\n3," + b"x" * 2000)
    assert (faults(found), rows(found)) == ([(3, "LINE_TOO_LONG")], [(2, "1", "2")])


class Endless(io.RawIOBase):
    """A stream of one line of the given length, made as it is read."""

    def __init__(self, length: int) -> None:
        self._pieces = self._made(length)

    def _made(self, length: int) -> Iterator[bytes]:
        yield b"a,b\n1,2\n3,"
        for _ in range(length // (1 << 20)):
            yield b"x" * (1 << 20)
        yield b"\n5,6\n"

    def read(self, size: int = -1) -> bytes:
        if size == 4:
            return b"a,b\n"
        return next(self._pieces, b"")

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0


def test_a_line_of_a_gigabyte_does_not_fill_the_memory() -> None:
    tracemalloc.start()
    found = read_file(Endless(1 << 30), file_format="csv", limits=LIMITS, wanted=("a", "b"), required=("a",))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (faults(found), rows(found)) == ([(3, "LINE_TOO_LONG")], [(2, "1", "2"), (4, "5", "6")])
    assert peak < 4 * reading.BLOCK_BYTES


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "EMPTY_FILE"),
        (b"\n\n", "EMPTY_FILE"),
        (b"a,b\n\n", "EMPTY_FILE"),
        (b"\na,b\n", "HEADER_UNREADABLE"),
        (b"x" * 2000, "HEADER_UNREADABLE"),
        ("a,b\n1,2\n".encode("utf-16"), "BAD_ENCODING"),
        (b"a,b\n\xff,1\n\xfe,2\n", "BAD_ENCODING"),
        (b"b\n1\n", "MISSING_COLUMN"),
        (b"a,a\n1,2\n", "DUPLICATE_COLUMN"),
        (gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-9], "BAD_COMPRESSION"),
        (b"\x1f\x8b\x08 this is no gzip", "BAD_COMPRESSION"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_refused_by_name(content: bytes, fault: str) -> None:
    with pytest.raises(FileUnusable) as caught:
        read(content)
    assert caught.value.fault == fault


def test_a_compressed_file_larger_than_allowed_is_refused_before_it_is_unpacked_whole() -> None:
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000, mtime=0)
    with pytest.raises(FileUnusable) as caught:
        read(bomb, limits=Limits(file_bytes_max=1_000_000, line_bytes_max=1000))
    assert caught.value.fault == "FILE_TOO_LARGE"


def test_numbers_of_json_are_given_back_digit_by_digit() -> None:
    found = read(b'{"a":0.12345678901234567890,"b":"x"}\n{"a":8.4}\n{"b":1,"a":"7"}\n', "ndjson")
    assert rows(found) == [(1, "0.12345678901234567890", "x"), (2, "8.4", ""), (3, "7", "1")]


def test_lines_that_are_no_json_object_are_named() -> None:
    found = read(b'{"a":1}\nno\n[1]\n\n3\n{"a":\n', "ndjson")
    assert faults(found) == [(2, "BAD_ROW"), (3, "BAD_ROW"), (5, "BAD_ROW"), (6, "BAD_ROW")]
    assert rows(found) == [(1, "1", "")]


def test_lines_are_cut_alike_whatever_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    content = (
        b"a,b\n"
        + b"".join(b"%d,%d\n" % (n, n * n) for n in range(500))
        + b"x,\xff\n"
        + b"9" * 1500
        + b"\n1,1"
    )
    whole = read(content)
    for size in (1, 3, 7, 64, 1001):
        monkeypatch.setattr(reading, "BLOCK_BYTES", size)
        found = read(content)
        assert (rows(found), sorted(faults(found))) == (rows(whole), sorted(faults(whole)))


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [("a.csv", "text/csv", "csv"), ("a.csv.gz", "application/gzip", "csv"), ("A.NDJSON.GZ", "", "ndjson"),
     ("a.jsonl", "", "ndjson"), ("upload", "application/x-ndjson", "ndjson")],
)  # fmt: skip
def test_the_format_follows_from_the_name_or_the_media_type(name: str, media_type: str, kind: str) -> None:
    assert format_of(name, media_type) == kind


@pytest.mark.parametrize(
    "line",
    [b'{"a": 8.40, "b": [1, {"c": "x"}]}', b'{"a": null, "b": true}', b' {"b":"\\u0041","a":"1","a":"2"} ', b'{"a": {}}', b'{"a":-0, "b": 1e2}'],
)  # fmt: skip
def test_a_line_reads_the_same_whether_its_neighbours_are_objects_or_not(line: bytes) -> None:
    alone = rows(read(line + b"\n", "ndjson"))
    beside = read(line + b"\nno object\n[1]\n", "ndjson")
    assert rows(beside) == alone
    assert faults(beside) == [(2, "BAD_ROW"), (3, "BAD_ROW")]
