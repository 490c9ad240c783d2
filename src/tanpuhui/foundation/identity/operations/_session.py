"""Sessions (登录会话): written down when they open, ended by their person, by an administrator, or by a new password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.models import SignInSession, User
from tanpuhui.foundation.identity.operations._authority import (
    refuse_oneself,
    require_administrator_of,
    require_reason,
)
from tanpuhui.foundation.identity.operations._open_people import hold_open
from tanpuhui.foundation.identity.operations._second_factor import require_self
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound

DEVICE_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """The record of a session."""

    user_id: int
    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsEnded:
    """How many sessions were ended."""

    user_id: int
    count: int


@operation(roles=set(), subject="user:{user_id}")
def open_session(
    *, actor: Actor, at: datetime, user_id: int, session_key: str, way: str, ip: str, device: str
) -> SessionOpened:
    """Write down that somebody's session opened, by which way, from which address and device. Raises NotPermitted, AccountClosed."""
    require_self(actor, user_id, operation="identity.open_session")
    hold_open([user_id])
    row = SignInSession.objects.create(
        user_id=user_id,
        session_key=session_key,
        way=way,
        ip=ip,
        device=device[:DEVICE_CHARACTERS_MAX],
        opened_at=at,
    )
    return SessionOpened(user_id=user_id, session_id=row.pk)


@operation(roles=set(), subject="user:{user_id}")
def close_session(*, actor: Actor, at: datetime, user_id: int, session_key: str, why: str) -> SessionsEnded:
    """Write down that a session ended: `sign_out`, `idle` or `age`. Raises NotPermitted."""
    require_self(actor, user_id, operation="identity.close_session")
    count = SignInSession.objects.filter(
        user_id=user_id, session_key=session_key, ended_at__isnull=True
    ).update(ended_at=at, ended_why=why)
    return SessionsEnded(user_id=user_id, count=count)


@operation(roles=set(), subject="user:{user_id}")
def end_other_sessions(*, actor: Actor, at: datetime, user_id: int, session_key: str) -> SessionsEnded:
    """End every session of one's own but the one named. Raises NotPermitted."""
    require_self(actor, user_id, operation="identity.end_other_sessions")
    return SessionsEnded(user_id=user_id, count=end_sessions_of(user_id, at=at, why="own", but=session_key))


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def end_sessions(
    *, actor: Actor, at: datetime, user_id: int, reason: str, idempotency_key: str | None = None
) -> SessionsEnded:
    """End every session of a member at once. Raises NotPermitted, NotFound, Invalid."""
    refuse_oneself(actor, user_id, operation="identity.end_sessions")
    require_reason(reason)
    if not User.objects.filter(id=user_id, is_citizen=False).exists():
        raise NotFound(what="用户 user", id=user_id)
    require_administrator_of(actor, user_id=user_id, at=at, operation="identity.end_sessions")
    return SessionsEnded(user_id=user_id, count=end_sessions_of(user_id, at=at, why="administrator"))


def end_sessions_of(user_id: int, *, at: datetime, why: str, but: str = "") -> int:
    """End somebody's sessions except one, in Django's store and in our record; return how many were open."""
    rows = SignInSession.objects.filter(user_id=user_id, ended_at__isnull=True).exclude(session_key=but)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return rows.update(ended_at=at, ended_why=why)
