"""Reads of sessions and of how people stand with signing in: open sessions, locks, what an administrator sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Count, Max, Q, QuerySet

from tanpuhui.foundation.identity.domain.sign_in import LockRules, SessionRules, why_over
from tanpuhui.foundation.identity.models import (
    Passkey,
    RecoveryCode,
    SignInAttempt,
    SignInSession,
    TotpAuthenticator,
    User,
)
from tanpuhui.foundation.identity.queries import area_prefix
from tanpuhui.foundation.identity.queries.sign_in import lock_rules
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.keys.queries import blind_index

PASSWORD, SECOND_FACTOR = WAYS = ("password", "second_factor")
SIGNED_IN, WRONG, LOCKED, UNLOCKED = "signed_in", "wrong", "locked", "unlocked"
SESSION_STAMP = "session.life"
"""Under this name a session carries when it was opened and last used, and how long it may live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """An open session: how and from where it was opened, and when it was last used (to the minute)."""

    id: int
    user_id: int
    session_key: str
    way: str
    ip: str
    device: str
    opened_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInState:
    """How somebody of an organisation stands with signing in, as their administrator sees it."""

    user_id: int
    username: str
    display_name: str
    organisation_id: int
    organisation_name: str
    organisation_name_en: str
    has_second_factor: bool
    recovery_codes_left: int
    password_is_temporary: bool
    password_set_at: datetime | None
    locked: bool
    open_sessions: int
    last_opened_at: datetime | None


def session_stamp(rules: SessionRules, *, at: datetime) -> dict[str, str | int]:
    """Return what a session carries about its own life; the rules of its opening hold until it ends."""
    return {
        "opened_at": at.isoformat(),
        "seen_at": at.isoformat(),
        "idle_seconds": int(rules.idle.total_seconds()),
        "age_seconds": int(rules.age.total_seconds()),
        "fresh_seconds": int(rules.fresh.total_seconds()),
    }


def over(stamp: Mapping[str, Any], *, at: datetime) -> str | None:
    """Return why a session with this stamp is over, `age` or `idle`; None while it lives."""
    return why_over(
        opened_at=datetime.fromisoformat(stamp["opened_at"]),
        seen_at=datetime.fromisoformat(stamp["seen_at"]),
        idle=timedelta(seconds=stamp["idle_seconds"]),
        age=timedelta(seconds=stamp["age_seconds"]),
        at=at,
    )


def open_sessions(user_ids: Sequence[int], *, at: datetime) -> tuple[SessionView, ...]:
    """Return the sessions of these people that are open, the newest first; those that ran out are left out."""
    rows = list(
        SignInSession.objects.filter(user_id__in=list(user_ids), ended_at__isnull=True).order_by("-opened_at")
    )
    stored = {
        row.session_key: row.get_decoded().get(SESSION_STAMP)
        for row in Session.objects.filter(
            session_key__in=[one.session_key for one in rows], expire_date__gt=at
        )
    }
    found = []
    for row in rows:
        stamp = stored.get(row.session_key)
        if stamp is None or over(stamp, at=at) is not None:
            continue
        found.append(
            SessionView(
                id=row.pk,
                user_id=row.user_id,
                session_key=row.session_key,
                way=row.way,
                ip=row.ip,
                device=row.device,
                opened_at=row.opened_at,
                seen_at=datetime.fromisoformat(stamp["seen_at"]),
            )
        )
    return tuple(found)


def name_index_hex(username: str) -> str:
    """Return the keyed hash under which the tries of a user name are counted, known or not."""
    return blind_index(username, purpose="identity.sign_in_name")


def failures(indexes: Iterable[str], *, way: str, at: datetime, rules: LockRules) -> dict[str, int]:
    """Return how often each name failed within the lock's time, since it last succeeded or was unlocked."""
    counted = dict.fromkeys(indexes, 0)
    tries = (
        SignInAttempt.objects.filter(
            at__gt=at - rules.locked, way=way, name_index__in=[bytes.fromhex(one) for one in counted]
        )
        .order_by("id")
        .values_list("name_index", "outcome")
    )
    for index, outcome in tries:
        name = bytes(index).hex()
        if outcome == WRONG:
            counted[name] += 1
        elif outcome in {SIGNED_IN, UNLOCKED}:
            counted[name] = 0
    return counted


def sign_in_state(user_id: int, *, at: datetime) -> SignInState:
    """Return how one person of an organisation stands. Raises NotFound."""
    people = User.objects.select_related("organisation").filter(id=user_id, is_citizen=False, is_active=True)
    if not people:
        raise NotFound(what="用户 user", id=user_id)
    return _states(people, at=at)[0]


def count_people(organisation_ids: Sequence[int] | None, *, area: str | None = None, search: str = "") -> int:
    """Return how many people `sign_in_states` would list."""
    return _people(organisation_ids, area=area, search=search).count()


def sign_in_states(
    organisation_ids: Sequence[int] | None,
    *,
    at: datetime,
    area: str | None = None,
    search: str = "",
    first: int = 0,
    count: int = 50,
) -> tuple[SignInState, ...]:
    """Return how the people stand that these organisations keep (None: all of an area), by name, a page at a time."""
    people = _people(organisation_ids, area=area, search=search)[first : first + count]
    return _states(people, at=at)


def _people(organisation_ids: Sequence[int] | None, *, area: str | None, search: str) -> QuerySet[User]:
    people = User.objects.select_related("organisation").filter(
        is_citizen=False, is_active=True, organisation__isnull=False
    )
    if organisation_ids is not None:
        people = people.filter(organisation_id__in=list(organisation_ids))
    if area is not None:
        people = people.filter(organisation__area__startswith=area_prefix(area))
    if search:
        people = people.filter(Q(username__icontains=search) | Q(display_name__icontains=search))
    return people.order_by("organisation_id", "username")


def _states(people: Iterable[User], *, at: datetime) -> tuple[SignInState, ...]:
    shown = list(people)
    ids = [user.pk for user in shown]
    strong = {
        *TotpAuthenticator.objects.filter(
            user_id__in=ids, confirmed_at__isnull=False, removed_at__isnull=True
        ).values_list("user_id", flat=True),
        *Passkey.objects.filter(user_id__in=ids, removed_at__isnull=True).values_list("user_id", flat=True),
    }
    codes = dict(
        RecoveryCode.objects.filter(user_id__in=ids, used_at__isnull=True, replaced_at__isnull=True)
        .values_list("user_id")
        .annotate(Count("id"))
    )
    last = dict(
        SignInSession.objects.filter(user_id__in=ids).values_list("user_id").annotate(Max("opened_at"))
    )
    open_now: dict[int, int] = {}
    for session in open_sessions(ids, at=at):
        open_now[session.user_id] = open_now.get(session.user_id, 0) + 1
    rules = lock_rules(at)
    index_of = {user.pk: name_index_hex(user.username) for user in shown}
    failed = [failures(index_of.values(), way=way, at=at, rules=rules) for way in WAYS]
    return tuple(
        SignInState(
            user_id=user.pk,
            username=user.username,
            display_name=user.display_name,
            organisation_id=user.organisation_id or 0,
            organisation_name=user.organisation.name if user.organisation else "",
            organisation_name_en=user.organisation.name_en if user.organisation else "",
            has_second_factor=user.pk in strong,
            recovery_codes_left=codes.get(user.pk, 0),
            password_is_temporary=user.password_is_temporary,
            password_set_at=user.password_set_at,
            locked=any(counts[index_of[user.pk]] >= rules.failures_max for counts in failed),
            open_sessions=open_now.get(user.pk, 0),
            last_opened_at=last.get(user.pk),
        )
        for user in shown
    )
