"""The lock-out (登录锁定): tries at a password or a second factor are counted in the database, per name and per address."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.identity.domain.sign_in import LockRules
from tanpuhui.foundation.identity.models import SignInAttempt
from tanpuhui.foundation.identity.queries.sessions import (
    LOCKED,
    PASSWORD,
    SECOND_FACTOR,
    SIGNED_IN,
    UNLOCKED,
    WAYS,
    WRONG,
    failures,
    name_index_hex,
)

__all__ = [
    "LOCKED",
    "PASSWORD",
    "SECOND_FACTOR",
    "SIGNED_IN",
    "UNLOCKED",
    "WAYS",
    "WRONG",
    "is_locked",
    "name_index_hex",
    "note_attempt",
]


def is_locked(*, name_index_hex: str, way: str, ip: str, at: datetime, rules: LockRules) -> bool:
    """Say whether there are too many failures for the name since its last success, or from the address."""
    if failures([name_index_hex], way=way, at=at, rules=rules)[name_index_hex] >= rules.failures_max:
        return True
    from_address = SignInAttempt.objects.filter(at__gt=at - rules.locked, way=way, ip=ip, outcome=WRONG)
    return from_address.count() >= rules.failures_per_address_max


def note_attempt(*, name_index_hex: str, way: str, ip: str, outcome: str, at: datetime) -> int:
    """Write one try down and return its number."""
    return SignInAttempt.objects.create(
        name_index=bytes.fromhex(name_index_hex), way=way, ip=ip, outcome=outcome, at=at
    ).id
