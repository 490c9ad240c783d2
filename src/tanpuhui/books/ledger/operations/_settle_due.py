"""Let what an account gets later pay off what corrections could not take back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.books.ledger.operations._accounts import system_account
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Grams, Points

CREDITED = "scheme:credited"
_DEBTORS = """
select account_id from ledger_balance where clawback_due_grams > 0 or clawback_due_points > 0
"""
_PAYERS = """
select account_id from ledger_balance where (clawback_due_grams > 0 or clawback_due_points > 0)
  and (least(grams, clawback_due_grams) > 0 or least(points, clawback_due_points) > 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSettled:
    """What was paid off on a business day, by how many accounts; no journal where nobody could pay."""

    day: date
    accounts: int
    grams: Grams
    points: Points
    journal_id: int | None


def settle_credited(
    credited: NDArray[np.int64], *, journal_id: int, at: datetime, system_account_id: int
) -> None:
    """Take what the accounts a journal has just credited still owe, at once, before anybody can spend it.

    A building block of postings: their transaction holds the locks of these balances, so no new one is asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DEBTORS)
        debtors = np.array([account for (account,) in cursor.fetchall()], np.int64)
    owing = np.intersect1d(debtors, credited)
    if owing.size:
        settle_accounts(f"journal:{journal_id}", owing.tolist(), at=at, system_account_id=system_account_id)


@operation(roles={Role.MAKER}, subject="clawback_settlement:{day}")
def settle_due(*, actor: Actor, at: datetime, idempotency_key: str | None = None) -> DueSettled:
    """Take what accounts owe (待追回) from what they hold, as far as it reaches, back to the account that credited it.

    Postings do this for the accounts they credit; this finds what came another way, such as the points of a coupon
    given back. Repeating it takes nothing more.
    """
    system_account_id = system_account(CREDITED)
    with connection.cursor() as cursor:
        cursor.execute(_PAYERS)
        payers = [account for (account,) in cursor.fetchall()]
    found = None
    if payers:
        found = settle_accounts(f"at:{at.isoformat()}", payers, at=at, system_account_id=system_account_id)
    if found is None:
        return DueSettled(day=business_day(at), accounts=0, grams=Grams(0), points=Points(0), journal_id=None)
    with connection.cursor() as cursor:
        cursor.execute("select entries - 1, grams, points from ledger_journal where id = %s", [found])
        accounts, grams, points = cursor.fetchone()
    return DueSettled(
        day=business_day(at),
        accounts=accounts,
        grams=Grams(grams),
        points=Points(points),
        journal_id=found,
    )


def settle_accounts(
    reference: str, accounts: Sequence[int], *, at: datetime, system_account_id: int
) -> int | None:
    """Let accounts pay what they owe from what they hold, and return the journal, None where nothing was taken. A building block."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select ledger_settle_due_v1(%s, %s, %s, %s, %s)",
            [reference, at, business_day(at), system_account_id, list(accounts)],
        )
        found: int | None = cursor.fetchone()[0]
    return found
