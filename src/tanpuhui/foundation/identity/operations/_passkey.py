"""Passkeys (通行密钥): registered, used as the second factor or as the whole sign-in, removed.

A passkey that verified its person by finger, face or PIN is two factors in one: what one has, and what one is or knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters import passkeys
from tanpuhui.foundation.identity.adapters.passkeys import Challenge, RelyingParty
from tanpuhui.foundation.identity.domain import check_name
from tanpuhui.foundation.identity.domain.sign_in import (
    LastSecondFactor,
    PasskeyCloned,
    PasskeyRefused,
    PasskeyTaken,
    written_recovery_code,
)
from tanpuhui.foundation.identity.models import Passkey, User
from tanpuhui.foundation.identity.operations import _attempts
from tanpuhui.foundation.identity.operations._second_factor import (
    SecondFactorTried,
    give_recovery_codes_if_none,
    lock_person,
    make_recovery_codes,
    own,
    recovery_index_hexes,
    require_self,
)
from tanpuhui.foundation.identity.queries.sign_in import second_factors
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import blind_index

CLONED = "cloned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRegistered:
    """A passkey that can be used from now on; `recovery` says whether new recovery codes count."""

    user_id: int
    passkey_id: int
    recovery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRemoved:
    """A passkey that opens nothing any more."""

    user_id: int
    passkey_id: int


def ask_for_new_passkey(*, user_id: int, relying_party: RelyingParty) -> Challenge:
    """Return what the browser of a person is asked so that it makes a passkey. Raises NotFound."""
    user = User.objects.filter(id=user_id, is_active=True, is_citizen=False).first()
    if user is None:
        raise NotFound(what="用户 user", id=user_id)
    return passkeys.ask_to_register(
        relying_party,
        handle=bytes.fromhex(blind_index(str(user_id), purpose="identity.passkey_user")),
        username=user.username,
        display_name=user.display_name,
        known=_credentials(user_id, relying_party),
    )


def register_passkey(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    relying_party: RelyingParty,
    state: Mapping[str, Any],
    answer: str,
    name: str,
) -> tuple[str, ...]:
    """Register the passkey that a browser made, and return new recovery codes where there were none (shown this once).

    Raises PasskeyRefused, PasskeyTaken, Invalid, NotPermitted, ParameterUnset.
    """
    check_name(name, field="name")
    made = passkeys.verify_registration(relying_party, state=state, answer=answer)
    codes = make_recovery_codes(at)
    done = record_passkey(
        actor=actor,
        at=at,
        user_id=user_id,
        relying_party_id=relying_party.id,
        credential_id_hex=made.credential_id.hex(),
        credential_data_hex=made.credential_data.hex(),
        sign_count=made.sign_count,
        name=name,
        recovery_index_hexes=recovery_index_hexes(user_id, codes),
    )
    return tuple(written_recovery_code(one) for one in codes) if done.recovery else ()


@operation(roles=set(), subject="user:{user_id}")
def record_passkey(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    relying_party_id: str,
    credential_id_hex: str,
    credential_data_hex: str,
    sign_count: int,
    name: str,
    recovery_index_hexes: Sequence[str],
) -> PasskeyRegistered:
    """Record a passkey whose registration was verified. See register_passkey."""
    require_self(actor, user_id, operation="identity.record_passkey")
    lock_person(user_id)
    row, created = Passkey.objects.get_or_create(
        credential_id=bytes.fromhex(credential_id_hex),
        defaults={
            "user_id": user_id,
            "relying_party": relying_party_id,
            "credential_data": bytes.fromhex(credential_data_hex),
            "sign_count": sign_count,
            "name": name,
            "registered_at": at,
        },
    )
    if not created:
        raise PasskeyTaken
    fresh = give_recovery_codes_if_none(user_id, recovery_index_hexes, at=at)
    return PasskeyRegistered(user_id=user_id, passkey_id=row.id, recovery=fresh)


def ask_for_passkey(*, user_id: int | None, relying_party: RelyingParty) -> Challenge:
    """Return what a browser is asked to sign in: a passkey of this person, or (None) of whoever sits there."""
    known = () if user_id is None else _credentials(user_id, relying_party)
    return passkeys.ask_to_sign_in(relying_party, known=known)


def sign_in_with_passkey(
    *,
    user_id: int | None,
    relying_party: RelyingParty,
    state: Mapping[str, Any],
    answer: str,
    ip: str,
    at: datetime,
) -> User:
    """Return the person whose passkey answered; with `user_id` it must be theirs. The caller opens the session.

    Raises PasskeyRefused, PasskeyCloned.
    """
    row = (
        Passkey.objects.select_related("user")
        .filter(
            credential_id=passkeys.credential_named(answer),
            relying_party=relying_party.id,
            removed_at__isnull=True,
            user__is_active=True,
        )
        .first()
    )
    if row is None or user_id not in {None, row.user_id}:
        raise PasskeyRefused
    count = passkeys.verify_sign_in(
        relying_party, state=state, answer=answer, credential_data=bytes(row.credential_data)
    )
    used = use_passkey(
        actor=own(row.user_id), at=at, user_id=row.user_id, passkey_id=row.id, sign_count=count, ip=ip
    )
    if used.outcome == CLONED:
        raise PasskeyCloned
    return row.user


@operation(roles=set(), subject="user:{user_id}")
def use_passkey(
    *, actor: Actor, at: datetime, user_id: int, passkey_id: int, sign_count: int, ip: str
) -> SecondFactorTried:
    """Record a verified use. Where a device counts its uses, a count that does not rise tells of a copy.

    WebAuthn level 3, section 7.2, step 22; devices that sync their passkeys always say 0.
    """
    require_self(actor, user_id, operation="identity.use_passkey")
    user = lock_person(user_id)
    row = Passkey.objects.filter(id=passkey_id, user_id=user_id, removed_at__isnull=True).first()
    if row is None:
        raise PasskeyRefused
    cloned = max(sign_count, row.sign_count) > 0 and sign_count <= row.sign_count
    if not cloned:
        row.sign_count, row.last_used_at = sign_count, at
        row.save(update_fields=["sign_count", "last_used_at"])
    _attempts.note_attempt(
        name_index_hex=_attempts.name_index_hex(user.username),
        way=_attempts.SECOND_FACTOR,
        ip=ip,
        outcome=_attempts.WRONG if cloned else _attempts.SIGNED_IN,
        at=at,
    )
    return SecondFactorTried(user_id=user_id, outcome=CLONED if cloned else _attempts.SIGNED_IN)


@operation(roles=set(), subject="user:{user_id}")
def remove_passkey(*, actor: Actor, at: datetime, user_id: int, passkey_id: int) -> PasskeyRemoved:
    """Take a passkey out of use. Raises NotFound, LastSecondFactor, NotPermitted."""
    require_self(actor, user_id, operation="identity.remove_passkey")
    lock_person(user_id)
    row = Passkey.objects.filter(id=passkey_id, user_id=user_id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound(what="通行密钥 passkey", id=passkey_id)
    held = second_factors(user_id)
    if held.totp_since is None and len(held.passkeys) == 1:
        raise LastSecondFactor
    row.removed_at = at
    row.save(update_fields=["removed_at"])
    return PasskeyRemoved(user_id=user_id, passkey_id=passkey_id)


def _credentials(user_id: int, relying_party: RelyingParty) -> list[bytes]:
    rows = Passkey.objects.filter(
        user_id=user_id, relying_party=relying_party.id, removed_at__isnull=True
    ).values_list("credential_id", flat=True)
    return [bytes(one) for one in rows]
