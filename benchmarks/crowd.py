"""People, rules and files for a measurement. Only the setting up uses SQL; what is measured goes through operations.

The files are made by DuckDB from seeded draws, because a million rows one by one would take longer than posting them. They
have the faults that the demonstration's generator gives its files, in the same shares.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from django.db import connection, transaction
from tests.integration.behaviour.activity.town import CITY, Town, build

from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.foundation.identity.queries import subject_indexes

LONG_AGO = datetime(2018, 1, 1, tzinfo=UTC)
CARD = "card-{:08d}"


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The made-up town with its many riders, whose cards are numbered from nought."""

    town: Town
    people: int


def settle(people: int) -> Crowd:
    """Return the made-up town with many riders, each with subject, account and consent to ride the bus."""
    town = build(subjects=())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "insert into identity_user (username, display_name, area, is_active, is_citizen, joined_at, password, "
            "password_is_temporary) select 'rider-' || n, 'rider', %s, true, false, %s, '', false "
            "from generate_series(0, %s) n order by n returning id",
            [CITY, LONG_AGO, people - 1],
        )
        users = [row[0] for row in cursor.fetchall()]
        with cursor.copy(
            "copy identity_partnersubject (partner_id, subject_index, user_id, bound_at) from stdin"
        ) as copy:
            for index, user_id in zip(_indexes(town.partner_id, people), users, strict=True):
                copy.write_row((town.partner_id, index, user_id, LONG_AGO))
        cursor.execute(
            "insert into identity_consent (user_id, scenario, text_version, given_at) "
            "select u, 'bus', '1', %s from unnest(%s::bigint[]) u",
            [LONG_AGO, users],
        )
        open_accounts(owner_type="user", owner_ids=users, at=LONG_AGO)
        cursor.execute("analyze")
    return Crowd(town=town, people=people)


def _indexes(partner_id: int, people: int) -> Iterator[bytes]:
    subjects = [CARD.format(number) for number in range(people)]
    found = subject_indexes(partner_id, subjects)
    return (found[subject] for subject in subjects)


_ROWS = """
with drawn as (
  select n, hash(n, {seed}) as a, hash(n, {seed} + 1) as b, hash(n, {seed} + 2) as c, hash(n, {seed} + 3) as f
  from range({records}) as r(n)
), ridden as (
  select n, (f % 1000)::integer as fault, c,
    {traveller} as traveller,
    (10 + least((b % 101)::integer, ((b >> 16) % 211)::integer)) as tenths,
    [7, 7, 8, 8, 12, 17, 18, 18, 20][(1 + (b >> 40) % 9)::bigint] * 3600 + ((b >> 48) % 3600)::integer as second,
    14 + (c % 11)::integer as speed
  from drawn
)
select
  '{name}-{day:%Y%m%d}-' || lpad((case when fault between 12 and 19 then greatest(n - 1, 0) else n end)::varchar, 8, '0')
    || case when fault < 6 then '-late' else '' end as record_id,
  case fault when 20 then '' when 21 then '' else
    case when fault between 24 and 30 then 'stranger-' || (c % 10000) else 'card-' || lpad(traveller::varchar, 8, '0') end
  end as subject,
  'bus' as scenario,
  case fault when 22 then '昨天' else strftime(t, '%Y-%m-%dT%H:%M:%S') || '+08:00' end as started_at,
  strftime(t + to_seconds(tenths * 360 // speed), '%Y-%m-%dT%H:%M:%S') || '+08:00' as ended_at,
  case fault when 23 then '000001' else '{area}' end as area,
  case when fault between 6 and 8 then '-' when fault = 19 then '=' else '' end
    || (tenths // 10) || '.' || (tenths % 10) as distance_km,
  (tenths * 360 // speed)::varchar as duration_s,
  '' as vehicle_type,
  'B' || (1 + c % 139) as line, 'b' || ((c >> 16) % 900) as from_place, 'b' || ((c >> 32) % 900) as to_place
from (
  select *, timestamp '{day}' + to_seconds(second)
    + case when fault < 6 then to_days(-31 - (c % 15)::integer) when fault between 9 and 11 then to_days(400)
      else interval 0 second end as t
  from ridden
)
"""
SKEWED = "least((a % {people})::bigint, ((a >> 32) % {people})::bigint)"
"""The lower half of the cards travels more, as people do."""
EVEN = "(n * 2654435761 % {people})::bigint"
"""Every card about as often as the next, in an order that has nothing to do with accounts."""


def write_bus_file(
    path: Path,
    *,
    crowd: Crowd,
    day: date,
    records: int,
    seed: int,
    file_format: str,
    even: bool = False,
    name: str = "bus",
) -> None:
    """Write one day of bus rides as a file; about four rows in a hundred are wrong, late, repeated or of strangers."""
    traveller = (EVEN if even else SKEWED).format(people=crowd.people)
    rows = _ROWS.format(name=name, seed=seed, records=records, day=day, area=CITY, traveller=traveller)
    options = {
        "csv": "format csv, header true",
        "ndjson": "format json",
        "parquet": "format parquet, compression zstd, row_group_size 122880",
    }[file_format]
    with duckdb.connect() as tables:
        tables.execute(f"copy ({rows}) to '{path}' ({options})")


def bus_file(
    *,
    crowd: Crowd,
    day: date,
    records: int,
    seed: int,
    file_format: str,
    even: bool = False,
    name: str = "bus",
) -> bytes:
    """Return one day of bus rides as the bytes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rides.{file_format}"
        write_bus_file(
            path,
            crowd=crowd,
            day=day,
            records=records,
            seed=seed,
            file_format=file_format,
            even=even,
            name=name,
        )
        return path.read_bytes()
