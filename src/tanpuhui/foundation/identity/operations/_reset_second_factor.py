"""A lost second factor (第二步验证丢失): the security administrator takes it away, and the next sign-in enrols another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.models import Membership, Passkey, RecoveryCode, TotpAuthenticator, User
from tanpuhui.foundation.identity.operations._authority import require_granter
from tanpuhui.foundation.identity.operations._second_factor import lock_person
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset:
    """How many authenticators, passkeys and recovery codes ended."""

    user_id: int
    authenticators: int
    passkeys: int
    recovery_codes: int


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def reset_second_factor(
    *, actor: Actor, at: datetime, user_id: int, reason: str, idempotency_key: str | None = None
) -> SecondFactorReset:
    """End every second factor of a member, who enrols a new one at the next sign-in. The password stays.

    Nobody resets their own: that would undo the second factor with the first. Raises NotPermitted, NotFound, Invalid.
    """
    if actor.id == str(user_id) and actor.kind == "user":
        raise NotPermitted(operation="identity.reset_second_factor")
    if not reason.strip():
        raise Invalid(field="reason", why="请写明理由：怎样核实了本人 / say how the person was verified")
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
        user_id=user_id, authenticators=authenticators, passkeys=passkeys, recovery_codes=codes
    )


def require_administrator_of(actor: Actor, *, user_id: int, at: datetime, operation: str) -> None:
    """Refuse unless the actor is the security administrator over, or administers, every organisation somebody serves.

    One would not do: an administrator of a merchant could otherwise let a second factor of the centre lapse.
    Raises NotPermitted.
    """
    own = User.objects.filter(id=user_id).values_list("organisation_id", "organisation__area")
    held = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at), user_id=user_id, valid_from__lte=at
    ).values_list("organisation_id", "area")
    served = [(identifier, area) for identifier, area in {*own, *held} if identifier is not None]
    if not served:
        actor.require(Role.SYSTEM, operation=operation)
    for organisation_id, area in served:
        require_granter(actor, organisation_id=organisation_id, area=area or "", operation=operation)
