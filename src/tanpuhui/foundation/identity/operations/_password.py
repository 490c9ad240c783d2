"""Sign-in by user name and password (密码登录): the first of two factors, with a lock-out that lives in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import PasswordWrong, SignInLocked
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import _attempts
from tanpuhui.foundation.identity.operations._register_citizen import VISITOR
from tanpuhui.foundation.identity.queries.sign_in import lock_rules
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordTried:
    """The outcome of one try: signed_in, wrong or locked."""

    attempt_id: int
    outcome: str


def sign_in_with_password(*, username: str, password: str, ip: str, at: datetime) -> User:
    """Return the active user of this name and password; no session opens before a second factor.

    Raises PasswordWrong; SignInLocked after as many failures as the rules allow (`sign_in.failures_max` within
    `sign_in.lock_minutes` for the name, `sign_in.failures_per_address_max` from one address); ParameterUnset.
    """
    user = User.objects.filter(username=username, is_active=True, is_citizen=False).first()
    if user is None:
        make_password(password)  # an unknown name takes as long as a known one
        correct = False
    else:
        correct = check_password(password, user.password)
    tried = record_attempt(
        actor=Actor(kind=VISITOR, id=ip),
        at=at,
        name_index_hex=_attempts.name_index_hex(username),
        correct=correct,
    )
    if tried.outcome == _attempts.LOCKED:
        raise SignInLocked(minutes=lock_rules(at).minutes)
    if tried.outcome == _attempts.WRONG or user is None:
        raise PasswordWrong
    return user


@operation(roles=set(), subject="sign_in_attempt:{attempt_id}")
def record_attempt(*, actor: Actor, at: datetime, name_index_hex: str, correct: bool) -> PasswordTried:
    """Record one try; it is locked, right or wrong, while there are too many failures."""
    lock_names(f"identity:password:{name_index_hex}")
    way = _attempts.PASSWORD
    locked = _attempts.is_locked(
        name_index_hex=name_index_hex, way=way, ip=actor.id, at=at, rules=lock_rules(at)
    )
    outcome = _attempts.LOCKED if locked else _attempts.SIGNED_IN if correct else _attempts.WRONG
    attempt_id = _attempts.note_attempt(
        name_index_hex=name_index_hex, way=way, ip=actor.id, outcome=outcome, at=at
    )
    return PasswordTried(attempt_id=attempt_id, outcome=outcome)
