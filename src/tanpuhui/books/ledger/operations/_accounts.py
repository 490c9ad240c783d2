"""Open accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from tanpuhui.books.ledger.operations._transaction import demand_transaction

_OPEN = """
with wanted as (select distinct unnest(%(owner_ids)s::bigint[]) as owner_id),
opened as (
  insert into ledger_account (owner_type, owner_id, opened_at)
  select %(owner_type)s, owner_id, %(at)s from wanted order by owner_id
  on conflict (owner_type, owner_id) do nothing
  returning id
)
insert into ledger_balance (account_id, grams, points, fen, version, clawback_due_grams, clawback_due_points)
select id, 0, 0, 0, 0, 0, 0 from opened
"""


def open_accounts(*, owner_type: str, owner_ids: Sequence[int], at: datetime) -> dict[int, int]:
    """Open one account with an empty balance for each owner that has none; return owner id → account id of all.

    A building block: it wants an open transaction (RuntimeError).
    """
    demand_transaction()
    if owner_type == "system":
        message = "system accounts are named by code"
        raise ValueError(message)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"owner_type": owner_type, "owner_ids": list(owner_ids), "at": at})
        cursor.execute(
            "select owner_id, id from ledger_account where owner_type = %s and owner_id = any(%s)",
            [owner_type, list(owner_ids)],
        )
        return dict(cursor.fetchall())


def open_account(*, owner_type: str, owner_id: int, at: datetime) -> int:
    """Open an owner's account, or find it, and return its id. A building block (RuntimeError)."""
    return open_accounts(owner_type=owner_type, owner_ids=[owner_id], at=at)[owner_id]


def system_account(code: str) -> int:
    """Return the id of the system account of that code (系统账户, `points:reserved`), created when first asked for.

    System accounts are the scheme's side of every booking; they may be negative and have no balance row.
    """
    demand_transaction()
    with connection.cursor() as cursor:
        cursor.execute("select id from ledger_account where system_code = %s", [code])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(
                "insert into ledger_account (owner_type, system_code, opened_at) values ('system', %s, now())"
                " on conflict (system_code) do nothing",
                [code],
            )
            cursor.execute("select id from ledger_account where system_code = %s", [code])
            found = cursor.fetchone()
    return int(found[0])
