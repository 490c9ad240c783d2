"""Locks taken once, sorted, late, before the check, and never waited for without end."""

from __future__ import annotations

import hashlib

from django.db import connection

from tanpuhui.foundation.kernel.errors import Refusal

LOCK_WAIT_MS_MAX = 10_000


class Busy(Refusal):
    """Somebody else holds what this needs."""

    code = "BUSY"
    zh = "另一个操作正在处理同一对象，请稍后再试。"
    en = "Another operation is working on the same thing. Try again shortly."
    retryable = True


def lock_number(name: str) -> int:
    """Return the 64-bit advisory lock number of a name such as `registry:issuance:12`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def lock_names(*names: str) -> None:
    """Lock every name until the transaction ends, in one global order; fail outside a transaction.

    The order is that of the lock numbers, the same for all callers, so that two callers cannot wait for each other.
    """
    if not connection.in_atomic_block:
        message = "locks are held by a transaction; open an operation first"
        raise RuntimeError(message)
    with connection.cursor() as cursor:
        for number in sorted({lock_number(name) for name in names}):
            cursor.execute("select pg_advisory_xact_lock(%s)", [number])


def limit_lock_wait() -> None:
    """Bound how long this transaction waits for any lock."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, true)", [f"{LOCK_WAIT_MS_MAX}ms"])
