"""Post the legs of many accounts at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from tanpuhui.books.ledger.domain import AccountDayLegs, ReferenceReused
from tanpuhui.books.ledger.operations._accounts import system_account
from tanpuhui.books.ledger.operations._copy import copy_bytes, digest
from tanpuhui.books.ledger.operations._transaction import demand_transaction, refusals
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPosted:
    """A posted journal: its id, number of entries, net grams and points credited to owners.

    `due_*` is what could not be taken back (待追回). `repeated`: the journal stood there already, nothing was done.
    """

    journal_id: int
    entries: int
    grams: Grams
    points: Points
    due_grams: Grams
    due_points: Points
    repeated: bool


_LEGS = """
create temporary table if not exists ledger_legs (
  account_id bigint not null, day date not null, grams bigint not null, points bigint not null,
  n_records integer not null, due_grams bigint not null default 0, due_points bigint not null default 0
) on commit drop;
truncate ledger_legs;
"""
_COPY = "copy ledger_legs (account_id, day, grams, points, n_records) from stdin with (format binary)"
_POST = "select * from ledger_post_v1(%s, %s, %s, %s, %s, %s, %s, %s)"


def post_account_days(
    *, kind: str, reference: str, at: datetime, system_code: str, legs: AccountDayLegs
) -> JournalPosted:
    """Post one leg per account and business day, and one balancing entry on the system account, as one journal.

    Repeating a kind and reference changes nothing and returns the first journal. Where a leg takes more than the
    account has, the rest becomes `clawback_due`, because a balance is never negative (house plan, section 1).
    The balancing entry stands on the business day of `at`. Entries are a plain table for now; partitions by
    month come with the province's volume.

    A building block (RuntimeError). Raises UnknownAccount, ReferenceReused (the reference stands for another kind of booking).
    """
    demand_transaction()
    with connection.cursor() as cursor:
        cursor.execute("select id from ledger_journal where kind = %s and reference = %s", [kind, reference])
        repeated = cursor.fetchone() is not None
        system_id = system_account(system_code)
        if repeated:
            return _earlier(kind=kind, reference=reference, system_account_id=system_id)
        day = business_day(at)
        seal = None
        if not legs.takes:
            seal = digest(legs, kind=kind, reference=reference, system_account_id=system_id, day=day)
        cursor.execute(_LEGS)
        with cursor.copy(_COPY) as copy:
            copy.write(copy_bytes(legs))
        sums = [int(legs.grams.sum()), int(legs.points.sum())]
        with refusals(kind=kind, reference=reference):
            cursor.execute(_POST, [kind, reference, at, day, system_id, *sums, seal])
            journal_id, entries, grams, points, due_grams, due_points = cursor.fetchone()
    if grams is None:
        return _earlier(kind=kind, reference=reference, system_account_id=system_id)
    return JournalPosted(
        journal_id=journal_id,
        entries=entries,
        grams=Grams(grams),
        points=Points(points),
        due_grams=Grams(due_grams),
        due_points=Points(due_points),
        repeated=False,
    )


def _earlier(*, kind: str, reference: str, system_account_id: int) -> JournalPosted:
    """Return what the first posting did, read from its balancing entry by primary key."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select j.id, j.entries, e.grams, e.points,
              (select coalesce(sum(c.grams), 0)::bigint from ledger_clawback c where c.journal_id = j.id),
              (select coalesce(sum(c.points), 0)::bigint from ledger_clawback c where c.journal_id = j.id)
            from ledger_journal j
            join ledger_entry e on e.account_id = %s and e.journal_id = j.id
              and e.day = (j.at at time zone interval '+08:00')::date
            where j.kind = %s and j.reference = %s
            """,
            [system_account_id, kind, reference],
        )
        found = cursor.fetchone()
    if found is None:
        raise ReferenceReused(kind=kind, reference=reference)
    journal_id, entries, grams, points, due_grams, due_points = found
    return JournalPosted(
        journal_id=journal_id,
        entries=entries,
        grams=Grams(-grams),
        points=Points(-points),
        due_grams=Grams(due_grams),
        due_points=Points(due_points),
        repeated=True,
    )
