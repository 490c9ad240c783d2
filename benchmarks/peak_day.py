"""A peak day of a province: some dozens of partners send every ride of one day, and the day is posted as it would be.

Distribution. Partners: `PARTNERS`, sizes by a power law (the k-th has a share of 1/(k+2)). Persons: each is known to one partner, in
proportion to its size. Rides a person: skewed, the lower half of the cards travels more (crowd.SKEWED). Hours: commuting peaks. Areas:
one. Faults: about four rows in a hundred are wrong, late, repeated or of strangers, as in the demonstration's files. Files: one a
partner, in no order of accounts; Parquet, CSV and NDJSON in turn, the two largest Parquet.

Setting up people is SQL beside the operations and is not measured; receiving and posting are, one file after the other in one process.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from tests.integration.behaviour.activity.town import CITY, Town, build

from benchmarks.crowd import CARD, LONG_AGO, Crowd, write_bus_file
from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import open_feed, post_batch, receive_batch
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.identity.queries import subject_keys
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.kernel.identifiers import complete_uscc

PARTNERS = 36
DAY = date(2026, 10, 1)
AT = datetime(2026, 10, 2, 1, 0, tzinfo=CHINA)
FREE_BYTES_MIN = 40_000_000_000
BYTES_A_RECORD = 600
"""Room that a record and its share of a person need on disk while the day is posted, the log included."""
PEOPLE_AT_ONCE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A partner, how many people it knows and how many rides it sends."""

    place: int
    partner_id: int
    actor: Actor
    people: int
    records: int

    @property
    def file_format(self) -> str:
        """Return in what the partner sends."""
        return "parquet" if self.place < 2 else ("csv", "ndjson", "parquet")[self.place % 3]


def run(*, records: int, accounts: int, check: bool) -> None:
    free = shutil.disk_usage(Path(settings.TANPUHUI_DATA_DIR)).free
    needed = max(records * BYTES_A_RECORD, FREE_BYTES_MIN if records >= 100_000_000 else 0)
    if free < needed:
        print(f"skipped: the day may need {needed / 1e9:.0f} GB, {free / 1e9:.0f} are free")
        return
    began = time.perf_counter()
    town = build(subjects=())
    senders = list(_senders(records=records, people=accounts))
    for sender in senders:
        _people(sender)
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    print(
        f"{accounts:,} people at {len(senders)} partners set up in {time.perf_counter() - began:.0f} s; database {_gb():.1f} GB",
        flush=True,
    )
    _post_all(town, senders)
    if check:
        _check()


def _post_all(town: Town, senders: list[Sender]) -> None:
    received = posted = rows = counted = 0.0
    for sender in sorted(senders, key=lambda one: -one.records):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"rides.{sender.file_format}"
            crowd = Crowd(town=town, people=sender.people)
            write_bus_file(
                path, crowd=crowd, day=DAY, records=sender.records, seed=7000 + sender.place,
                file_format=sender.file_format, name=f"p{sender.place}",
            )  # fmt: skip
            began = time.perf_counter()
            with path.open("rb") as content:
                batch = receive_batch(
                    actor=sender.actor, at=AT, idempotency_key="day", partner_id=sender.partner_id, adapter="standard",
                    file_name=path.name, media_type="application/octet-stream", content=content,
                )  # fmt: skip
        between = time.perf_counter()
        found = post_batch(actor=SYSTEM, at=AT, batch_id=batch.batch_id)
        seconds = time.perf_counter() - between
        received += between - began
        posted += seconds
        rows += found.rows
        counted += found.counted
        print(
            f"  partner {sender.place:2} {sender.file_format:7} {found.rows:>11,} rows of {sender.people:>10,} people: "
            f"{seconds:6.1f} s ({found.rows / seconds:>8,.0f} rows/s), so far {rows:>12,.0f} rows in "
            f"{(received + posted) / 60:5.1f} min, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, "
            f"database {_gb():.1f} GB",
            flush=True,
        )
    files = sum(one.stat().st_size for one in Path(settings.TANPUHUI_DATA_DIR).rglob("*") if one.is_file())
    print(
        f"the day: {rows:,.0f} rows, {counted / rows:.1%} counted, received in {received / 60:.1f} min and posted in {posted / 60:.1f} min "
        f"({rows / (received + posted):,.0f} rows/s); on disk {_gb():.1f} GB of database (people included) and {files / 1e9:.1f} GB of files"
    )


def _check() -> None:
    """Hold the books to the invariants of intake and ledger."""
    for name, breaches in (("ledger", ledger.breaches), ("activity", activity.breaches)):
        began = time.perf_counter()
        found = sum(1 for _ in breaches())
        print(f"invariants of {name}: {found} breaches, {time.perf_counter() - began:.0f} s", flush=True)


def _senders(*, records: int, people: int) -> Iterator[Sender]:
    weights = [1 / (place + 2) for place in range(PARTNERS)]
    for place, weight in enumerate(weights):
        share = weight / sum(weights)
        partner_id = register_organisation(
            actor=SYSTEM, at=LONG_AGO, kind=OrganisationKind.PARTNER, name=f"来源 {place}", name_en=f"Source {place}",
            uscc=complete_uscc("91990000", f"MB{place:06}"), area="990100",
        ).organisation_id  # fmt: skip
        open_feed(
            actor=SYSTEM, at=LONG_AGO, partner_id=partner_id, scenario="bus", adapter="standard", evidence_tier=1,
            default_area="",
        )  # fmt: skip
        grant = Grant(role=Role.PARTNER, organisation_id=partner_id, area="990000")
        yield Sender(
            place=place,
            partner_id=partner_id,
            actor=Actor(kind="partner", id=str(partner_id), grants=(grant,)),
            people=max(1, round(people * share)),
            records=max(1, round(records * share)),
        )


def _people(sender: Sender) -> None:
    """Give a partner its people, each with user, subject, consent and account."""
    for first in range(0, sender.people, PEOPLE_AT_ONCE):
        count = min(PEOPLE_AT_ONCE, sender.people - first)
        keys = subject_keys(sender.partner_id, [CARD.format(n) for n in range(first, first + count)])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into identity_user (username, display_name, area, is_active, is_citizen, joined_at, password, "
                "password_is_temporary) select format('rider-%%s-%%s', %s::int, n), 'rider', %s, true, false, %s, '', false "
                "from generate_series(%s, %s) n returning id",
                [sender.place, CITY, LONG_AGO, first, first + count - 1],
            )
            users = [row[0] for row in cursor.fetchall()]
            with cursor.copy(
                "copy identity_partnersubject (partner_id, subject_index, user_id, bound_at) from stdin"
            ) as copy:
                for index, user_id in sorted(zip(keys, users, strict=True)):
                    copy.write_row((sender.partner_id, index, user_id, LONG_AGO))
            cursor.execute(
                "insert into identity_consent (user_id, scenario, text_version, given_at) "
                "select u, 'bus', '1', %s from unnest(%s::bigint[]) u",
                [LONG_AGO, users],
            )
            open_accounts(owner_type="user", owner_ids=users, at=LONG_AGO)


def _gb() -> float:
    with connection.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e9
