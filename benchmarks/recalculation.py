"""Recalculation: a year of records with a revised factor, against the same done in plain SQL over row storage.

The year is posted through intake, a file a month. Plain SQL has the records as rows with account, day, distance and
grams, computes the difference by hand as exactly, writes one entry for each account-day and updates balances. Ours
reads columnar chunks, runs the engine's SQL, keeps every new result with its hashes beside the old one, and posts
sealed journals. Both run on the same server in the same run; each once, because posting differences twice is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
from django.conf import settings
from django.db import connection
from tests.integration.behaviour.activity.revision import (
    MAKER,
    adjust_all,
    approve,
    bus_version,
    key,
    preview_all,
    revised_bus,
)
from tests.integration.behaviour.activity.town import CITY, HUANGHAI, Town

from benchmarks.crowd import settle
from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.adapters.tables import open_tables
from tanpuhui.behaviour.activity.models import Recalculation, RecordChunk
from tanpuhui.behaviour.activity.operations import (
    post_batch,
    prepare_recalculation,
)
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA

YEAR = 2025
MONTHS = tuple(f"{YEAR}-{month:02d}" for month in range(1, 13))
NEW_FACTOR = "0.110"
BREACHES_UP_TO = 300_000
DIFFERENCES = f"""
select account_id, day, sum(again - grams), sum(again) / 10 - sum(grams) / 10
from (
  select account_id, day, grams,
    case when granted = 0 then 0 else floor(distance_km * ({NEW_FACTOR} - 0.052) * 1000)::bigint end as again
  from plain_ride
) again group by account_id, day having sum(again) <> sum(grams)
"""
PLAIN = f"""
insert into plain_entry {DIFFERENCES};
update plain_balance b set grams = b.grams + d.grams, points = b.points + d.points
from (select account_id, sum(grams) as grams, sum(points) as points from plain_entry group by account_id) d
where b.account_id = d.account_id;
"""


def run(*, records: int, accounts: int) -> None:
    settings.TANPUHUI_JURISDICTION_DIR = HUANGHAI
    print(f"setting up {accounts:,} people; {records:,} records over {len(MONTHS)} months")
    town = settle(accounts).town
    posted_s = sum(_post_month(town, month, records // len(MONTHS), accounts) for month in MONTHS)
    at = datetime(YEAR + 1, 2, 1, 9, tzinfo=CHINA)
    old = bus_version(at)
    new = revised_bus(NEW_FACTOR)
    _lay_out_rows()
    _reset_peak()
    plain_only_s = _seconds(_differences_only)
    plain_s = _seconds(_plain)
    prepared = prepare_recalculation(
        actor=MAKER, at=at, idempotency_key=key(), scenario="bus", from_version_id=old, to_version_id=new,
        first_month=MONTHS[0], last_month=MONTHS[-1], reason="benchmark",
    )  # fmt: skip
    number = prepared.recalculation_id
    preview_s = _seconds(lambda: preview_all(at, number))
    approve(at, number)
    adjust_s = _seconds(lambda: adjust_all(at, number))
    peak = _peak_mb()
    again_s = _seconds(lambda: _have_again(prepared.records))
    _same_as_plain(number)
    _print(Recalculation.objects.get(pk=number), locals())
    if records <= BREACHES_UP_TO:
        broken = [*queries.breaches(), *ledger.breaches()]
        print(f"invariants of intake and ledger: {len(broken)} breaches")


def _print(done: Recalculation, seconds: dict[str, Any]) -> None:
    records, totals = done.totals["records"], done.totals
    posted, plain = seconds["posted_s"], seconds["plain_s"]
    print(
        f"{records:,} records, {totals['changed']:,} changed, {totals['account_days']:,} account-days adjusted in "
        f"{done.steps_done} steps, {totals['grams']:+,} g, {totals['points']:+,} points; the same as plain SQL"
    )
    only = seconds["plain_only_s"]
    print(
        f"{'plain SQL over rows: differences only':54}{records / only:>11,.0f} records/s; the preview, which also goes by "
        f"month, city and person, {only / seconds['preview_s']:.2f} x as fast"
    )
    for words, name in (
        ("plain SQL over rows: differences, entries, balances", "plain_s"),
        ("preview: recompute, by month, city and person", "preview_s"),
        ("adjust: recompute, keep results, journals, balances", "adjust_s"),
        ("have every stored result again to the byte", "again_s"),
        ("posting the year in the first place", "posted_s"),
    ):
        spent = seconds[name]
        print(
            f"{words:54}{records / spent:>11,.0f} records/s {spent / plain:6.2f} x plain SQL {spent / posted:6.2f} x posting"
        )
    print(f"peak memory of this process from preview to the last step: {seconds['peak']} MB")


def _post_month(town: Town, month: str, records: int, accounts: int) -> float:
    """Post a month of rides as one file, and return the seconds from stored file to commit."""
    content = _file(month, records, accounts)
    last = (datetime.fromisoformat(f"{month}-28T00:00:00+08:00") + timedelta(days=5)).replace(day=2)
    batch_id = town.receive(content, at=last, key=month, name=f"{month}.csv")
    spent = _seconds(lambda: post_batch(actor=SYSTEM, at=last, batch_id=batch_id))
    print(f"  {month} posted in {spent:.1f} s", flush=True)
    return spent


def _file(month: str, records: int, accounts: int) -> bytes:
    """Return a file of rides: who, when and how far by a fixed mixing of the row's number."""
    path = Path(settings.TANPUHUI_DATA_DIR) / "rides.csv"
    with closing(open_tables()) as tables:
        tables.execute(
            f"copy (select '{month}-' || i as record_id, 'card-' || lpad((hash(i * 7 + 1) % {accounts})::varchar, 8, '0') "
            f"as subject, 'bus' as scenario, strftime(timestamp '{month}-01' + to_seconds((hash(i * 7 + 2) % 2419200)::bigint), "
            f"'%Y-%m-%dT%H:%M:%S+08:00') as started_at, '{CITY}' as area, "
            "((hash(i * 7 + 3) % 29000 + 500)::decimal(9, 3) * 0.001::decimal(4, 3))::decimal(9, 3) as distance_km "
            f"from range({records}) as r (i)) to '{path}' (format csv, header)"
        )
    return path.read_bytes()


def _lay_out_rows() -> None:
    """Lay out what was posted as rows, for plain SQL; not measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            "create table plain_ride (account_id bigint, day date, granted numeric, distance_km numeric, grams bigint);"
            "create table plain_entry (account_id bigint, day date, grams bigint, points bigint, primary key (account_id, day));"
            "create table plain_balance as select account_id, grams, points from ledger_balance;"
            "create unique index on plain_balance (account_id)"
        )
        names = ("account_id", "day", "granted", "distance_km", "grams")
        for posting_id in sorted(set(RecordChunk.objects.values_list("posting_id", flat=True))):
            chunks = list(RecordChunk.objects.filter(posting_id=posting_id).values_list("amounts", flat=True))
            with cursor.copy("copy plain_ride from stdin (format csv)") as copy:
                for amounts in chunks:
                    lines = pa.BufferOutputStream()
                    table = decode_payload(bytes(amounts)).select(names)
                    pa.csv.write_csv(table, lines, pa.csv.WriteOptions(include_header=False))
                    copy.write(lines.getvalue().to_pybytes())
        cursor.execute("analyze plain_ride")


def _differences_only() -> None:
    """What plain SQL takes to know the differences and write nothing: the peer of a preview."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select count(*), sum(grams), sum(points) from ({DIFFERENCES}) as d (account_id, day, grams, points)"
        )


def _plain() -> None:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)


def _same_as_plain(number: int) -> None:
    """Both give the same entries, account-day by account-day, or the comparison is worth nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from plain_entry p full join (select e.account_id, e.day, e.grams from ledger_entry e "
            "join ledger_journal j on j.id = e.journal_id join ledger_account a on a.id = e.account_id "
            "where j.kind = 'recalculation' and a.system_code is null and e.grams <> 0) e using (account_id, day) "
            "where p.grams is distinct from e.grams"
        )
        differ = cursor.fetchone()[0]
    assert differ == 0, f"recalculation {number} and plain SQL differ on {differ} account-days"


def _have_again(records: int) -> None:
    seen = 0
    for again in queries.reproduce_postings():
        assert again.same, again
        seen += again.records
    assert seen == records


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _reset_peak() -> None:
    """Begin to measure the peak of this process's memory anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        print("  (the peak includes posting: this system does not let it be reset)")


def _peak_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
