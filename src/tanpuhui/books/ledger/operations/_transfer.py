"""Move amounts between two accounts."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection

from tanpuhui.books.ledger.operations._transaction import demand_transaction, refusals
from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points

NO_GRAMS, NO_POINTS, NO_FEN = Grams(0), Points(0), Fen(0)
_TRANSFER = "select ledger_transfer_v2(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def transfer(
    *,
    kind: str,
    reference: str,
    at: datetime,
    day: date,
    debit_account_id: int,
    credit_account_id: int,
    grams: Grams = NO_GRAMS,
    points: Points = NO_POINTS,
    fen: Fen = NO_FEN,
    restores: bool = False,
) -> int:
    """Take amounts from the debit account, give them to the credit account, and return the journal's id.

    Repeating a kind and reference with the same accounts, day and amounts changes nothing. `restores` marks points
    that go back to the lots they came from (a refund), so that they keep their first expiry.

    A building block (RuntimeError). Raises InsufficientBalance, ReferenceReused, UnknownAccount, NotABooking.
    """
    demand_transaction()
    with connection.cursor() as cursor, refusals(kind=kind, reference=reference):
        cursor.execute(
            _TRANSFER,
            [
                kind,
                reference,
                at,
                day,
                debit_account_id,
                credit_account_id,
                grams.value,
                points.value,
                fen.value,
                restores,
            ],
        )
        return int(cursor.fetchone()[0])
