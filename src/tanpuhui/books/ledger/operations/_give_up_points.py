"""Take what an account holds of points back to the scheme, because its person gives it up (放弃积分)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from tanpuhui.books.ledger.operations._accounts import system_account
from tanpuhui.books.ledger.operations._settle_due import CREDITED, settle_accounts
from tanpuhui.books.ledger.operations._transaction import demand_transaction
from tanpuhui.books.ledger.operations._transfer import transfer
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Points

GIVEN_UP = "points:given_up"
KIND = "points_given_up"


def give_up_points(*, account_id: int, reference: str, at: datetime) -> Points:
    """Take every point of an account to the system account `points:given_up`, and return how many.

    First the account pays what it owes, as it always would; grams stay, because they are not the person's to give up
    once they are pooled. Repeating it takes what came since. A building block (RuntimeError).
    """
    demand_transaction()
    held = _locked(account_id)
    if not held:
        return Points(0)
    settle_accounts(f"{KIND}:{reference}", [account_id], at=at, system_account_id=system_account(CREDITED))
    left = Points(_locked(account_id))
    if left.value:
        transfer(
            kind=KIND,
            reference=reference,
            at=at,
            day=business_day(at),
            debit_account_id=account_id,
            credit_account_id=system_account(GIVEN_UP),
            points=left,
        )
    return left


def _locked(account_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select points from ledger_balance where account_id = %s for update", [account_id])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
