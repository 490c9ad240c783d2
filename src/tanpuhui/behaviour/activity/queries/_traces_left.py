"""Whose traces are still there (未删除的轨迹), for whoever checks that an account was closed wholly."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload, erased_rows

_PAYLOADS = (
    "select amounts, traces from activity_record_chunk where traces is not null",
    "select rows, rows from activity_set_aside union all select rows, null from activity_waiting_chunk",
)


def accounts_with_traces(account_ids: Collection[int]) -> frozenset[int]:
    """Return which of these accounts have a record whose traces stand, or one that waits. Reads every payload once."""
    if not account_ids:
        return frozenset()
    asked = np.fromiter(account_ids, np.int64)
    found = [accounts[np.isin(accounts, asked)] for accounts in _traced()]
    return frozenset(np.unique(np.concatenate([np.empty(0, np.int64), *found])).tolist())


def _traced() -> Iterator[NDArray[np.int64]]:
    with connection.cursor() as cursor:
        for select in _PAYLOADS:
            cursor.execute(select)
            for amounts, traces in cursor:
                accounts = decode_payload(bytes(amounts)).column("account_id").to_numpy()
                yield accounts if traces is None else accounts[~erased_rows(decode_payload(bytes(traces)))]
