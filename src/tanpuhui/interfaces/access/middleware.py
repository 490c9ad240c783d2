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

from tanpuhui.foundation.identity.operations import Message, accept_signed_request
from tanpuhui.foundation.identity.queries import actor_of, actor_of_api_key
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotPermitted, Refusal
from tanpuhui.interfaces.access.domain import NotSignedIn, is_for_programs, status_of
from tanpuhui.interfaces.access.table import route_rule

BEARER = "Bearer "
SIGNATURE = "Signature-Input"


class ActingRequest(HttpRequest):
    """A request with the actor that the middleware found; None when nobody is signed in.

    `signed_body_sha256` is what the body of a signed request has to hash to; whoever reads the body checks it (`signed_body`).
    """

    actor: Actor | None
    signed_body_sha256: bytes | None


class AccessMiddleware:
    """Set `request.actor`, hold the permission table, and turn refusals into answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Find out who acts; the address is checked once it has been resolved.

        Below the API's prefix a session counts for nothing, so that no page of another site can act through one.
        """
        actor = None
        if not is_for_programs(request.path) and request.user.is_authenticated:
            actor = actor_of(user_id=request.user.pk, at=timezone.now())
        request.actor = actor  # type: ignore[attr-defined]
        request.signed_body_sha256 = None  # type: ignore[attr-defined]
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
        if is_for_programs(request.path):
            try:
                _find_caller(request)
            except Refusal as no_caller:
                return refusal_as_json(no_caller)
        if rule is not None and rule.allows(request.actor):
            return None
        if is_for_programs(request.path):
            nameless = rule is not None and request.actor is None
            return refusal_as_json(NotSignedIn() if nameless else NotPermitted(operation=name))
        if rule is not None and request.actor is None:
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied(name)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal by its code; other errors are left to Django."""
        if not isinstance(error, Refusal):
            return None
        if is_for_programs(request.path):
            return refusal_as_json(error)
        body = error.as_dict(get_language() or "zh-hans")
        return render(request, "access/refusal.html", {"refusal": body}, status=status_of(error.code))


def refusal_as_json(refusal: Refusal) -> JsonResponse:
    """Return a refusal in the one shape of the API: code, message, data, retryable."""
    body = refusal.as_dict(get_language() or "zh-hans")
    response = JsonResponse(body, status=status_of(refusal.code), json_dumps_params={"ensure_ascii": False})
    if "retry_after_s" in refusal.data:
        response["Retry-After"] = str(refusal.data["retry_after_s"])
    return response


def _find_caller(request: ActingRequest) -> None:
    """Set who calls: by the signature where there is one, else by the API key. Raises what says why it is nobody."""
    at = timezone.now()
    if SIGNATURE in request.headers:
        message = Message(
            method=request.method or "", url=request.build_absolute_uri(), headers=dict(request.headers)
        )
        signed = accept_signed_request(message=message, at=at)
        request.actor, request.signed_body_sha256 = signed.actor, signed.body_sha256
        return
    header = request.headers.get("Authorization", "")
    if header.startswith(BEARER):
        request.actor = actor_of_api_key(key=header.removeprefix(BEARER).strip(), at=at)
