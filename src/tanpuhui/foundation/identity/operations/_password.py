"""Sign-in by user name and password (密码登录), with a lock-out that lives in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    PASSWORD_FAILURES_MAX,
    PASSWORD_FAILURES_PER_IP_MAX,
    PASSWORD_LOCKED,
    PasswordWrong,
    SignInLocked,
)
from tanpuhui.foundation.identity.models import SignInAttempt, User
from tanpuhui.foundation.identity.operations._register_citizen import VISITOR
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.keys.queries import blind_index
from tanpuhui.foundation.persistence.locks import lock_names

SIGNED_IN, WRONG, LOCKED = "signed_in", "wrong", "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordTried:
    """The outcome of one try: signed_in, wrong or locked."""

    attempt_id: int
    outcome: str


def sign_in_with_password(*, username: str, password: str, ip: str, at: datetime) -> User:
    """Return the active user of this name and password; the caller opens the session.

    Raises PasswordWrong; SignInLocked after five failures in 30 minutes for the name (the customary rule:
    research/policy.md section 6.2, general knowledge, medium), or fifty from one address.
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
        name_index_hex=blind_index(username, purpose="identity.sign_in_name"),
        correct=correct,
    )
    if tried.outcome == LOCKED:
        raise SignInLocked
    if tried.outcome == WRONG or user is None:
        raise PasswordWrong
    return user


@operation(roles=set(), subject="sign_in_attempt:{attempt_id}")
def record_attempt(*, actor: Actor, at: datetime, name_index_hex: str, correct: bool) -> PasswordTried:
    """Record one try; it is locked, right or wrong, while there are too many failures."""
    index = bytes.fromhex(name_index_hex)
    lock_names(f"identity:password:{name_index_hex}")
    recent = SignInAttempt.objects.filter(at__gt=at - PASSWORD_LOCKED)
    of_name = recent.filter(name_index=index)
    last_success = of_name.filter(outcome=SIGNED_IN).order_by("-id").values_list("id", flat=True).first() or 0
    locked = (
        of_name.filter(outcome=WRONG, id__gt=last_success).count() >= PASSWORD_FAILURES_MAX
        or recent.filter(ip=actor.id, outcome=WRONG).count() >= PASSWORD_FAILURES_PER_IP_MAX
    )
    outcome = LOCKED if locked else SIGNED_IN if correct else WRONG
    row = SignInAttempt.objects.create(name_index=index, ip=actor.id, outcome=outcome, at=at)
    return PasswordTried(attempt_id=row.id, outcome=outcome)
