"""Between a stranger and a session: who has shown the first factor, and what a passkey was asked.

Everything is kept in the server's session store. `request.user` stays nobody until `enter` is called, so that no page
ever sees a person who has shown a password only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from tanpuhui.foundation.identity.operations import (
    FederationStale,
    PasskeyRefused,
    PasskeysUnavailable,
    RelyingParty,
    SignInNotFresh,
    SignInOver,
    VerifiedIdentity,
    close_session,
    open_session,
    own,
)
from tanpuhui.foundation.identity.queries import sign_in
from tanpuhui.foundation.identity.queries.federation import external_index
from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP, session_stamp
from tanpuhui.foundation.rulebook.queries import jurisdiction

_PENDING = "sign_in.pending"
_PASSKEY = "sign_in.passkey"
_ELSEWHERE = "sign_in.elsewhere"
_UNBOUND = "sign_in.unbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Somebody whose password was right; `wanted` is where they go once they are in.

    `shown` is the way of their second factor where only a new password is left to ask for.
    """

    user_id: int
    wanted: str
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnboundIdentity:
    """What another place confirmed of this visitor, whom nobody here knows by it yet."""

    way: str
    issuer: str
    subject_index_hex: str
    real_name_level: str


def hold(request: HttpRequest, user: Any, *, wanted: str, at: datetime) -> None:
    """Remember that this browser showed the right password of somebody."""
    request.session.cycle_key()
    request.session[_PENDING] = {
        "user_id": user.pk,
        "proof": user.get_session_auth_hash(),
        "since": at.isoformat(),
        "wanted": wanted,
    }


def held(request: HttpRequest, *, at: datetime) -> Pending | None:
    """Return who waits for their second factor, None where nobody does.

    Raises SignInOver once `sign_in.second_factor_minutes` have passed, or when password or person changed meanwhile.
    """
    kept = request.session.get(_PENDING)
    if kept is None:
        return None
    allowed = sign_in.pending_time(at)
    user = sign_in.user_to_sign_in(int(kept["user_id"]))
    fresh = datetime.fromisoformat(kept["since"]) + allowed > at
    if user is None or not fresh or not constant_time_compare(user.get_session_auth_hash(), kept["proof"]):
        request.session.pop(_PENDING, None)
        raise SignInOver(minutes=int(allowed.total_seconds() // 60))
    return Pending(user_id=user.pk, wanted=str(kept["wanted"]), shown=str(kept.get("shown", "")))


def shown(request: HttpRequest, way: str) -> None:
    """Remember by which way the person who waits showed their second factor; only a new password is left to ask for."""
    kept = request.session[_PENDING]
    request.session[_PENDING] = {**kept, "shown": way}


def enter(request: HttpRequest, user: Any, *, way: str, at: datetime) -> None:
    """Open the session of somebody who has shown everything that is asked of them, and write it down.

    The session carries how long it may live; that is decided now, by the rules of today. Raises ParameterUnset.
    """
    rules = sign_in.session_rules(user.pk, at=at)
    for key in (_PENDING, _PASSKEY, _ELSEWHERE, _UNBOUND):
        request.session.pop(key, None)
    login(request, user)
    request.session[SESSION_STAMP] = session_stamp(rules, at=at)
    request.session.set_expiry(int(rules.age.total_seconds()))
    open_session(
        actor=own(user.pk),
        at=at,
        user_id=user.pk,
        session_key=request.session.session_key or "",
        way=way,
        ip=client_address(request),
        device=request.headers.get("User-Agent", ""),
    )


def leave(request: HttpRequest, *, why: str, at: datetime) -> None:
    """End the session of whoever is signed in, and write down why."""
    if request.user.is_authenticated:
        user_id, key = int(request.user.pk), request.session.session_key or ""
        close_session(actor=own(user_id), at=at, user_id=user_id, session_key=key, why=why)
    logout(request)


def require_fresh(request: HttpRequest, *, at: datetime) -> None:
    """Refuse a change of somebody's sign-in unless this session was opened a moment ago. Raises SignInNotFresh."""
    stamp = request.session[SESSION_STAMP]
    if at - datetime.fromisoformat(stamp["opened_at"]) > timedelta(seconds=stamp["fresh_seconds"]):
        raise SignInNotFresh(minutes=int(stamp["fresh_seconds"]) // 60)


def relying_party(request: HttpRequest) -> RelyingParty | None:
    """Return the name under which passkeys work here; None where the page was opened by an IP address."""
    address = urlsplit(f"{request.scheme}://{request.get_host()}")
    host = address.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(
            id=host, origin=f"{address.scheme}://{address.netloc}", name=jurisdiction().scheme_zh
        )
    return None


def require_relying_party(request: HttpRequest) -> RelyingParty:
    """Return the name under which passkeys work here. Raises PasskeysUnavailable."""
    party = relying_party(request)
    if party is None:
        raise PasskeysUnavailable
    return party


def keep_challenge(request: HttpRequest, state: Mapping[str, Any]) -> None:
    """Keep what a passkey was asked, until it answers."""
    request.session[_PASSKEY] = dict(state)


def take_challenge(request: HttpRequest) -> Mapping[str, Any]:
    """Return what the passkey was asked, once. Raises PasskeyRefused where nothing was asked."""
    state = request.session.pop(_PASSKEY, None)
    if state is None:
        raise PasskeyRefused
    return dict(state)


def keep_elsewhere(
    request: HttpRequest, *, way: str, kept: Mapping[str, str], wanted: str, at: datetime
) -> None:
    """Keep what belongs to a sign-in at another place until this browser comes back from there."""
    request.session[_ELSEWHERE] = {
        "way": way,
        "kept": dict(kept),
        "wanted": wanted,
        "since": at.isoformat(),
    }


def take_elsewhere(request: HttpRequest, *, way: str, at: datetime) -> tuple[Mapping[str, str], str]:
    """Return what was kept, and where the person wanted to go; once. Raises FederationStale, ParameterUnset."""
    told = request.session.pop(_ELSEWHERE, None)
    if told is None or told["way"] != way or _is_old(told["since"], at):
        raise FederationStale
    return told["kept"], str(told["wanted"])


def keep_unbound(request: HttpRequest, identity: VerifiedIdentity, *, at: datetime) -> None:
    """Keep a verified identity that nobody here has bound yet, as its keyed hash, until its person shows their phone."""
    request.session[_UNBOUND] = {
        "way": identity.way,
        "issuer": identity.issuer,
        "subject_index_hex": external_index(identity).hex(),
        "real_name_level": identity.real_name_level,
        "since": at.isoformat(),
    }


def unbound(request: HttpRequest, *, at: datetime) -> UnboundIdentity | None:
    """Return the identity that waits to be bound in this browser, None where there is none or it waited too long."""
    told = request.session.get(_UNBOUND)
    if told is None:
        return None
    if _is_old(told["since"], at):
        del request.session[_UNBOUND]
        return None
    return UnboundIdentity(**{name: value for name, value in told.items() if name != "since"})


def _is_old(since: str, at: datetime) -> bool:
    return datetime.fromisoformat(since) + sign_in.pending_time(at) <= at


def client_address(request: HttpRequest) -> str:
    """Return the address somebody calls from; behind our own proxy, the one that it saw."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "") or "unknown"
