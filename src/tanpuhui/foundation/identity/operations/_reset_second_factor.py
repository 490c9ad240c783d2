"""A lost second factor (第二步验证丢失): the security administrator takes it away, and the next sign-in enrols another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.models import Passkey, RecoveryCode, TotpAuthenticator
from tanpuhui.foundation.identity.operations._authority import (
    refuse_oneself,
    require_administrator_of,
    require_reason,
)
from tanpuhui.foundation.identity.operations._second_factor import lock_person
from tanpuhui.foundation.identity.operations._session import end_sessions_of
from tanpuhui.foundation.kernel.actors import Actor, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset:
    """How many authenticators, passkeys, recovery codes and sessions ended."""

    user_id: int
    authenticators: int
    passkeys: int
    recovery_codes: int
    sessions: int


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def reset_second_factor(
    *, actor: Actor, at: datetime, user_id: int, reason: str, idempotency_key: str | None = None
) -> SecondFactorReset:
    """End every second factor and session of a member, who enrols a new one at the next sign-in. The password stays.

    Nobody resets their own: that would undo the second factor with the first. Raises NotPermitted, NotFound, Invalid.
    """
    refuse_oneself(actor, user_id, operation="identity.reset_second_factor")
    require_reason(reason)
    lock_person(user_id)
    require_administrator_of(actor, user_id=user_id, at=at, operation="identity.reset_second_factor")
    authenticators = TotpAuthenticator.objects.filter(user_id=user_id, removed_at__isnull=True).update(
        removed_at=at
    )
    passkeys = Passkey.objects.filter(user_id=user_id, removed_at__isnull=True).update(removed_at=at)
    codes = RecoveryCode.objects.filter(
        user_id=user_id, used_at__isnull=True, replaced_at__isnull=True
    ).update(replaced_at=at)
    return SecondFactorReset(
        user_id=user_id,
        authenticators=authenticators,
        passkeys=passkeys,
        recovery_codes=codes,
        sessions=end_sessions_of(user_id, at=at, why="administrator"),
    )
