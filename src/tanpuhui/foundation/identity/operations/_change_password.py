"""A new password (更改口令): one's own, or a temporary one that an administrator gives and its person changes at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from pydantic import SecretStr

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import PasswordWrong, SignInLocked
from tanpuhui.foundation.identity.domain.sign_in import PasswordReused, PasswordsDiffer, random_password
from tanpuhui.foundation.identity.models import EarlierPassword, User
from tanpuhui.foundation.identity.operations import _attempts
from tanpuhui.foundation.identity.operations._authority import (
    refuse_oneself,
    require_administrator_of,
    require_reason,
)
from tanpuhui.foundation.identity.operations._password import record_attempt
from tanpuhui.foundation.identity.operations._password_policy import refuse_weak_password
from tanpuhui.foundation.identity.operations._register_citizen import VISITOR
from tanpuhui.foundation.identity.operations._second_factor import lock_person, require_self
from tanpuhui.foundation.identity.operations._session import end_sessions_of
from tanpuhui.foundation.identity.queries.sign_in import lock_rules, password_rules
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSet:
    """A password that counts from now on, and how many other sessions ended with the old one."""

    user_id: int
    temporary: bool
    sessions_ended: int


def change_password(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    old: str,
    new: str,
    again: str,
    ip: str,
    session_key: str = "",
) -> PasswordSet:
    """Change one's own password; every other session ends, the one named stays.

    The old password is asked for, and a wrong one counts as a failed sign-in. Raises PasswordWrong, SignInLocked,
    PasswordsDiffer, PasswordTooShort, PasswordTooPlain, PasswordCommon, PasswordReused, ParameterUnset, NotPermitted.
    """
    require_self(actor, user_id, operation="identity.change_password")
    user = _person(user_id)
    tried = record_attempt(
        actor=Actor(kind=VISITOR, id=ip),
        at=at,
        name_index_hex=_attempts.name_index_hex(user.username),
        correct=check_password(old, user.password),
    )
    if tried.outcome == _attempts.LOCKED:
        raise SignInLocked(minutes=lock_rules(at).minutes)
    if tried.outcome == _attempts.WRONG:
        raise PasswordWrong
    return replace_password(
        actor=actor, at=at, user_id=user_id, new=new, again=again, session_key=session_key
    )


def replace_password(
    *, actor: Actor, at: datetime, user_id: int, new: str, again: str, session_key: str = ""
) -> PasswordSet:
    """Set one's own new password where the old one was shown a moment ago, as at a sign-in that asks for a new one.

    Hashes are made outside the transaction: they are slow on purpose. Raises as `change_password` does, but not
    PasswordWrong where nothing changed meanwhile.
    """
    require_self(actor, user_id, operation="identity.change_password")
    if new != again:
        raise PasswordsDiffer
    refuse_weak_password(SecretStr(new), at=at)
    user = _person(user_id)
    history = password_rules(at).history
    earlier = EarlierPassword.objects.filter(user_id=user_id).order_by("-ended_at", "-id")
    had = [user.password, *earlier.values_list("password", flat=True)[: max(history - 1, 0)]]
    if any(check_password(new, one) for one in had):
        raise PasswordReused(history=history)
    return set_password(
        actor=actor,
        at=at,
        user_id=user_id,
        old_hash=SecretStr(user.password),
        new_hash=SecretStr(make_password(new)),
        session_key=session_key,
    )


@operation(roles=set(), subject="user:{user_id}")
def set_password(
    *, actor: Actor, at: datetime, user_id: int, old_hash: SecretStr, new_hash: SecretStr, session_key: str
) -> PasswordSet:
    """Write a person's own new password whose checks were made. Raises PasswordWrong where it changed meanwhile."""
    require_self(actor, user_id, operation="identity.set_password")
    user = lock_person(user_id)
    if user.password != old_hash.get_secret_value():
        raise PasswordWrong
    return _write(user, new_hash, at=at, temporary=False, why="password", but=session_key)


def give_temporary_password(*, actor: Actor, at: datetime, user_id: int, reason: str) -> str:
    """Make a new password for a member who forgot theirs, and return it: shown once, changed at the next sign-in.

    The second factor stays, and every session ends. Raises NotPermitted, NotFound, Invalid.
    """
    password = random_password()
    record_temporary_password(
        actor=actor, at=at, user_id=user_id, reason=reason, new_hash=SecretStr(make_password(password))
    )
    return password


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def record_temporary_password(
    *, actor: Actor, at: datetime, user_id: int, reason: str, new_hash: SecretStr
) -> PasswordSet:
    """Record a temporary password; nobody gives one to themselves. See give_temporary_password."""
    refuse_oneself(actor, user_id, operation="identity.record_temporary_password")
    require_reason(reason)
    user = lock_person(user_id)
    require_administrator_of(actor, user_id=user_id, at=at, operation="identity.record_temporary_password")
    return _write(user, new_hash, at=at, temporary=True, why="administrator")


def _write(
    user: User, new_hash: SecretStr, *, at: datetime, temporary: bool, why: str, but: str = ""
) -> PasswordSet:
    EarlierPassword.objects.create(user=user, password=user.password, ended_at=at)
    user.password = new_hash.get_secret_value()
    user.password_set_at, user.password_is_temporary = at, temporary
    user.save(update_fields=["password", "password_set_at", "password_is_temporary"])
    ended = end_sessions_of(user.pk, at=at, why=why, but=but)
    return PasswordSet(user_id=user.pk, temporary=temporary, sessions_ended=ended)


def _person(user_id: int) -> User:
    user = User.objects.filter(id=user_id, is_active=True, is_citizen=False).first()
    if user is None:
        raise NotFound(what="用户 user", id=user_id)
    return user
