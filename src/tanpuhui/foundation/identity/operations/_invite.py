"""Let a new person set their own password by an activation code sent to their phone (激活码).

The code exists in the worker's memory and on the phone only; the database has a keyed hash of it with the user name.
A wrong try is committed before it is refused, so that the count of tries survives the refusal.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from pydantic import SecretStr

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import UsernameTaken, check_name, normal_phone
from tanpuhui.foundation.identity.domain.onboarding import (
    INVITATION_DIGITS,
    INVITATION_TRIES_MAX,
    INVITATION_VALID,
    AlreadyActivated,
    InvitationExpired,
    InvitationWrong,
    check_username,
)
from tanpuhui.foundation.identity.events import PersonInvited
from tanpuhui.foundation.identity.models import Invitation, Organisation, User
from tanpuhui.foundation.identity.operations._add_member import PersonAdded, organisation_of
from tanpuhui.foundation.identity.operations._authority import require_granter, require_keeper
from tanpuhui.foundation.identity.operations._password_policy import refuse_weak_password
from tanpuhui.foundation.identity.operations._register_citizen import VISITOR
from tanpuhui.foundation.identity.operations._text_person import text_person
from tanpuhui.foundation.identity.queries import PHONE_CONTEXT, phone_index
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.keys.queries import blind_index, seal
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRecorded:
    """The record of a code."""

    invitation_id: int
    user_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationTried:
    """The outcome of one try: activated, wrong or expired."""

    outcome: str
    tries_left: int
    user_id: int | None


@operation(roles={Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR}, subject="user:{user_id}")
def invite_person(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    username: str,
    display_name: str,
    phone: str,
    idempotency_key: str | None = None,
) -> PersonAdded:
    """Create a user of an organisation without role and password, and have an activation code sent to their phone.

    Raises Invalid, UsernameTaken, NotFound, NotPermitted.
    """
    organisation = organisation_of(organisation_id)
    require_keeper(
        actor, organisation_id=organisation_id, area=organisation.area, operation="identity.invite_person"
    )
    user = invite_new_person(organisation, username=username, display_name=display_name, phone=phone, at=at)
    return PersonAdded(user_id=user.pk)


@operation(
    roles={Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR},
    subject="user:{user_id}",
)
def invite_again(
    *, actor: Actor, at: datetime, user_id: int, idempotency_key: str | None = None
) -> PersonAdded:
    """Have another activation code sent to somebody who has not set a password yet; the one before stops working.

    Raises AlreadyActivated, Invalid (no phone), NotFound, NotPermitted.
    """
    user = User.objects.filter(id=user_id, is_citizen=False).select_related("organisation").first()
    if user is None or user.organisation is None:
        raise NotFound(what="用户 user", id=user_id)
    home = user.organisation
    try:
        require_keeper(actor, organisation_id=home.pk, area=home.area, operation="identity.invite_again")
    except NotPermitted:
        require_granter(actor, organisation_id=home.pk, area=home.area, operation="identity.invite_again")
    if user.has_usable_password():
        raise AlreadyActivated(username=user.username)
    if user.phone_sealed is None:
        raise Invalid(field="phone", why="没有手机号 / no phone is known")
    publish(PersonInvited(user_id=user.pk))
    return PersonAdded(user_id=user.pk)


def invite_new_person(
    organisation: Organisation, *, username: str, display_name: str, phone: str, at: datetime
) -> User:
    """Write a person without password and have them invited; call it inside an operation. Raises Invalid, UsernameTaken."""
    name, number = check_username(username), normal_phone(phone)
    check_name(display_name, field="display_name")
    user, created = User.objects.get_or_create(
        username=name,
        defaults={
            "display_name": display_name.strip(),
            "area": organisation.area,
            "is_citizen": False,
            "organisation": organisation,
            "password": UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
            "phone_sealed": seal(number, context=PHONE_CONTEXT),
            "phone_index": phone_index(number),
            "joined_at": at,
        },
    )
    if not created:
        raise UsernameTaken(username=name)
    publish(PersonInvited(user_id=user.pk))
    return user


def send_invitation(*, user_id: int, at: datetime) -> None:
    """Make a code for a person without password and send it to their phone; who has a password gets none.

    Sending twice does no harm: the newest code counts. Raises SmsNotConfigured, and whatever the gateway raises.
    """
    user = User.objects.select_related("organisation").get(id=user_id)
    if user.has_usable_password() or user.phone_sealed is None or user.organisation is None:
        return
    code = f"{secrets.randbelow(10**INVITATION_DIGITS):0{INVITATION_DIGITS}d}"
    record_invitation(actor=SYSTEM, at=at, user_id=user_id, code_index_hex=_code_index(user.username, code))
    hours = int(INVITATION_VALID.total_seconds() // 3600)
    text = (
        f"{user.organisation.name}授权您登录平台。用户名 {user.username}，激活码 {code}，"
        f"{hours} 小时内在 {settings.TANPUHUI_PUBLIC_URL}/activate 设置密码。请勿告诉他人。"
    )
    text_person(user_id=user_id, text=text, at=at)


def activate(*, username: str, code: str, password: SecretStr, ip: str, at: datetime) -> User:
    """Set the first password of the person whose user name and activation code these are, and return them.

    Raises Invalid (the password), InvitationWrong, InvitationExpired.
    """
    refuse_weak_password(password, at=at)
    name = username.strip().lower()
    tried = use_invitation(
        actor=Actor(kind=VISITOR, id=ip),
        at=at,
        username=name,
        code_index_hex=_code_index(name, "".join(code.split())),
        password=password,
    )
    if tried.outcome == "wrong" and tried.tries_left > 0:
        raise InvitationWrong(tries_left=tried.tries_left)
    if tried.user_id is None:
        raise InvitationExpired
    return User.objects.get(id=tried.user_id)


@operation(roles={Role.SYSTEM}, subject="user:{user_id}")
def record_invitation(*, actor: Actor, at: datetime, user_id: int, code_index_hex: str) -> InvitationRecorded:
    """Record the keyed hash of a code that is about to be sent."""
    row = Invitation.objects.create(
        user_id=user_id,
        code_index=bytes.fromhex(code_index_hex),
        issued_at=at,
        expires_at=at + INVITATION_VALID,
        tries_left=INVITATION_TRIES_MAX,
    )
    return InvitationRecorded(invitation_id=row.pk, user_id=user_id, expires_at=row.expires_at)


@operation(roles=set(), subject="invitation_of:{user_id}")
def use_invitation(
    *, actor: Actor, at: datetime, username: str, code_index_hex: str, password: SecretStr
) -> InvitationTried:
    """Try a code against the newest one of a user name, count the try, and set the password when it is right.

    An unknown name, and one with a password, answer like a code that was never sent.
    """
    lock_names(f"identity:invitation:{blind_index(username, purpose='identity.sign_in_name')}")
    row = (
        Invitation.objects.select_related("user")
        .filter(user__username=username, user__is_active=True)
        .order_by("-issued_at", "-id")
        .first()
    )
    stale = (
        row is None
        or row.used_at is not None
        or row.expires_at <= at
        or row.tries_left == 0
        or row.user.has_usable_password()
    )
    if row is None or stale:
        return InvitationTried(outcome="expired", tries_left=0, user_id=None)
    if not hmac.compare_digest(bytes(row.code_index), bytes.fromhex(code_index_hex)):
        row.tries_left -= 1
        row.save(update_fields=["tries_left"])
        return InvitationTried(outcome="wrong", tries_left=row.tries_left, user_id=None)
    row.used_at = at
    row.save(update_fields=["used_at"])
    row.user.password, row.user.password_set_at = make_password(password.get_secret_value()), at
    row.user.save(update_fields=["password", "password_set_at"])
    return InvitationTried(outcome="activated", tries_left=row.tries_left, user_id=row.user_id)


def _code_index(username: str, code: str) -> str:
    return blind_index(f"{username}:{code}", purpose="identity.activation_code")
