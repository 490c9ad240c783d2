"""Reads for signing in: the rules of a day, and what second factors somebody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyotp
from django.conf import settings
from django.db.models import Q

from tanpuhui.foundation.identity.domain import SCHEME_BODIES
from tanpuhui.foundation.identity.domain.sign_in import (
    TOTP_SECONDS,
    TOTP_STEPS_AROUND,
    CodeRules,
    LockRules,
    NoDemonstrationCode,
    PasswordRules,
    SessionRules,
    TotpNotBegun,
)
from tanpuhui.foundation.identity.models import (
    Membership,
    Passkey,
    RecoveryCode,
    TotpAuthenticator,
    User,
)
from tanpuhui.foundation.identity.queries import TOTP_CONTEXT
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.keys.queries import unseal
from tanpuhui.foundation.rulebook.queries import jurisdiction, parameters, require_parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: int
    name: str
    relying_party: str
    registered_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactors:
    """What somebody can show beside a password; `totp_since` is None without an authenticator."""

    totp_since: datetime | None
    passkeys: tuple[PasskeyView, ...]
    recovery_codes_left: int

    @property
    def any(self) -> bool:
        """Say whether there is a factor; recovery codes alone are none, they only replace one for once."""
        return self.totp_since is not None or bool(self.passkeys)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTotp:
    """A secret that waits to be confirmed: as text, and as the address that a QR code carries."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemonstrationCode:
    """What the demonstration's authenticator shows: a code, or for how many seconds there is none that still serves."""

    code: str
    wait_seconds: int


def whole_number(key: str, *, at: datetime | date, scope: str = "") -> int:
    """Return a rule that is a count. Raises ParameterUnset, which names it, and Invalid for what is no count."""
    value = require_parameter(key=key, at=at, scope=scope).value
    if value is None or not value.isascii() or not value.isdigit():
        raise Invalid(field=key, why=f"{value!r} 不是非负整数 / is no whole number")
    return int(value)


def whole_numbers(prefix: str, *keys: str, at: datetime | date) -> tuple[int, ...]:
    """Return several rules of one family, such as `sign_in.`, in the order of the keys, by one look. Raises as above."""
    values = {found.key: found.value for found in parameters(at=at) if found.scope == ""}
    return tuple(
        int(value)
        if (value := values.get(f"{prefix}.{key}")) and value.isascii() and value.isdigit()
        else whole_number(f"{prefix}.{key}", at=at)
        for key in keys
    )


def code_rules(at: datetime) -> CodeRules:
    """Return the rules of codes by text message on a day. Raises ParameterUnset."""
    digits, minutes, tries_max, pause, per_phone, per_address = whole_numbers(
        "sign_in",
        "code_digits",
        "code_minutes",
        "code_tries_max",
        "code_pause_seconds",
        "codes_per_phone_per_hour",
        "codes_per_address_per_hour",
        at=at,
    )
    return CodeRules(
        digits=digits,
        valid=timedelta(minutes=minutes),
        tries_max=tries_max,
        pause=timedelta(seconds=pause),
        per_phone_per_hour=per_phone,
        per_address_per_hour=per_address,
    )


def lock_rules(at: datetime) -> LockRules:
    """Return the rules of the lock-out on a day. Raises ParameterUnset."""
    failures, per_address, minutes = whole_numbers(
        "sign_in", "failures_max", "failures_per_address_max", "lock_minutes", at=at
    )
    return LockRules(
        failures_max=failures, failures_per_address_max=per_address, locked=timedelta(minutes=minutes)
    )


def password_rules(at: datetime) -> PasswordRules:
    """Return the rules of passwords on a day. Raises ParameterUnset."""
    length_min, classes_min, age_days, history = whole_numbers(
        "password", "length_min", "classes_min", "age_days", "history", at=at
    )
    return PasswordRules(
        length_min=length_min, classes_min=classes_min, age=timedelta(days=age_days), history=history
    )


def session_rules(user_id: int, *, at: datetime) -> SessionRules:
    """Return the rules of a session that somebody opens now. Raises ParameterUnset.

    The idle time is a rule per kind of person: staff of the scheme's own bodies, organisations' people, citizens.
    """
    age, fresh = whole_numbers("session", "age_hours", "fresh_minutes", at=at)
    idle = whole_number("session.idle_minutes", at=at, scope=kind_of_person(user_id, at=at))
    return SessionRules(
        idle=timedelta(minutes=idle), age=timedelta(hours=age), fresh=timedelta(minutes=fresh)
    )


def kind_of_person(user_id: int, *, at: datetime) -> str:
    """Return staff (of regulator, centre or sub-centre, by home or by a role held now), organisation or citizen."""
    user = User.objects.select_related("organisation").filter(id=user_id).first()
    if user is None or user.is_citizen:
        return "citizen"
    bodies = [kind.value for kind in SCHEME_BODIES]
    if user.organisation is not None and user.organisation.kind in bodies:
        return "staff"
    serves = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at),
        user_id=user_id,
        valid_from__lte=at,
        organisation__kind__in=bodies,
    )
    return "staff" if serves.exists() else "organisation"


def password_due(user_id: int, *, at: datetime) -> bool:
    """Say whether a password must be changed before a session opens: temporary, or older than the rule allows.

    Raises ParameterUnset.
    """
    user = (
        User.objects.filter(id=user_id, is_citizen=False)
        .only("password_set_at", "password_is_temporary", "joined_at")
        .first()
    )
    if user is None:
        return False
    since = user.password_set_at or user.joined_at
    return user.password_is_temporary or at - since >= password_rules(at).age


def pending_time(at: datetime) -> timedelta:
    """Return how long the second factor may follow the password. Raises ParameterUnset."""
    return timedelta(minutes=whole_number("sign_in.second_factor_minutes", at=at))


def second_factors(user_id: int, *, relying_party: str | None = None) -> SecondFactors:
    """Return what somebody has enrolled; with a relying party only the passkeys that work under that name."""
    passkeys = Passkey.objects.filter(user_id=user_id, removed_at__isnull=True).order_by("id")
    if relying_party is not None:
        passkeys = passkeys.filter(relying_party=relying_party)
    return SecondFactors(
        totp_since=TotpAuthenticator.objects.filter(
            user_id=user_id, confirmed_at__isnull=False, removed_at__isnull=True
        )
        .values_list("confirmed_at", flat=True)
        .first(),
        passkeys=tuple(
            PasskeyView(
                id=row.id,
                name=row.name,
                relying_party=row.relying_party,
                registered_at=row.registered_at,
                last_used_at=row.last_used_at,
            )
            for row in passkeys
        ),
        recovery_codes_left=RecoveryCode.objects.filter(
            user_id=user_id, used_at__isnull=True, replaced_at__isnull=True
        ).count(),
    )


def pending_totp(user_id: int) -> PendingTotp:
    """Return the secret that waits to be confirmed. Raises TotpNotBegun."""
    row = (
        TotpAuthenticator.objects.select_related("user")
        .filter(user_id=user_id, confirmed_at__isnull=True, removed_at__isnull=True)
        .first()
    )
    if row is None:
        raise TotpNotBegun
    secret = unseal(bytes(row.secret_sealed), context=TOTP_CONTEXT)
    uri = pyotp.TOTP(secret).provisioning_uri(name=row.user.username, issuer_name=jurisdiction().scheme_zh)
    return PendingTotp(secret=secret, uri=uri)


def totp_step(at: datetime) -> int:
    """Return the number of the 30-second step of a moment (RFC 6238)."""
    return int(at.timestamp()) // TOTP_SECONDS


def demonstration_code(user_id: int, *, at: datetime) -> DemonstrationCode:
    """Return what the authenticator of an invented person shows, the next code where this one has been used.

    Raises NoDemonstrationCode outside a demonstration, and for everybody who enrolled an authenticator of their own.
    """
    if settings.TANPUHUI_DEMO is not True:
        raise NoDemonstrationCode
    row = TotpAuthenticator.objects.filter(
        user_id=user_id, demonstration=True, confirmed_at__isnull=False, removed_at__isnull=True
    ).first()
    if row is None:
        raise NoDemonstrationCode
    now = totp_step(at)
    step = max(now, row.last_step + 1)
    if step > now + TOTP_STEPS_AROUND:
        wait = (step - TOTP_STEPS_AROUND) * TOTP_SECONDS - int(at.timestamp())
        return DemonstrationCode(code="", wait_seconds=wait)
    secret = unseal(bytes(row.secret_sealed), context=TOTP_CONTEXT)
    return DemonstrationCode(code=pyotp.TOTP(secret).generate_otp(step), wait_seconds=0)


def user_to_sign_in(user_id: int) -> User | None:
    """Return an active person of an organisation, None for anybody else."""
    return User.objects.filter(id=user_id, is_active=True, is_citizen=False).first()
