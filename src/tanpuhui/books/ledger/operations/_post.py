"""Post the legs of many accounts at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection

from tanpuhui.books.ledger.domain import AccountDayLegs, ReferenceReused, UnknownAccount
from tanpuhui.books.ledger.operations._accounts import system_account
from tanpuhui.books.ledger.operations._digest import digest
from tanpuhui.books.ledger.operations._settle_due import settle_credited
from tanpuhui.books.ledger.operations._transaction import demand_transaction, refusals
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.foundation.persistence.bulk import copy_in, days


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
_POST = "select * from ledger_post_v1(%s, %s, %s, %s, %s, %s, %s, %s)"

_JOURNAL = """
insert into ledger_journal (kind, reference, at, entries, grams, points, fen, restores, digest)
values (%s, %s, %s, %s, %s, %s, 0, false, %s) on conflict (kind, reference) do nothing returning id
"""
_ENTRY_KINDS = {
    "account_id": "int8", "day": "date", "journal_id": "int8", "grams": "int8", "points": "int8", "fen": "int8",
    "n_records": "int4",
}  # fmt: skip
_CREDITS = """
create temporary table if not exists ledger_credits (account_id bigint, grams bigint, points bigint) on commit drop;
truncate ledger_credits
"""
# Without hash joins the accounts are met in ascending order, by merging or one after the other, and so is the order of locks;
# an upsert would keep it too and take nearly twice as long. Every account was opened with a balance row.
_CREDIT = """
update ledger_balance b set grams = b.grams + c.grams, points = b.points + c.points, version = b.version + 1
from (select * from ledger_credits order by account_id) c where b.account_id = c.account_id
"""


def post_account_days(
    *, kind: str, reference: str, at: datetime, system_code: str, legs: AccountDayLegs
) -> JournalPosted:
    """Post one leg per account and business day, and one balancing entry on the system account, as one journal.

    Repeating a kind and reference changes nothing and returns the first journal. Where a leg takes more than the
    account has, the rest becomes `clawback_due`, because a balance is never negative (house plan, section 1). An account
    that owes pays from what it just got, at once, in a journal of its own (`clawback_settlement`).
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
        booking = _Booking(kind=kind, reference=reference, at=at, day=business_day(at), system_id=system_id)
        posted = _take(cursor, booking, legs) if legs.takes else _credit(cursor, booking, legs)
        if posted is not None:
            settle_credited(legs.account_id, journal_id=posted.journal_id, at=at, system_account_id=system_id)
    return posted or _earlier(kind=kind, reference=reference, system_account_id=system_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booking:
    kind: str
    reference: str
    at: datetime
    day: date
    system_id: int


def _credit(cursor: Any, booking: _Booking, legs: AccountDayLegs) -> JournalPosted | None:
    """Post legs that only give: entries go straight into their table, balances follow last and in order.

    None where another transaction posted the reference meanwhile.
    """
    grams, points = int(legs.grams.sum()), int(legs.points.sum())
    seal = digest(
        legs,
        kind=booking.kind,
        reference=booking.reference,
        system_account_id=booking.system_id,
        day=booking.day,
    )
    entries = legs.account_id.size + 1
    cursor.execute(_JOURNAL, [booking.kind, booking.reference, booking.at, entries, grams, points, seal])
    found = cursor.fetchone()
    if found is None:
        return None
    journal_id = int(found[0])
    copy_in(
        cursor,
        "ledger_entry",
        _ENTRY_KINDS,
        {
            "account_id": legs.account_id, "day": days(legs.day), "journal_id": journal_id, "grams": legs.grams,
            "points": legs.points, "fen": 0, "n_records": legs.n_records,
        },
    )  # fmt: skip
    cursor.execute(
        "insert into ledger_entry (account_id, day, journal_id, grams, points, fen, n_records) values (%s, %s, %s, %s, %s, 0, %s)",
        [booking.system_id, booking.day, journal_id, -grams, -points, int(legs.n_records.sum())],
    )
    starts = np.flatnonzero(np.concatenate(([True], legs.account_id[1:] != legs.account_id[:-1])))
    cursor.execute(_CREDITS)
    copy_in(
        cursor,
        "ledger_credits",
        {"account_id": "int8", "grams": "int8", "points": "int8"},
        {
            "account_id": legs.account_id[starts],
            "grams": np.add.reduceat(legs.grams, starts),
            "points": np.add.reduceat(legs.points, starts),
        },
    )
    cursor.execute("set local enable_hashjoin = off")
    cursor.execute(_CREDIT)
    unknown = len(starts) - cursor.rowcount
    cursor.execute("set local enable_hashjoin = on")
    if unknown:
        raise UnknownAccount(accounts=unknown)
    return JournalPosted(
        journal_id=journal_id, entries=entries, grams=Grams(grams), points=Points(points), due_grams=Grams(0),
        due_points=Points(0), repeated=False,
    )  # fmt: skip


def _take(cursor: Any, booking: _Booking, legs: AccountDayLegs) -> JournalPosted | None:
    """Post legs of which some take; SQL cuts what an account does not have, and seals what is left."""
    cursor.execute(_LEGS)
    copy_in(
        cursor,
        "ledger_legs",
        {"account_id": "int8", "day": "date", "grams": "int8", "points": "int8", "n_records": "int4"},
        {
            "account_id": legs.account_id, "day": days(legs.day), "grams": legs.grams, "points": legs.points,
            "n_records": legs.n_records,
        },
    )  # fmt: skip
    sums = [int(legs.grams.sum()), int(legs.points.sum())]
    with refusals(kind=booking.kind, reference=booking.reference):
        cursor.execute(
            _POST, [booking.kind, booking.reference, booking.at, booking.day, booking.system_id, *sums, None]
        )
        journal_id, entries, grams, points, due_grams, due_points = cursor.fetchone()
    if grams is None:
        return None
    return JournalPosted(
        journal_id=journal_id, entries=entries, grams=Grams(grams), points=Points(points), due_grams=Grams(due_grams),
        due_points=Points(due_points), repeated=False,
    )  # fmt: skip


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
