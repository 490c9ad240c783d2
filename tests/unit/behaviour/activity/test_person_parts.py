"""A file longer than a slice comes in slices of whole persons; what lies on disk meanwhile cannot be read."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from tanpuhui.behaviour.activity.adapters import person_parts
from tanpuhui.behaviour.activity.adapters._port import RowVerdict
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.person_parts import Parting, PersonParts, SliceRows
from tanpuhui.behaviour.activity.adapters.reading import FileRead, read_slices
from tanpuhui.foundation.kernel.errors import StorageFull

WANTED = ("record_id", "subject", "started_at")


def rows(first: int, n: int, people: int) -> pa.Table:
    numbers = list(range(first, first + n))
    return pa.table(
        {"row_number": numbers, "subject": [f"card-{number * 7919 % people}" for number in numbers]}
    )


def parted(folder: Path, *, people: int, rows_max: int, faults: int = 0) -> list[SliceRows]:
    with PersonParts(folder=folder, person=("subject",)) as parts:
        for first in range(0, 3_000, 1_000):
            lost = [
                RowVerdict(row_number=10_000 + first + n, reason="BAD_ROW", value="x") for n in range(faults)
            ]
            parts.add(rows(first, 1_000, people), lost)
        return list(parts.slices(rows_max))


def people_of(part: SliceRows) -> set[str]:
    return set(part.table.column("subject").to_pylist())


def test_every_row_comes_once_and_every_person_in_one_slice(tmp_path: Path) -> None:
    found = parted(tmp_path, people=700, rows_max=500, faults=4)
    assert len(found) > 5
    numbers = Counter(number for part in found for number in part.table.column("row_number").to_pylist())
    assert numbers == Counter(range(3_000))
    places = Counter(person for part in found for person in people_of(part))
    assert set(places.values()) == {1}
    lost = sorted(fault.row_number for part in found for fault in part.faults)
    assert lost == [10_000 + first + n for first in (0, 1_000, 2_000) for n in range(4)]
    assert sum(part.rows for part in found) == 3_012


def test_the_rows_of_a_person_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    for part in parted(tmp_path, people=20, rows_max=600):
        for person in people_of(part):
            own = [row["row_number"] for row in part.table.to_pylist() if row["subject"] == person]
            assert own == sorted(own)


def test_a_person_with_more_rows_than_a_slice_comes_in_several_so_that_memory_is_bounded(
    tmp_path: Path,
) -> None:
    found = parted(tmp_path, people=1, rows_max=800, faults=1)
    assert [part.table.num_rows for part in found if part.table.num_rows] == [800, 800, 800, 600]
    assert sum(len(part.faults) for part in found) == 3


def test_what_lies_on_disk_is_sealed_and_has_no_name(tmp_path: Path) -> None:
    with PersonParts(folder=tmp_path, person=("subject",)) as parts:
        parts.add(pa.table({"row_number": [1], "subject": ["distinctive-card-number"]}), [])
        parts._file.flush()
        assert list(tmp_path.iterdir()) == []
        parts._file.seek(0)
        kept = parts._file.read()
        assert len(kept) > 100
        assert re.search(rb"distinctive|subject|ARROW", kept) is None
        (part,) = parts.slices(10)
        assert part.table.to_pylist() == [{"row_number": 1, "subject": "distinctive-card-number"}]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PersonParts(folder=tmp_path, person=("subject",)) as parts, Path("/dev/full").open("r+b", 0) as full:
        parts._file.close()
        monkeypatch.setattr(parts, "_file", full)
        with pytest.raises(StorageFull):
            parts.add(rows(0, 10, 3), [])
        monkeypatch.undo()


def test_a_short_file_never_touches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_parts.tempfile, "TemporaryFile", None)
    (whole,) = read(100, rows_max=100, folder=tmp_path)
    assert whole.rows == 100


def test_a_long_text_file_is_parted_with_its_faults(tmp_path: Path) -> None:
    found = read(120_000, rows_max=50_000, folder=tmp_path, bad=b"only,two\n")
    assert len(found) >= 3
    assert sum(part.rows for part in found) == 120_001
    numbers = [number for part in found for number in part.table.column("row_number").to_pylist()]
    assert sorted(numbers) == list(range(2, 120_002))
    assert [fault.row_number for part in found for fault in part.faults] == [120_002]


def read(n: int, *, rows_max: int, folder: Path, bad: bytes = b"") -> list[FileRead]:
    lines = b"record_id,subject,started_at\n" + b"".join(b"r%d,c%d,x\n" % (k, k % 977) for k in range(n))
    return list(
        read_slices(
            io.BytesIO(lines + bad), file_format="csv", limits=Limits(file_bytes_max=10**8, line_bytes_max=99),
            wanted=WANTED, required=("record_id",),
            parting=Parting(rows_max=rows_max, person=("subject",), folder=folder),
        )
    )  # fmt: skip
