"""Rejected rows come back in a file that names the batch it corrects; each row that is made good is known."""

from __future__ import annotations

import csv as comma
import gzip
import io
import json
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet
import pytest
from openpyxl import Workbook
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import NothingToCorrect, RowsStillOpen
from tanpuhui.behaviour.activity.operations import post_batch, receive_batch, request_correction
from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.workflow import queries as workflow

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990100"),))
FAULTY = csv(bus("R1"), bus("R2", distance="-8.4"), bus("R3", started="not a time"), "=cmd,S1")
"""Row 2 is good; rows 3 and 4 have a fault in a column; row 5 has too few columns."""


@pytest.fixture
def town(db: None) -> Town:
    return build(subjects=("S1",), scenarios=(("bus", "a01-bus"),))


def correct(town: Town, content: bytes, *, corrects: int, at: datetime, key: str) -> int:
    received = receive_batch(
        actor=town.partner, at=at, idempotency_key=key, partner_id=town.partner_id, adapter="standard",
        file_name="again.csv", media_type="text/csv", content=content, corrects=corrects,
    )  # fmt: skip
    return post_batch(actor=SYSTEM, at=at, batch_id=received.batch_id).batch_id


def rows(batch_id: int) -> list[dict[str, str]]:
    return list(comma.DictReader(queries.rows_to_correct_csv(batch_id, locale="en")))


def again(*lines: tuple[str, int]) -> bytes:
    head, *rest = csv(*(line for line, _ in lines)).decode().splitlines()
    numbered = [f"{line},{row}" for line, (_, row) in zip(rest, lines, strict=True)]
    return "\n".join([f"{head},corrects_row", *numbered, ""]).encode()


def test_the_rows_to_correct_stand_as_they_were_sent_with_what_is_wrong(town: Town, now: datetime) -> None:
    batch_id = town.post(FAULTY, at=now).batch_id
    found = rows(batch_id)
    assert [(row["corrects_row"], row["record_id"], row["distance_km"]) for row in found] == [
        ("3", "R2", "-8.4"),
        ("4", "R3", "8.4"),
        ("5", "", ""),
    ]
    assert [row["corrects_field"] for row in found] == ["distance_km", "started_at", ""]
    assert all(row["corrects_reason"] for row in found)


def test_a_row_is_made_good_by_the_row_that_names_it_until_none_is_open(town: Town, now: datetime) -> None:
    batch_id = town.post(FAULTY, at=now).batch_id
    assert queries.rows_open(batch_id) == 3
    first = correct(
        town, again((bus("R2", distance="8.4"), 3), (bus("R3", started="still none"), 4), (bus("R9"), 2)),
        corrects=batch_id, at=now, key="c1",
    )  # fmt: skip
    assert queries.mended_by(batch_id, [2, 3, 4, 5]) == {3: (first, 2)}  # row 2 was never at fault
    assert [row["corrects_row"] for row in rows(batch_id)] == ["4", "5"]
    second = correct(
        town, again((bus("R3"), 4), (bus("R4"), 5), (bus("R2"), 3)), corrects=batch_id, at=now, key="c2"
    )
    assert queries.mended_by(batch_id, [3, 4, 5]) == {3: (first, 2), 4: (second, 2), 5: (second, 3)}
    assert (queries.rows_open(batch_id), queries.corrections_of(batch_id)) == (0, (first, second))
    assert queries.batch(second).corrects == batch_id
    assert list(queries.breaches()) == []


def test_the_case_closes_by_itself_with_the_last_row_and_not_before(town: Town, now: datetime) -> None:
    wiring.install()
    batch_id = town.post(FAULTY, at=now).batch_id
    case_id = request_correction(actor=MAKER, at=now, batch_id=batch_id).case_id
    correct(town, again((bus("R2"), 3), (bus("R3"), 4)), corrects=batch_id, at=now, key="c1")
    assert workflow.case(case_id).state == "requested"
    with pytest.raises(RowsStillOpen):
        queries.every_row_mended(at=now, case_id=case_id, subject_id=str(batch_id))
    last = correct(town, again((bus("R4"), 5)), corrects=batch_id, at=now, key="c2")
    assert workflow.case(case_id).closed_at is not None
    line = workflow.timeline(case_id)[-1]
    assert (line.actor_kind, line.outcome) == ("system", "mended")
    assert f"#{last}" in line.opinion


def test_only_own_batches_with_open_rows_are_corrected(town: Town, now: datetime) -> None:
    good = town.post(csv(bus("R1")), at=now).batch_id
    waiting = town.receive(FAULTY, at=now, key="k2")
    for batch_id in (good, waiting, 999_999):
        with pytest.raises(NothingToCorrect):
            correct(town, csv(bus("R7")), corrects=batch_id, at=now, key="c1")


def as_ndjson() -> tuple[str, bytes]:
    head, *lines = FAULTY.decode().splitlines()
    names = head.split(",")
    said = [json.dumps(dict(zip(names, line.split(","), strict=False))) for line in lines[:3]]
    return "rides.ndjson", "\n".join([*said, "no json", ""]).encode()


def as_workbook() -> tuple[str, bytes]:
    book = Workbook()
    for line in FAULTY.decode().splitlines()[:4]:
        book.active.append(line.split(","))  # type: ignore[union-attr]
    kept = io.BytesIO()
    book.save(kept)
    return "rides.xlsx", kept.getvalue()


def as_parquet() -> tuple[str, bytes]:
    head, *lines = FAULTY.decode().splitlines()
    names = head.split(",")
    columns = zip(*(line.split(",") for line in lines[:3]), strict=True)
    kept = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(dict(zip(names, map(list, columns), strict=True))), kept)
    return "rides.parquet", kept.getvalue()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (as_ndjson, [("2", "R2"), ("3", "R3"), ("4", "")]),
        (as_workbook, [("3", "R2"), ("4", "R3")]),
        (as_parquet, [("2", "R2"), ("3", "R3")]),
        (lambda: ("rides.csv.gz", gzip.compress(FAULTY)), [("3", "R2"), ("4", "R3"), ("5", "")]),
    ],
    ids=["ndjson", "xlsx", "parquet", "gzip"],
)
def test_the_rows_to_correct_come_out_of_every_format(
    town: Town, now: datetime, form: Callable[[], tuple[str, bytes]], expected: list[tuple[str, str]]
) -> None:
    name, content = form()
    batch_id = town.post(content, at=now, name=name).batch_id
    assert [(row["corrects_row"], row["record_id"]) for row in rows(batch_id)] == expected


def test_a_batch_without_open_rows_gives_none_to_correct(town: Town, now: datetime) -> None:
    for content in (csv(bus("R1")), b""):
        batch_id = town.post(content, at=now, key=str(len(content))).batch_id
        with pytest.raises(NothingToCorrect):
            queries.rows_to_correct_csv(batch_id)


def test_a_file_without_the_column_mends_nothing_and_is_posted(town: Town, now: datetime) -> None:
    batch_id = town.post(FAULTY, at=now).batch_id
    sent = correct(town, csv(bus("R2")), corrects=batch_id, at=now, key="c1")
    assert queries.batch(sent).verdicts["counted"] == 1
    assert queries.rows_open(batch_id) == 3
