"""Where the book does not balance (不变量一): a part of the journals or accounts at a time, so that memory has a bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from tanpuhui.foundation.kernel.breaches import Breach

ENTRIES_AT_ONCE = 2_000_000
"""So many entries are sorted at once to seal their journals again; a longer journal is taken alone."""
ACCOUNTS_AT_ONCE = 4_000_000
"""So many accounts are summed up at once; each such part reads all entries once more."""
MEMORY = "512MB"
"""Room for the sums of one part. With the server's usual few megabytes they would spill more than a disk may hold."""
FIRST, LAST = -(2**63), 2**63 - 1

_JOURNAL_BOUNDS = """
select max(id) from (select id, (sum(entries) over (order by id) - 1) / %(size)s as part from ledger_journal) parts
group by part order by 1
"""
_JOURNALS = """
with sums as (
  select e.journal_id, count(*) as n, sum(e.grams) as grams, sum(e.points) as points, sum(e.fen) as fen,
    sum(greatest(e.grams, 0)) as up_grams, sum(greatest(e.points, 0)) as up_points, sum(greatest(e.fen, 0)) as up_fen,
    string_agg(ledger_entry_bytes(e.account_id, e.day, e.grams, e.points, e.fen, e.n_records), ''::bytea
               order by e.account_id, e.day) as bytes
  from ledger_entry e where e.journal_id > %(after)s and e.journal_id <= %(last)s group by e.journal_id
), journals as (
  select * from ledger_journal where id > %(after)s and id <= %(last)s
)
select coalesce(j.id, s.journal_id), j.id is null or s.journal_id is null,
  (s.grams, s.points, s.fen) is distinct from (0::numeric, 0::numeric, 0::numeric),
  (j.entries, j.grams, j.points, j.fen) is distinct from (s.n, s.up_grams, s.up_points, s.up_fen),
  j.digest is distinct from sha256(ledger_digest_head(j.kind, j.reference) || s.bytes)
from journals j full join sums s on s.journal_id = j.id
where j.id is null or s.journal_id is null
  or (s.grams, s.points, s.fen) is distinct from (0::numeric, 0::numeric, 0::numeric)
  or (j.entries, j.grams, j.points, j.fen) is distinct from (s.n, s.up_grams, s.up_points, s.up_fen)
  or j.digest is distinct from sha256(ledger_digest_head(j.kind, j.reference) || s.bytes)
"""
_ACCOUNT_BOUNDS = """
select least(b + %(size)s - 1, r.last) from (select min(id) as first, max(id) as last from ledger_account) r
cross join lateral generate_series(r.first, r.last, %(size)s) as b order by 1
"""
_ACCOUNTS = """
with sums as materialized (
  select e.account_id, sum(e.grams) as grams, sum(e.points) as points, sum(e.fen) as fen
  from ledger_entry e where e.account_id > %(after)s and e.account_id <= %(last)s group by e.account_id
), accounts as (
  select * from ledger_account where id > %(after)s and id <= %(last)s
), balances as (
  select * from ledger_balance where account_id > %(after)s and account_id <= %(last)s
)
select 'ledger.balance_is_sum_of_entries', a.id, concat_ws(',', b.grams, b.points, b.fen),
  concat_ws(',', s.grams, s.points, s.fen)
from accounts a left join balances b on b.account_id = a.id left join sums s on s.account_id = a.id
where a.system_code is null and (b.account_id is null or (b.grams, b.points, b.fen)
  is distinct from (coalesce(s.grams, 0), coalesce(s.points, 0), coalesce(s.fen, 0)))
union all
select 'ledger.balance_is_sum_of_entries', b.account_id, concat_ws(',', b.grams, b.points, b.fen), 'no owner''s account'
from balances b left join accounts a on a.id = b.account_id where a.id is null or a.system_code is not null
union all
select 'ledger.entry_of_known_account', s.account_id, 'entry', 'no account'
from sums s left join accounts a on a.id = s.account_id where a.id is null
"""
_DUE = """
select 'ledger.clawback_due', b.account_id, concat_ws(',', b.clawback_due_grams, b.clawback_due_points),
  concat_ws(',', coalesce(c.grams, 0), coalesce(c.points, 0))
from ledger_balance b left join (
  select account_id, sum(grams) as grams, sum(points) as points from ledger_clawback group by account_id
) c on c.account_id = b.account_id
where (b.clawback_due_grams, b.clawback_due_points) is distinct from (coalesce(c.grams, 0), coalesce(c.points, 0))
union all
select 'ledger.balance_not_negative', account_id, concat_ws(',', grams, points, fen), 'not negative' from ledger_balance
where grams < 0 or points < 0 or fen < 0
"""


def breaches() -> Iterator[Breach]:
    """Yield every place where the book does not balance (house plan, section 6, invariant 1).

    Each journal sums to zero in each column, has the number of entries, turnover and digest it says; each balance
    equals the sum of its entries and is not negative; what is due equals its movements; no entry is an orphan.
    """
    for part in _parts(_JOURNAL_BOUNDS, ENTRIES_AT_ONCE):
        for journal_id, missing, unbalanced, totals_differ, digest_differs in _rows(_JOURNALS, part):
            subject = f"journal:{journal_id}"
            if unbalanced and not missing:
                yield Breach("ledger.journal_sums_to_zero", subject, "entries do not sum to zero")
            if missing or totals_differ:
                yield Breach("ledger.journal_totals", subject, "count or turnover differs from the entries")
            if digest_differs and not missing:
                yield Breach("ledger.journal_digest", subject, "entries are not those that were sealed")
    for part in _parts(_ACCOUNT_BOUNDS, ACCOUNTS_AT_ONCE):
        yield from _of_accounts(_ACCOUNTS, part)
    yield from _of_accounts(_DUE, {})


def _of_accounts(sql: str, part: dict[str, int]) -> Iterator[Breach]:
    for invariant, account_id, says, should in _rows(sql, part):
        yield Breach(invariant, f"ledger_account:{account_id}", f"{says} != {should}")


def _parts(bounds: str, size: int) -> list[dict[str, int]]:
    """Part all numbers there can be, known ones or not, so that what belongs to nothing is seen too."""
    inner: Sequence[int] = [row[0] for row in _rows(bounds, {"size": size})][:-1]
    return [{"after": after, "last": last} for after, last in pairwise([FIRST, *inner, LAST])]


def _rows(sql: str, values: dict[str, int]) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('work_mem', %s, true)", [MEMORY])
        cursor.execute(sql, values)
        return list(cursor.fetchall())
