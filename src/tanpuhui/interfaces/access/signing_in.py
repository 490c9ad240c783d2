"""Between a stranger and a session: who has shown the first factor, and what a passkey was asked.

Everything is kept in the server's session store. `request.user` stays nobody until `enter` is called, so that no page
ever sees a person who has shown a password only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from tanpuhui.foundation.identity.operations import (
    PasskeyRefused,
    PasskeysUnavailable,
    RelyingParty,
    SignInOver,
)
from tanpuhui.foundation.identity.queries import sign_in
from tanpuhui.foundation.rulebook.queries import jurisdiction

_PENDING = "sign_in.pending"
_PASSKEY = "sign_in.passkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Somebody whose password was right and whose second factor is still to come; `wanted` is where they go then."""

    user_id: int
    wanted: str


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
    return Pending(user_id=user.pk, wanted=str(kept["wanted"]))


def enter(request: HttpRequest, user: Any) -> None:
    """Open the session of somebody who has shown everything that is asked of them."""
    for key in (_PENDING, _PASSKEY):
        request.session.pop(key, None)
    login(request, user)


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


def client_address(request: HttpRequest) -> str:
    """Return the address somebody calls from; behind our own proxy, the one that it saw."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "") or "unknown"
