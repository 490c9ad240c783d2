"""The lock-out lifted (解除登录锁定): the security administrator lets somebody try again before the time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.operations import _attempts
from tanpuhui.foundation.identity.operations._authority import (
    refuse_oneself,
    require_administrator_of,
    require_reason,
)
from tanpuhui.foundation.identity.operations._second_factor import lock_person
from tanpuhui.foundation.kernel.actors import Actor, Role

BY_ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInUnlocked:
    """Somebody's failures so far no longer count; a lock of a network address stays."""

    user_id: int


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def unlock_sign_in(
    *, actor: Actor, at: datetime, user_id: int, reason: str, idempotency_key: str | None = None
) -> SignInUnlocked:
    """Let a member try again at once, with password and second factor. Raises NotPermitted, NotFound, Invalid.

    The failures stay on record; a row that says who may try again stands behind them.
    """
    refuse_oneself(actor, user_id, operation="identity.unlock_sign_in")
    require_reason(reason)
    user = lock_person(user_id)
    require_administrator_of(actor, user_id=user_id, at=at, operation="identity.unlock_sign_in")
    for way in _attempts.WAYS:
        _attempts.note_attempt(
            name_index_hex=_attempts.name_index_hex(user.username),
            way=way,
            ip=BY_ADMINISTRATOR,
            outcome=_attempts.UNLOCKED,
            at=at,
        )
    return SignInUnlocked(user_id=user_id)
