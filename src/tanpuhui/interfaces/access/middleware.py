"""Every request: who acts, may they open this address, and how a refusal is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.table import route_rule


class ActingRequest(HttpRequest):
    """A request with the actor that the middleware found; None when nobody is signed in."""

    actor: Actor | None


class AccessMiddleware:
    """Set `request.actor`, hold the permission table, and turn refusals into answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find out who acts; the address is checked once it has been resolved."""
        user = request.user
        actor = actor_of(user_id=user.pk, at=timezone.now()) if user.is_authenticated else None
        request.actor = actor  # type: ignore[attr-defined]
        return self._get_response(request)

    def process_view(
        self,
        request: ActingRequest,
        _view: Callable[..., Any],
        _args: tuple[Any, ...],
        _kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Refuse an address that the table does not open to this actor; an address not in the table opens to nobody."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        rule = route_rule(name)
        if rule is not None and rule.allows(request.actor):
            return None
        if rule is not None and request.actor is None and not request.path.startswith("/api/"):
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied(name)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal by its code; other errors are left to Django."""
        if not isinstance(error, Refusal):
            return None
        locale = get_language() or "zh-hans"
        body = error.as_dict(locale)
        status = status_of(error.code)
        if request.path.startswith("/api/"):
            return JsonResponse(body, status=status)
        return render(request, "design/refusal.html", {"refusal": body}, status=status)
