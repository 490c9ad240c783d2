"""What every building block of the ledger needs: an open transaction, and errors of SQL turned into refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from psycopg import Error as PostgresError

from tanpuhui.books.ledger.domain import InsufficientBalance, NotABooking, ReferenceReused, UnknownAccount


def demand_transaction() -> None:
    """Refuse to write outside a transaction: a booking belongs to the act that caused it."""
    if not connection.in_atomic_block:
        message = "the ledger is written inside the transaction of an operation"
        raise RuntimeError(message)


@contextmanager
def refusals(*, kind: str, reference: str) -> Iterator[None]:
    """Turn the error states of the SQL functions into refusals. The transaction is lost, as with any refusal."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        if not isinstance(cause, PostgresError):
            raise
        detail = cause.diag.message_detail or ""
        match cause.sqlstate:
            case "TL001":
                raise InsufficientBalance(**json.loads(detail)) from error
            case "TL002":
                raise ReferenceReused(kind=kind, reference=reference) from error
            case "TL003":
                raise UnknownAccount(accounts=detail) from error
            case "TL004":
                raise NotABooking(why=cause.diag.message_primary) from error
            case _:
                raise
