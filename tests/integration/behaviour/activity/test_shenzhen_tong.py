"""The real card file, end to end, against plain SQL over the raw file that shares no line with the platform."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from tests.integration.behaviour.activity.town import CITY, ROOT, SHENZHEN_TEST, Town, build

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.identity.operations import issue_api_key
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.interfaces.api.views import batches

SHARED = Path(os.environ.get("TANPUHUI_SHARED_DIR", ROOT.parent / "shared"))
FILE = SHARED / "data" / "shenzhen-tong-2018-09-01.csv.gz"
RECEIVED = datetime(2018, 9, 2, 2, 0, tzinfo=UTC)
METRO_G, BUS_G, TRIPS_PER_DAY = 541, 260, 6
"""0.5419 kg per metro trip and 5 km x (0.104 - 0.052) kg/km per bus trip, each floored to a gram; six a day count."""

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.is_file(), reason=f"the shared data file is not there: {FILE.name}"),
]

EXPECTED = """
create temp table tap as
  select row_number() over () + 1 as line, * from read_csv($file, header = true, all_varchar = true, parallel = false);
create temp table seen as
  select *, row_number() over (partition by card_no, deal_date, deal_type, deal_money, deal_value, equ_no,
    company_name, station, car_no, conn_mark, close_date order by line) as nth from tap;
create temp table metro as
  select *, lag(deal_type) over w as before, lead(deal_type) over w as after from seen
  where nth = 1 and deal_type in ('地铁入站', '地铁出站') and coalesce(station, '') <> ''
  window w as (partition by card_no order by deal_date, line);
"""


def expected() -> dict[str, int]:
    with duckdb.connect() as sql:
        for statement in EXPECTED.replace("$file", f"'{FILE}'").split(";")[:-1]:
            sql.execute(statement).fetchall()

        def one(query: str) -> int:
            return int(sql.execute(query).fetchall()[0][0])

        return {
            "rows": one("select count(*) from tap"),
            "repeats": one("select count(*) from seen where nth > 1"),
            "no_station": one("select count(*) from seen where nth = 1 and deal_type <> '巴士' and coalesce(station, '') = ''"),
            "metro": one("select count(*) from metro where deal_type = '地铁出站' and before = '地铁入站'"),
            "lonely_entries": one("select count(*) from metro where deal_type = '地铁入站' and after is distinct from '地铁出站'"),
            "lonely_exits": one("select count(*) from metro where deal_type = '地铁出站' and before is distinct from '地铁入站'"),
            "bus": one("select count(*) from seen where nth = 1 and deal_type = '巴士'"),
            "bus_repeated": one(
                "select coalesce(sum(n - 1), 0) from (select count(*) as n from seen where nth = 1 and deal_type = '巴士' "
                "group by card_no, deal_date, equ_no)"
            ),
            "bus_capped": one(
                f"select coalesce(sum(greatest(n - {TRIPS_PER_DAY}, 0)), 0) from (select count(*) as n from "
                "(select distinct card_no, deal_date, equ_no from seen where deal_type = '巴士') "
                "group by card_no, deal_date[:10])"
            ),
        }  # fmt: skip


def city_of_cards() -> Town:
    """Open an account for every card of the file, and the feeds that read it."""
    with duckdb.connect() as sql:
        cards = [
            row[0]
            for row in sql.execute(f"select distinct card_no from read_csv('{FILE}') order by 1").fetchall()
        ]
    return build(
        subjects=cards,
        scenarios=(("bus", "a01-bus"), ("metro", "a02-metro")),
        adapter="shenzhen_tong",
        parameter_set=SHENZHEN_TEST,
        default_area=CITY,
    )


def test_the_real_file_gives_the_trips_and_grams_that_plain_sql_gives() -> None:
    town = city_of_cards()
    posted = town.post(FILE.read_bytes(), at=RECEIVED, name=FILE.name, adapter="shenzhen_tong")
    want = expected()
    report = Batch.objects.get().report
    reasons = Counter(report["reasons"])
    assert (posted.rows, sum(report["verdicts"].values())) == (want["rows"], want["rows"])
    assert reasons["MISSING_STATION"] == want["no_station"]
    assert reasons["PART_OF_TRIP"] == want["metro"]
    assert reasons["UNMATCHED_ENTRY"] == want["lonely_entries"]
    assert reasons["UNMATCHED_EXIT"] == want["lonely_exits"]
    assert reasons["DUPLICATE_IN_FILE"] == want["repeats"] + want["bus_repeated"]
    assert posted.counted == want["metro"] + want["bus"] - want["bus_repeated"]
    assert reasons["CLIPPED_BY_CAP"] == want["bus_capped"]
    bus = want["bus"] - want["bus_repeated"] - want["bus_capped"]
    assert posted.grams.value == METRO_G * want["metro"] + BUS_G * bus
    assert (want["repeats"], want["metro"] > 400, want["bus"] > 18_000) == (1, True, True)
    assert list(queries.breaches()) == []


BOOKS = """
select coalesce(a.system_code, a.owner_type || a.owner_id), {row} - 'account_id' - 'journal_id' - 'version'
from {table} x join ledger_account a on a.id = x.account_id order by 1, 2
"""


def books() -> dict[str, list[tuple[str, str]]]:
    """Return every entry and balance of the ledger by its account's owner, without the numbers of rows."""
    found = {}
    with connection.cursor() as cursor:
        for table in ("ledger_entry", "ledger_balance"):
            cursor.execute(BOOKS.format(row="to_jsonb(x)", table=table))
            found[table] = cursor.fetchall()
    return found


def test_the_real_file_gives_the_same_books_through_the_api_and_as_a_file(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = city_of_cards()
    key = issue_api_key(actor=SYSTEM, at=timezone.now(), organisation_id=town.partner_id, name="生产").key
    empty = books()
    point = transaction.savepoint()
    as_file = town.post(FILE.read_bytes(), at=RECEIVED, name=FILE.name, adapter="shenzhen_tong")
    want = books()
    transaction.savepoint_rollback(point)
    assert books() == empty
    # The file is of 2018, and a record may come late by some days only.
    monkeypatch.setattr(batches, "timezone", SimpleNamespace(now=lambda: RECEIVED))
    sent = client.post(
        "/api/v1/batches?adapter=shenzhen_tong",
        data=FILE.read_bytes(),
        content_type="application/gzip",
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "day-1", "X-File-Name": FILE.name},
    )
    assert sent.status_code == 202, sent.content
    by_api = post_batch(actor=SYSTEM, at=RECEIVED, batch_id=sent.json()["batch_id"])
    assert (by_api.rows, by_api.counted, by_api.grams) == (as_file.rows, as_file.counted, as_file.grams)
    assert books() == want != empty
