"""The digest of a journal does not depend on the machine."""

from __future__ import annotations

import hashlib
import struct
from datetime import date

import numpy as np

from tanpuhui.books.ledger.domain import AccountDayLegs
from tanpuhui.books.ledger.operations._digest import digest


def legs() -> AccountDayLegs:
    return AccountDayLegs(
        account_id=np.array([3, 9], dtype=np.int64),
        day=np.array(["2000-01-02", "1999-12-31"], dtype="datetime64[D]"),
        grams=np.array([7, -1], dtype=np.int64),
        points=np.array([0, 2**40], dtype=np.int64),
        n_records=np.array([1, 2], dtype=np.int64),
    )


def test_the_digest_seals_kind_reference_and_every_entry_by_account() -> None:
    rows = [(3, 1, 7, 0, 0, 1), (5, 100, -6, -(2**40), 0, 3), (9, -1, -1, 2**40, 0, 2)]
    body = b"".join(struct.pack(">qiqqqi", *row) for row in rows)
    sealed = digest(legs(), kind="k", reference="甲", system_account_id=5, day=date(2000, 4, 10))
    assert sealed == hashlib.sha256(b"k\0" + "甲".encode() + b"\0" + body).digest()
