"""The second factor by code (动态口令、恢复码): enrolled, confirmed, used once, replaced.

A wrong try is committed before it is refused. Secrets and codes reach these operations as SecretStr, so that neither
the audit's argument hash nor its result can be used to guess them.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyotp
from django.conf import settings
from pydantic import SecretStr

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain.sign_in import (
    RECOVERY_ALPHABET,
    RECOVERY_CHARACTERS,
    TOTP_SECONDS,
    TOTP_STEPS_AROUND,
    NoDemonstrationCode,
    RecoveryCodeWrong,
    SecondFactorLocked,
    SecondFactorMissing,
    SecondFactorPresent,
    SecondFactorUsed,
    SecondFactorWrong,
    TotpNotBegun,
    normal_recovery_code,
    step_to_accept,
    written_recovery_code,
)
from tanpuhui.foundation.identity.models import RecoveryCode, TotpAuthenticator, User
from tanpuhui.foundation.identity.operations import _attempts
from tanpuhui.foundation.identity.queries import TOTP_CONTEXT
from tanpuhui.foundation.identity.queries.sign_in import (
    lock_rules,
    second_factors,
    totp_step,
    whole_number,
)
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted
from tanpuhui.foundation.keys.queries import blind_index, seal, unseal
from tanpuhui.foundation.persistence.locks import lock_names

USED = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpBegun:
    """A secret was made and waits to be confirmed; `queries.pending_totp` shows it."""

    user_id: int
    authenticator_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpConfirmed:
    """Whether the code was right, so that the authenticator is in force; `recovery` says whether new codes count."""

    user_id: int
    confirmed: bool
    recovery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorTried:
    """The outcome of one try: signed_in, wrong, used or locked."""

    user_id: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesReplaced:
    """How many recovery codes count now; all earlier ones ended."""

    user_id: int
    count: int


def own(user_id: int) -> Actor:
    """Return a person as the actor of their own sign-in: it gives no right but that to their own factors."""
    return Actor(kind="user", id=str(user_id))


def require_self(actor: Actor, user_id: int, *, operation: str) -> None:
    """Refuse unless somebody acts on their own factors. Raises NotPermitted."""
    if actor.kind != "user" or actor.id != str(user_id):
        raise NotPermitted(operation=operation)


def lock_person(user_id: int) -> User:
    """Take the lock under which one person's factors change and are used, and return the person. Raises NotFound."""
    lock_names(f"identity:second-factor:{user_id}")
    user = User.objects.filter(id=user_id, is_active=True, is_citizen=False).first()
    if user is None:
        raise NotFound(what="用户 user", id=user_id)
    return user


@operation(roles=set(), subject="user:{user_id}")
def begin_totp(*, actor: Actor, at: datetime, user_id: int) -> TotpBegun:
    """Make a secret for somebody's authenticator, which counts once a code confirms it; an earlier unconfirmed one ends.

    Raises NotPermitted, NotFound.
    """
    require_self(actor, user_id, operation="identity.begin_totp")
    lock_person(user_id)
    TotpAuthenticator.objects.filter(
        user_id=user_id, confirmed_at__isnull=True, removed_at__isnull=True
    ).update(removed_at=at)
    row = TotpAuthenticator.objects.create(
        user_id=user_id, secret_sealed=seal(pyotp.random_base32(), context=TOTP_CONTEXT), begun_at=at
    )
    return TotpBegun(user_id=user_id, authenticator_id=row.id)


def enrol_totp(*, actor: Actor, at: datetime, user_id: int, code: str) -> tuple[str, ...]:
    """Put the pending authenticator in force by a code of it, and return new recovery codes where there were none.

    They are shown this once. An authenticator that was in force ends. Raises TotpNotBegun, SecondFactorWrong.
    """
    codes = make_recovery_codes(at)
    done = confirm_totp(
        actor=actor,
        at=at,
        user_id=user_id,
        code=SecretStr(code.strip()),
        recovery_index_hexes=recovery_index_hexes(user_id, codes),
    )
    if not done.confirmed:
        raise SecondFactorWrong
    return tuple(written_recovery_code(one) for one in codes) if done.recovery else ()


@operation(roles=set(), subject="user:{user_id}")
def confirm_totp(
    *, actor: Actor, at: datetime, user_id: int, code: SecretStr, recovery_index_hexes: Sequence[str]
) -> TotpConfirmed:
    """Confirm the pending authenticator by a code; the codes given become the recovery codes where there are none."""
    require_self(actor, user_id, operation="identity.confirm_totp")
    lock_person(user_id)
    row = TotpAuthenticator.objects.filter(
        user_id=user_id, confirmed_at__isnull=True, removed_at__isnull=True
    ).first()
    if row is None:
        raise TotpNotBegun
    step = step_to_accept(_matching_steps(row, code.get_secret_value(), at), last=0)
    if step is None:
        return TotpConfirmed(user_id=user_id, confirmed=False, recovery=False)
    TotpAuthenticator.objects.filter(
        user_id=user_id, confirmed_at__isnull=False, removed_at__isnull=True
    ).update(removed_at=at)
    row.confirmed_at, row.last_step = at, step
    row.save(update_fields=["confirmed_at", "last_step"])
    fresh = give_recovery_codes_if_none(user_id, recovery_index_hexes, at=at)
    return TotpConfirmed(user_id=user_id, confirmed=True, recovery=fresh)


def sign_in_with_totp(*, user_id: int, code: str, ip: str, at: datetime) -> None:
    """Accept a time-based code as the second factor; the caller opens the session.

    Each code serves once (RFC 6238 section 5.2). Raises SecondFactorWrong, SecondFactorUsed, SecondFactorLocked,
    SecondFactorMissing, ParameterUnset.
    """
    tried = check_totp(actor=own(user_id), at=at, user_id=user_id, code=SecretStr(code.strip()), ip=ip)
    if tried.outcome == USED:
        raise SecondFactorUsed(wait_seconds=TOTP_SECONDS - int(at.timestamp()) % TOTP_SECONDS)
    if tried.outcome == _attempts.WRONG:
        raise SecondFactorWrong
    refuse_locked(tried, at)


@operation(roles=set(), subject="user:{user_id}")
def check_totp(*, actor: Actor, at: datetime, user_id: int, code: SecretStr, ip: str) -> SecondFactorTried:
    """Try a time-based code, count the try, and remember the step that was accepted."""
    require_self(actor, user_id, operation="identity.check_totp")
    user = lock_person(user_id)
    row = TotpAuthenticator.objects.filter(
        user_id=user_id, confirmed_at__isnull=False, removed_at__isnull=True
    ).first()
    if row is None:
        raise SecondFactorMissing
    index = _attempts.name_index_hex(user.username)
    if _locked(index, ip, at):
        return _noted(user_id, index, ip, _attempts.LOCKED, at)
    matching = _matching_steps(row, code.get_secret_value(), at)
    step = step_to_accept(matching, last=row.last_step)
    if step is None:
        if matching:
            # Right, but used: whoever replays it learns nothing, and its owner is told to wait.
            _noted(user_id, index, ip, _attempts.WRONG, at)
            return SecondFactorTried(user_id=user_id, outcome=USED)
        return _noted(user_id, index, ip, _attempts.WRONG, at)
    row.last_step = step
    row.save(update_fields=["last_step"])
    return _noted(user_id, index, ip, _attempts.SIGNED_IN, at)


def sign_in_with_recovery_code(*, user_id: int, code: str, ip: str, at: datetime) -> None:
    """Accept one recovery code in place of the second factor; it is used up.

    Raises Invalid, RecoveryCodeWrong, SecondFactorLocked, ParameterUnset.
    """
    index_hex = recovery_index_hexes(user_id, (normal_recovery_code(code),))[0]
    tried = check_recovery_code(actor=own(user_id), at=at, user_id=user_id, code_index_hex=index_hex, ip=ip)
    if tried.outcome == _attempts.WRONG:
        raise RecoveryCodeWrong
    refuse_locked(tried, at)


@operation(roles=set(), subject="user:{user_id}")
def check_recovery_code(
    *, actor: Actor, at: datetime, user_id: int, code_index_hex: str, ip: str
) -> SecondFactorTried:
    """Try a recovery code, count the try, and use the code up where it is right."""
    require_self(actor, user_id, operation="identity.check_recovery_code")
    user = lock_person(user_id)
    index = _attempts.name_index_hex(user.username)
    if _locked(index, ip, at):
        return _noted(user_id, index, ip, _attempts.LOCKED, at)
    used = RecoveryCode.objects.filter(
        user_id=user_id,
        code_index=bytes.fromhex(code_index_hex),
        used_at__isnull=True,
        replaced_at__isnull=True,
    ).update(used_at=at)
    return _noted(user_id, index, ip, _attempts.SIGNED_IN if used else _attempts.WRONG, at)


def renew_recovery_codes(*, actor: Actor, at: datetime, user_id: int) -> tuple[str, ...]:
    """Make new recovery codes and return them; they are shown this once, and all earlier ones end.

    Raises SecondFactorMissing, NotPermitted, NotFound, ParameterUnset.
    """
    codes = make_recovery_codes(at)
    replace_recovery_codes(
        actor=actor, at=at, user_id=user_id, recovery_index_hexes=recovery_index_hexes(user_id, codes)
    )
    return tuple(written_recovery_code(one) for one in codes)


@operation(roles=set(), subject="user:{user_id}")
def replace_recovery_codes(
    *, actor: Actor, at: datetime, user_id: int, recovery_index_hexes: Sequence[str]
) -> RecoveryCodesReplaced:
    """Record the keyed hashes of new recovery codes and end the earlier ones. See renew_recovery_codes."""
    require_self(actor, user_id, operation="identity.replace_recovery_codes")
    lock_person(user_id)
    if not second_factors(user_id).any:
        raise SecondFactorMissing
    RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True, replaced_at__isnull=True).update(
        replaced_at=at
    )
    _record_recovery_codes(user_id, recovery_index_hexes, at=at)
    return RecoveryCodesReplaced(user_id=user_id, count=len(recovery_index_hexes))


@operation(roles={Role.SYSTEM}, subject="user:{user_id}")
def enrol_demonstration_totp(*, actor: Actor, at: datetime, user_id: int) -> TotpBegun:
    """Give an invented person an authenticator that the sign-in page shows, a random secret for each installation.

    One that stands already is left. Raises NoDemonstrationCode outside a demonstration, SecondFactorPresent for a person
    with an authenticator of their own.
    """
    if settings.TANPUHUI_DEMO is not True:
        raise NoDemonstrationCode
    lock_person(user_id)
    standing = TotpAuthenticator.objects.filter(
        user_id=user_id, confirmed_at__isnull=False, removed_at__isnull=True
    )
    row = standing.first()
    if row is not None and not row.demonstration:
        raise SecondFactorPresent
    if row is None:
        row = TotpAuthenticator.objects.create(
            user_id=user_id,
            secret_sealed=seal(pyotp.random_base32(), context=TOTP_CONTEXT),
            demonstration=True,
            begun_at=at,
            confirmed_at=at,
        )
    return TotpBegun(user_id=user_id, authenticator_id=row.id)


def make_recovery_codes(at: datetime) -> tuple[str, ...]:
    """Return as many random codes as the rules say (`sign_in.recovery_codes`). Raises ParameterUnset."""
    return tuple(
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CHARACTERS))
        for _ in range(whole_number("sign_in.recovery_codes", at=at))
    )


def recovery_index_hexes(user_id: int, codes: Sequence[str]) -> tuple[str, ...]:
    """Return the keyed hash of each code; the same code of somebody else gives another."""
    return tuple(blind_index(f"{user_id}:{code}", purpose="identity.recovery_code") for code in codes)


def give_recovery_codes_if_none(user_id: int, index_hexes: Sequence[str], *, at: datetime) -> bool:
    """Record recovery codes for somebody who has none left, and say whether it was done."""
    if second_factors(user_id).recovery_codes_left:
        return False
    _record_recovery_codes(user_id, index_hexes, at=at)
    return True


def refuse_locked(tried: SecondFactorTried, at: datetime) -> None:
    """Raise SecondFactorLocked where the try met the lock."""
    if tried.outcome == _attempts.LOCKED:
        raise SecondFactorLocked(minutes=lock_rules(at).minutes)


def _record_recovery_codes(user_id: int, index_hexes: Sequence[str], *, at: datetime) -> None:
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user_id=user_id, code_index=bytes.fromhex(one), issued_at=at) for one in index_hexes
    )


def _matching_steps(row: TotpAuthenticator, code: str, at: datetime) -> tuple[int, ...]:
    """Return the steps around a moment whose code this is; all are computed, and each comparison takes the same time."""
    totp = pyotp.TOTP(unseal(bytes(row.secret_sealed), context=TOTP_CONTEXT))
    now = totp_step(at)
    steps = range(now - TOTP_STEPS_AROUND, now + TOTP_STEPS_AROUND + 1)
    given = code.encode()
    hits = [hmac.compare_digest(totp.generate_otp(step).encode(), given) for step in steps]
    return tuple(step for step, hit in zip(steps, hits, strict=True) if hit)


def _locked(index: str, ip: str, at: datetime) -> bool:
    return _attempts.is_locked(
        name_index_hex=index, way=_attempts.SECOND_FACTOR, ip=ip, at=at, rules=lock_rules(at)
    )


def _noted(user_id: int, index: str, ip: str, outcome: str, at: datetime) -> SecondFactorTried:
    _attempts.note_attempt(name_index_hex=index, way=_attempts.SECOND_FACTOR, ip=ip, outcome=outcome, at=at)
    return SecondFactorTried(user_id=user_id, outcome=outcome)
