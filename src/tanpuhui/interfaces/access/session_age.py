"""Every request: a session that was idle too long, or open too long, is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP, over
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import is_for_programs

SEEN_EVERY = timedelta(minutes=1)
"""A use is written down once a minute, so that reading pages does not write at every request."""


class SessionAgeMiddleware:
    """End sessions by the rules they carry, and note that the others are in use. One without its rules is ended too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Judge the session before anybody asks who is signed in; below the API's prefix no session counts."""
        if not is_for_programs(request.path) and SESSION_KEY in request.session:
            self._judge(request, at=timezone.now())
        return self._get_response(request)

    def _judge(self, request: HttpRequest, *, at: datetime) -> None:
        stamp = request.session.get(SESSION_STAMP)
        why = "unknown" if stamp is None else over(stamp, at=at)
        if why is not None:
            signing_in.leave(request, why=why, at=at)
            messages.info(request, _said(why))
        elif stamp is not None and at - datetime.fromisoformat(stamp["seen_at"]) >= SEEN_EVERY:
            request.session[SESSION_STAMP] = {**stamp, "seen_at": at.isoformat()}


def _said(why: str) -> str:
    if why == "idle":
        return gettext("您有一段时间没有操作，已自动退出。请重新登录。")
    return gettext("这次登录已到时限，已自动退出。请重新登录。")
