"""Sign-in by phone and code (验证码登录): what is kept of a code, and its three uses.

Only keyed hashes of phone and code reach the database and the audit. A wrong try is committed before it is refused,
so that the count of tries survives the refusal.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.adapters.sms import sms_port
from tanpuhui.foundation.identity.domain import (
    CodeExpired,
    CodeTooSoon,
    CodeWrong,
    PhoneNotRegistered,
    PhoneTaken,
    TooManyCodes,
    check_area,
    check_name,
    masked_phone,
    normal_phone,
)
from tanpuhui.foundation.identity.models import SignInCode, User
from tanpuhui.foundation.identity.operations._register_citizen import VISITOR, register_citizen
from tanpuhui.foundation.identity.queries import phone_index
from tanpuhui.foundation.identity.queries.sign_in import code_rules
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.keys.queries import blind_index
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequested:
    """A code is on its way; nothing here says whether the phone is registered."""

    masked_phone: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIssued:
    """The record of a code."""

    code_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeChecked:
    """The outcome of one try: accepted (with the user, None where the phone is new), wrong or expired."""

    outcome: str
    tries_left: int
    user_id: int | None
    code_id: int | None


def request_code(*, phone: str, ip: str, at: datetime) -> CodeRequested:
    """Send a code to a phone, registered or not; digits, minutes, tries and limits are rules (`sign_in.code_…`).

    Raises Invalid, CodeTooSoon, TooManyCodes, SmsNotConfigured, ParameterUnset. The message leaves after the code is committed.
    """
    number = normal_phone(phone)
    port = sms_port()
    rules = code_rules(at)
    code = f"{secrets.randbelow(10**rules.digits):0{rules.digits}d}"
    issued = issue_code(
        actor=Actor(kind=VISITOR, id=ip),
        at=at,
        phone_index_hex=phone_index(number).hex(),
        code_index_hex=_code_index(number, code),
    )
    text = f"【{jurisdiction().scheme_zh}】验证码 {code}，{rules.minutes} 分钟内有效。请勿告诉他人。"
    port.send(phone=number, text=text, at=at)
    return CodeRequested(masked_phone=masked_phone(number), expires_at=issued.expires_at)


def sign_in_with_code(*, phone: str, code: str, ip: str, at: datetime) -> User:
    """Return the citizen whose phone and code these are; the caller opens the session. The code is used up.

    Raises Invalid, CodeWrong, CodeExpired, PhoneNotRegistered (then the code still serves `register_with_code`).
    """
    checked = _check(phone=phone, code=code, ip=ip, at=at, purpose="sign_in")
    if checked.user_id is None:
        raise PhoneNotRegistered
    return User.objects.get(id=checked.user_id)


def register_with_code(*, phone: str, code: str, display_name: str, area: str, ip: str, at: datetime) -> User:
    """Register a citizen who holds the code sent to their phone, and return them signed in.

    Raises Invalid, CodeWrong, CodeExpired, PhoneTaken.
    """
    check_name(display_name, field="display_name")
    check_area(area)
    checked = _check(phone=phone, code=code, ip=ip, at=at, purpose="register")
    if checked.user_id is not None:
        raise PhoneTaken(phone=masked_phone(normal_phone(phone)))
    registered = register_citizen(
        actor=Actor(kind=VISITOR, id=ip), at=at, phone=phone, display_name=display_name, area=area
    )
    return User.objects.get(id=registered.user_id)


@operation(roles=set(), subject="sign_in_code:{code_id}")
def issue_code(*, actor: Actor, at: datetime, phone_index_hex: str, code_index_hex: str) -> CodeIssued:
    """Record a code for a phone, within the limits per phone and per address. Raises CodeTooSoon, TooManyCodes."""
    rules, index = code_rules(at), bytes.fromhex(phone_index_hex)
    lock_names(f"identity:code:{phone_index_hex}", f"identity:code-ip:{actor.id}")
    recent = SignInCode.objects.filter(issued_at__gt=at - timedelta(hours=1))
    last = recent.filter(phone_index=index).order_by("-issued_at").first()
    if last is not None and at - last.issued_at < rules.pause:
        raise CodeTooSoon(wait_seconds=int((rules.pause - (at - last.issued_at)).total_seconds()) + 1)
    if recent.filter(phone_index=index).count() >= rules.per_phone_per_hour:
        raise TooManyCodes
    if recent.filter(ip=actor.id).count() >= rules.per_address_per_hour:
        raise TooManyCodes
    row = SignInCode.objects.create(
        phone_index=index,
        code_index=bytes.fromhex(code_index_hex),
        ip=actor.id,
        issued_at=at,
        expires_at=at + rules.valid,
        tries_left=rules.tries_max,
    )
    return CodeIssued(code_id=row.id, expires_at=row.expires_at)


@operation(roles=set(), subject="sign_in_code:{code_id}")
def check_code(
    *,
    actor: Actor,
    at: datetime,
    phone_index_hex: str,
    code_index_hex: str,
    purpose: str,
) -> CodeChecked:
    """Try a code against the newest one of a phone, and count the try. It is used up when it serves its purpose.

    A right code of an unregistered phone is kept for `register`; that of a registered one is kept only for `sign_in`.
    """
    index = bytes.fromhex(phone_index_hex)
    lock_names(f"identity:code:{phone_index_hex}")
    row = SignInCode.objects.filter(phone_index=index).order_by("-issued_at", "-id").first()
    if row is None or row.used_at is not None or row.expires_at <= at or row.tries_left == 0:
        return CodeChecked(outcome="expired", tries_left=0, user_id=None, code_id=row.id if row else None)
    if not hmac.compare_digest(bytes(row.code_index), bytes.fromhex(code_index_hex)):
        row.tries_left -= 1
        row.save(update_fields=["tries_left"])
        return CodeChecked(outcome="wrong", tries_left=row.tries_left, user_id=None, code_id=row.id)
    user_id = (
        User.objects.filter(phone_index=index, is_active=True, is_citizen=True)
        .values_list("id", flat=True)
        .first()
    )
    if (user_id is None) == (purpose == "register"):
        row.used_at = at
        row.save(update_fields=["used_at"])
    return CodeChecked(outcome="accepted", tries_left=row.tries_left, user_id=user_id, code_id=row.id)


def _check(*, phone: str, code: str, ip: str, at: datetime, purpose: str) -> CodeChecked:
    number = normal_phone(phone)
    checked = check_code(
        actor=Actor(kind=VISITOR, id=ip),
        at=at,
        phone_index_hex=phone_index(number).hex(),
        code_index_hex=_code_index(number, code.strip()),
        purpose=purpose,
    )
    if checked.outcome == "expired" or (checked.outcome == "wrong" and checked.tries_left == 0):
        raise CodeExpired
    if checked.outcome == "wrong":
        raise CodeWrong(tries_left=checked.tries_left)
    return checked


def _code_index(number: str, code: str) -> str:
    return blind_index(f"{number}:{code}", purpose="identity.sign_in_code")
