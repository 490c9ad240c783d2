"""People, rules and files for a measurement. Only the setting up uses SQL; what is measured goes through operations."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime

from django.db import connection, transaction
from tests.integration.behaviour.activity.town import CITY, Town, build

from tanpuhui.books.ledger.operations import open_accounts
from tanpuhui.foundation.identity.queries import subject_indexes
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import (
    Faults,
    Traveller,
    behaviour_rows,
    csv_lines,
    ndjson_lines,
)

LONG_AGO = datetime(2018, 1, 1, tzinfo=UTC)


def settle(accounts: int) -> tuple[Town, list[Traveller]]:
    """Return the made-up town with many riders, each with subject, account and consent to ride the bus."""
    town = build(subjects=())
    subjects = [f"card-{n:08d}" for n in range(accounts)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "insert into identity_user (username, display_name, area, is_active, is_citizen, joined_at, password) "
            "select 'rider-' || n, 'rider', %s, true, false, %s, '' from generate_series(0, %s) n order by n returning id",
            [CITY, LONG_AGO, accounts - 1],
        )
        users = [row[0] for row in cursor.fetchall()]
        with cursor.copy(
            "copy identity_partnersubject (partner_id, subject_index, user_id, bound_at) from stdin"
        ) as copy:
            for index, user_id in zip(
                subject_indexes(town.partner_id, subjects).values(), users, strict=True
            ):
                copy.write_row((town.partner_id, index, user_id, LONG_AGO))
        cursor.execute(
            "insert into identity_consent (user_id, scenario, text_version, given_at) "
            "select u, 'bus', '1', %s from unnest(%s::bigint[]) u",
            [LONG_AGO, users],
        )
        open_accounts(owner_type="user", owner_ids=users, at=LONG_AGO)
        cursor.execute("analyze")
    return town, [Traveller(subject=subject, area=CITY) for subject in subjects]


def bus_file(travellers: Sequence[Traveller], *, day: date, records: int, file_format: str) -> bytes:
    """Return one day of bus rides as a file; the faults are the generator's usual share, without strangers' days."""
    rows = behaviour_rows(
        seed=1, scenario="bus", travellers=travellers, first_day=day, days=1, records=records, faults=Faults()
    )
    out = io.BytesIO()
    for line in ndjson_lines(rows) if file_format == "ndjson" else csv_lines(rows):
        out.write(line.encode())
    return out.getvalue()
