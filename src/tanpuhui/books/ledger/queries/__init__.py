"""Reads of the book, in SQL because they are the platform's hottest: balance, history, totals, lots, breaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.books.ledger.domain import PointsLot, open_lots
from tanpuhui.books.ledger.queries._breaches import breaches
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points
from tanpuhui.foundation.persistence.bulk import EPOCH_DAY, copy_in, distinct, fetch_columns

__all__ = [
    "Balance",
    "ClawbackView",
    "EntryView",
    "JournalView",
    "PointsLot",
    "RecordsByAccountDay",
    "accounts_in_columns",
    "accounts_of",
    "accounts_with_points",
    "balance",
    "breaches",
    "clawback_due",
    "clawbacks",
    "entries",
    "entries_of_days",
    "entries_of_journal",
    "grams_by_account",
    "journals",
    "journals_with_grams",
    "points_lots",
    "points_shortage",
    "records_by_account_day",
    "system_total",
    "totals",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account holds, or what a period added: grams CO2e, points, fen."""

    grams: Grams
    points: Points
    fen: Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One line of an account's history. `cursor` is what the next page's `before` wants."""

    account_id: int
    journal_id: int
    kind: str
    reference: str
    day: date
    grams: Grams
    points: Points
    fen: Fen
    n_records: int
    at: datetime

    @property
    def cursor(self) -> tuple[date, int]:
        """Return the place of this line in the history."""
        return (self.day, self.journal_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawbackView:
    """What a journal should have taken from an account and could not (positive), or what paid it off (negative)."""

    journal_id: int
    kind: str
    reference: str
    grams: Grams
    points: Points
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalView:
    """A journal and its turnover: the sum of what its entries give, which is also the sum of what they take."""

    id: int
    kind: str
    reference: str
    grams: Grams
    points: Points
    fen: Fen


def accounts_of(*, owner_type: str, owner_ids: Sequence[int]) -> dict[int, int]:
    """Return owner id → ledger account id, for the owners that have an account."""
    rows = _rows(
        "select owner_id, id from ledger_account where owner_type = %s and owner_id = any(%s)",
        [owner_type, list(owner_ids)],
    )
    return {owner_id: account_id for owner_id, account_id in rows}  # noqa: C416  rows of a cursor are untyped


def accounts_with_points(account_ids: Sequence[int]) -> tuple[int, ...]:
    """Return which of these accounts hold points, in ascending order."""
    rows = _rows(
        "select account_id from ledger_balance where account_id = any(%s) and points > 0 order by 1",
        [list(account_ids)],
    )
    return tuple(account_id for (account_id,) in rows)


def accounts_in_columns(*, owner_type: str, owner_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ledger account of each owner, in order; 0 where it has none. For many at once, in an open transaction."""
    owners = distinct(owner_ids)
    accounts = np.zeros(len(owners), np.int64)
    if len(owners):
        with connection.cursor() as cursor:
            cursor.execute(
                "create temporary table if not exists ledger_sought (owner_id bigint) on commit drop; truncate ledger_sought"
            )
            copy_in(cursor, "ledger_sought", {"owner_id": "int8"}, {"owner_id": owners})
            cursor.execute("analyze ledger_sought")
            found = fetch_columns(
                cursor,
                # A merge begins at the first owner there is, unless it is told where ours begin and end.
                "select a.owner_id, a.id from ledger_sought s join ledger_account a "
                "on a.owner_type = %s and a.owner_id = s.owner_id and a.owner_id between %s and %s",
                {"owner_id": "int8", "id": "int8"},
                [owner_type, int(owners[0]), int(owners[-1])],
            )
        accounts[np.searchsorted(owners, found["owner_id"])] = found["id"]
    found_at: NDArray[np.int64] = accounts[np.searchsorted(owners, owner_ids)]
    return found_at


def balance(account_id: int) -> Balance:
    """Return what an owner's account holds now. Raises NotFound (system accounts hold nothing)."""
    rows = _rows("select grams, points, fen from ledger_balance where account_id = %s", [account_id])
    if not rows:
        raise NotFound(what="ledger account", id=account_id)
    return _balance(rows[0])


def clawback_due(account_id: int) -> tuple[Grams, Points]:
    """Return what corrections could not take back yet (待追回). Raises NotFound."""
    rows = _rows(
        "select clawback_due_grams, clawback_due_points from ledger_balance where account_id = %s",
        [account_id],
    )
    if not rows:
        raise NotFound(what="ledger account", id=account_id)
    return Grams(rows[0][0]), Points(rows[0][1])


def clawbacks(account_id: int) -> tuple[ClawbackView, ...]:
    """Return how what is due came about and was paid off (待追回), the earliest first; few rows, mostly none."""
    rows = _rows(
        "select c.journal_id, j.kind, j.reference, c.grams, c.points, j.at from ledger_clawback c "
        "join ledger_journal j on j.id = c.journal_id where c.account_id = %s order by c.journal_id",
        [account_id],
    )
    return tuple(
        ClawbackView(
            journal_id=row[0],
            kind=row[1],
            reference=row[2],
            grams=Grams(row[3]),
            points=Points(row[4]),
            at=row[5],
        )
        for row in rows
    )


def points_shortage(account_ids: Sequence[int], points: Sequence[int]) -> tuple[int, Points]:
    """Return how many of the accounts have fewer points than would be taken from each, and how many they lack in all."""
    rows = _rows(
        """
        select count(*), coalesce(sum(w.points - b.points), 0)::bigint
        from unnest(%s::bigint[], %s::bigint[]) as w (account_id, points)
        join ledger_balance b on b.account_id = w.account_id where b.points < w.points
        """,
        # Text literals: a list of many numbers costs the driver more than the query costs the server.
        ["{" + ",".join(map(str, account_ids)) + "}", "{" + ",".join(map(str, points)) + "}"],
    )
    return rows[0][0], Points(rows[0][1])


def entries(account_id: int, *, before: tuple[date, int] | None = None, limit: int) -> tuple[EntryView, ...]:
    """Return an account's lines, the latest business day first; `before` is the cursor of the last line had."""
    day, journal_id = before if before is not None else (date.max, 2**62)
    return _entries(
        "e.account_id = %s and (e.day, e.journal_id) < (%s, %s) order by e.day desc, e.journal_id desc limit %s",
        [account_id, day, journal_id, limit],
    )


def entries_of_days(account_id: int, *, first_day: date, last_day: date) -> tuple[EntryView, ...]:
    """Return an account's lines of the days from first to last (both included), the earliest first."""
    return _entries(
        "e.account_id = %s and e.day between %s and %s order by e.day, e.journal_id",
        [account_id, first_day, last_day],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsByAccountDay:
    """Columns that belong together place by place: an account, a business day, and how many records were credited."""

    account_id: NDArray[np.int64]
    day: NDArray[np.datetime64]
    n_records: NDArray[np.int64]


def records_by_account_day(
    *, journal_ids: Sequence[int], account_ids: NDArray[np.int64], days: Sequence[date]
) -> RecordsByAccountDay:
    """Return how many records these journals credited to these accounts on these days; pairs without any are left out."""
    with connection.cursor() as cursor:
        found = fetch_columns(
            cursor,
            "select account_id, day, sum(n_records)::bigint from ledger_entry where account_id = any(%s) and day = any(%s) "
            "and journal_id = any(%s) group by account_id, day",
            {"account_id": "int8", "day": "date", "n_records": "int8"},
            [account_ids.tolist(), list(days), list(journal_ids)],
        )
    return RecordsByAccountDay(
        account_id=found["account_id"],
        day=EPOCH_DAY + found["day"].astype("timedelta64[D]"),
        n_records=found["n_records"],
    )


def entries_of_journal(journal_id: int) -> tuple[EntryView, ...]:
    """Return every line of a journal by account and day, the system's included."""
    return _entries("e.journal_id = %s order by e.account_id, e.day", [journal_id])


def grams_by_account(
    journal_ids: Sequence[int], *, size: int, first_account: int = 0, last_account: int = 2**63 - 1
) -> Iterator[list[tuple[int, int]]]:
    """Return what owners' accounts got from these journals in grams, by account, in runs of `size` but for the last.

    Accounts whose grams sum to zero are left out. A cursor of the database holds the rest, so memory stays small.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            """
            select e.account_id, sum(e.grams)::bigint from ledger_entry e
            where e.journal_id = any(%s) and e.account_id between %s and %s
              and e.account_id not in (select id from ledger_account where owner_type = 'system')
            group by e.account_id having sum(e.grams) <> 0 order by e.account_id
            """,
            [list(journal_ids), first_account, last_account],
        )
        while run := cursor.fetchmany(size):
            yield run


def journals(ids: Sequence[int]) -> dict[int, JournalView]:
    """Return what the journals with these numbers say, by number; those that do not exist are left out."""
    rows = _rows(
        "select id, kind, reference, grams, points, fen from ledger_journal where id = any(%s)", [list(ids)]
    )
    return {
        row[0]: JournalView(
            id=row[0],
            kind=row[1],
            reference=row[2],
            grams=Grams(row[3]),
            points=Points(row[4]),
            fen=Fen(row[5]),
        )
        for row in rows
    }


def journals_with_grams(kind: str) -> Iterator[JournalView]:
    """Yield the journals of a kind that move grams, for rooms whose journals must not."""
    for row in _rows(
        "select id, kind, reference, grams, points, fen from ledger_journal where kind = %s and (grams <> 0 or exists"
        " (select from ledger_entry e where e.journal_id = ledger_journal.id and e.grams <> 0)) order by id",
        [kind],
    ):
        yield JournalView(
            id=row[0],
            kind=row[1],
            reference=row[2],
            grams=Grams(row[3]),
            points=Points(row[4]),
            fen=Fen(row[5]),
        )


def totals(account_id: int, *, first_day: date, last_day: date, kind: str | None = None) -> Balance:
    """Return what the days from first to last (both included) added to an account, of one kind of journal if given."""
    rows = _rows(
        """
        select coalesce(sum(e.grams), 0)::bigint, coalesce(sum(e.points), 0)::bigint, coalesce(sum(e.fen), 0)::bigint
        from ledger_entry e
        where e.account_id = %s and e.day between %s and %s
          and (%s::text is null or exists (select from ledger_journal j where j.id = e.journal_id and j.kind = %s))
        """,
        [account_id, first_day, last_day, kind, kind],
    )
    return _balance(rows[0])


def system_total(code: str) -> Balance:
    """Return the sum of a system account's entries; zero for a code never used."""
    rows = _rows(
        """
        select coalesce(sum(e.grams), 0)::bigint, coalesce(sum(e.points), 0)::bigint, coalesce(sum(e.fen), 0)::bigint
        from ledger_entry e join ledger_account a on a.id = e.account_id where a.system_code = %s
        """,
        [code],
    )
    return _balance(rows[0])


def points_lots(account_id: int, *, validity_days: int | None) -> tuple[PointsLot, ...]:
    """Return an account's open points by day of credit, the oldest first, with the day after which they lapse.

    `validity_days` is the rule parameter `points.validity_days`; None means that points do not lapse.
    """
    rows = _rows(
        """
        select e.day, sum(e.points) filter (where e.points > 0 and not j.restores)::bigint,
          -sum(e.points) filter (where e.points < 0 or j.restores)::bigint
        from ledger_entry e join ledger_journal j on j.id = e.journal_id
        where e.account_id = %s and e.points <> 0 group by e.day
        """,
        [account_id],
    )

    def expires_on(day: date) -> date | None:
        return None if validity_days is None else day + timedelta(days=validity_days)

    used = Points(sum(row[2] or 0 for row in rows))
    return open_lots(((row[0], Points(row[1])) for row in rows if row[1]), used, expires_on)


_ENTRIES = """
select e.account_id, e.journal_id, j.kind, j.reference, e.day, e.grams, e.points, e.fen, e.n_records, j.at
from ledger_entry e join ledger_journal j on j.id = e.journal_id where """


def _entries(condition: str, parameters: list[Any]) -> tuple[EntryView, ...]:
    """Return the lines that meet a condition, which is a constant of this module."""
    rows = _rows(_ENTRIES + condition, parameters)
    return tuple(
        EntryView(
            account_id=row[0],
            journal_id=row[1],
            kind=row[2],
            reference=row[3],
            day=row[4],
            grams=Grams(row[5]),
            points=Points(row[6]),
            fen=Fen(row[7]),
            n_records=row[8],
            at=row[9],
        )
        for row in rows
    )


def _balance(row: tuple[Any, ...]) -> Balance:
    return Balance(grams=Grams(row[0]), points=Points(row[1]), fen=Fen(row[2]))


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
