"""A file longer than a slice: the same books as in one piece, and nothing of it where its end is damaged."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet
import pytest
from django.db import connection
from tests.integration.behaviour.activity.town import CITY, Town, build

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.adapters import reading
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.behaviour.activity.operations._post_batch import _post

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 1, tzinfo=UTC)
RIDERS = ("S1", "S2", "S3")


@pytest.fixture
def town() -> Town:
    return build(subjects=RIDERS, scenarios=(("bus", "a01-bus"),))


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_post, "SLICE_ROWS", 40)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 2_000)


def rides(*, day: int, n: int) -> bytes:
    """Return rides of which every tenth repeats the one a slice earlier, more than the daily cap lets through."""
    lines = ["record_id,subject,scenario,started_at,area,distance_km"]
    for number in range(n):
        identity = number - 40 if number >= 40 and number % 10 == 0 else number
        lines.append(
            f"r{identity},{RIDERS[identity % 3]},bus,2026-11-{day:02d}T{number % 24:02d}:00:00+08:00,{CITY},8.4"
        )
    return "\n".join([*lines, ""]).encode()


def books(batch_id: int) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select e.account_id, sum(e.grams), sum(e.points), sum(e.n_records) from ledger_entry e "
            "join activity_posting p using (journal_id) join ledger_account a on a.id = e.account_id "
            "where p.batch_id = %s and a.system_code is null group by 1 order by 1",
            [batch_id],
        )
        return tuple(cursor.fetchall())


@pytest.mark.usefixtures("short_slices")
def test_a_long_file_gives_the_books_of_the_same_file_in_one_piece(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    parted = town.post(rides(day=17, n=130), at=AT, key="a")
    assert Posting.objects.filter(batch_id=parted.batch_id).count() > 2
    monkeypatch.setattr(_post, "SLICE_ROWS", 1_000)
    whole = town.post(rides(day=18, n=130), at=AT, key="b")
    assert Posting.objects.filter(batch_id=whole.batch_id).count() == 1
    assert books(parted.batch_id) == books(whole.batch_id)
    assert (parted.counted, parted.grams, parted.points) == (whole.counted, whole.grams, whole.points)
    assert list(queries.breaches()) == []


@pytest.mark.usefixtures("short_slices")
def test_a_file_damaged_at_its_end_leaves_nothing_of_its_earlier_slices(town: Town) -> None:
    content = gzip.compress(rides(day=17, n=400), mtime=0)
    refused = town.post(content[:-20], at=AT, name="rides.csv.gz")
    assert (refused.state, refused.counted) == ("refused", 0)
    assert not Posting.objects.exists()
    assert town.post(content, at=AT, key="again", name="rides.csv.gz").counted > 0
    assert list(queries.breaches()) == []


def test_parquet_and_text_of_the_same_rides_give_the_same_grams(town: Town) -> None:
    lines = [line.split(",") for line in rides(day=17, n=30).decode().splitlines()]
    table = pa.table({name: [row[place] for row in lines[1:]] for place, name in enumerate(lines[0])})
    stream = io.BytesIO()
    pa.parquet.write_table(table, stream)
    found = town.post(stream.getvalue(), at=AT, name="rides.parquet")
    again = town.post(rides(day=18, n=30), at=AT, key="text")
    assert found.grams == again.grams
    assert found.counted == again.counted
