"""The entries of a journal as the bytes that its digest seals."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tanpuhui.books.ledger.domain import AccountDayLegs

_EPOCH = np.datetime64("2000-01-01", "D")
_COPIED = (("account_id", ">i8"), ("day", ">i4"), ("grams", ">i8"), ("points", ">i8"), ("n_records", ">i4"))
_SEALED = (*_COPIED[:4], ("fen", ">i8"), ("n_records", ">i4"))


def digest(legs: AccountDayLegs, *, kind: str, reference: str, system_account_id: int, day: date) -> bytes:
    """Return the SHA-256 of kind, reference and all entries, the balancing one included, by account and day.

    The SQL function ledger_entry_bytes gives the same bytes; `queries.breaches` compares the two.
    """
    size = legs.account_id.size
    rows = np.zeros(size + 1, dtype=list(_SEALED))
    for name, _ in _COPIED:
        rows[name][:size] = _column(legs, name)
    place = int(np.searchsorted(legs.account_id, system_account_id))
    rows[place + 1 :] = rows[place:size].copy()
    balancing = (
        system_account_id,
        int((np.datetime64(day, "D") - _EPOCH).astype(np.int64)),
        -int(legs.grams.sum()),
        -int(legs.points.sum()),
        0,
        int(legs.n_records.sum()),
    )
    rows[place] = balancing
    head = kind.encode() + b"\0" + reference.encode() + b"\0"
    return hashlib.sha256(head + rows.tobytes()).digest()


def _column(legs: AccountDayLegs, name: str) -> NDArray[np.int64]:
    if name == "day":
        return (legs.day - _EPOCH).astype(np.int64)
    column: NDArray[np.int64] = getattr(legs, name)
    return column
