"""The second step of an organisation's person: code, recovery code or passkey; and what is enrolled at the first sign-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.identity.operations import (
    NoDemonstrationCode,
    SecondFactorPresent,
    TotpNotBegun,
    ask_for_new_passkey,
    ask_for_passkey,
    begin_totp,
    enrol_totp,
    own,
    register_passkey,
    replace_password,
    sign_in_with_passkey,
    sign_in_with_recovery_code,
    sign_in_with_totp,
)
from tanpuhui.foundation.identity.queries.sign_in import (
    DemonstrationCode,
    demonstration_code,
    password_due,
    password_rules,
    pending_totp,
    second_factors,
    user_to_sign_in,
)
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.signing_in import Pending, client_address
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.portal.navigation import page
from tanpuhui.interfaces.portal.views.sign_in import gone_on, refused_organisation, see_other

View = Callable[[HttpRequest, Pending], HttpResponse]


def after_password(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Let a view meet only somebody whose password was right a moment ago; everybody else begins at the beginning."""

    @never_cache
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        try:
            pending = signing_in.held(request, at=timezone.now())
        except Refusal as over:
            return refused_organisation(request, over)
        return see_other("sign-in") if pending is None else view(request, pending)

    return checked


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@after_password
def second_factor(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Ask for the second factor, and open the session for the code of an authenticator."""
    if not second_factors(pending.user_id).any:
        return see_other("enrol")
    if request.method != "POST":
        return _ask(request, pending)
    try:
        sign_in_with_totp(
            user_id=pending.user_id,
            code=request.POST.get("code", ""),
            ip=client_address(request),
            at=timezone.now(),
        )
    except Refusal as refusal:
        return _ask(request, pending, refused=refusal)
    return _onward(request, pending, way="totp")


@sensitive_post_parameters("recovery_code")
@require_http_methods(["GET", "HEAD", "POST"])
@after_password
def recovery(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Open the session for a recovery code, which is used up."""
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            sign_in_with_recovery_code(
                user_id=pending.user_id,
                code=request.POST.get("recovery_code", ""),
                ip=client_address(request),
                at=timezone.now(),
            )
        except Refusal as refusal:
            refused = refusal
        else:
            return _onward(request, pending, way="recovery_code")
    left = second_factors(pending.user_id).recovery_codes_left
    return _page(request, "portal/recovery_code.html", {"left": left, "refused": refused})


@require_POST
@never_cache
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser asks a passkey: one of the person who waits, or of whoever sits there."""
    try:
        pending = signing_in.held(request, at=timezone.now())
        asked = ask_for_passkey(
            user_id=pending.user_id if pending else None,
            relying_party=signing_in.require_relying_party(request),
        )
    except Refusal as refusal:
        return refused_options(refusal)
    signing_in.keep_challenge(request, asked.state)
    return JsonResponse(json.loads(asked.options))


@require_POST
@never_cache
def passkey(request: HttpRequest) -> HttpResponse:
    """Open the session for a passkey: as the second factor, or, since it verified its person, as both at once."""
    at, pending = timezone.now(), None
    try:
        pending = signing_in.held(request, at=at)
        user = sign_in_with_passkey(
            user_id=pending.user_id if pending else None,
            relying_party=signing_in.require_relying_party(request),
            state=signing_in.take_challenge(request),
            answer=request.POST.get("credential", ""),
            ip=client_address(request),
            at=at,
        )
    except Refusal as refusal:
        if pending is not None:
            return _ask(request, pending, refused=refusal)
        return refused_organisation(request, refusal)
    if pending is not None:
        return _onward(request, pending, way="passkey")
    signing_in.enter(request, user, way="passkey", at=at)
    return gone_on("", user)


@sensitive_post_parameters("new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@after_password
def new_password(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Ask for a new password where the old one is temporary or too old, and open the session."""
    if not pending.shown:
        return see_other("second-factor")
    refused: Refusal | None = None
    at = timezone.now()
    if request.method == "POST":
        try:
            replace_password(
                actor=own(pending.user_id),
                at=at,
                user_id=pending.user_id,
                new=request.POST.get("new", ""),
                again=request.POST.get("again", ""),
            )
        except Refusal as refusal:
            refused = refusal
        else:
            return _enter(request, pending, way=pending.shown)
    context = {"refused": refused, "rules": password_rules(at), "user": user_to_sign_in(pending.user_id)}
    return _page(request, "portal/new_password.html", context)


@require_safe
@after_password
def enrol(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Show what can be enrolled at the first sign-in: an authenticator or a passkey."""
    if second_factors(pending.user_id).any:
        return see_other("second-factor")
    return _offer(request, pending)


@require_POST
@after_password
def enrol_new(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Make a secret for an authenticator, another one where there was one."""
    _refuse_present(pending)
    begin_totp(actor=own(pending.user_id), at=timezone.now(), user_id=pending.user_id)
    return see_other("enrol")


@sensitive_post_parameters("code")
@require_POST
@after_password
def enrol_code(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Confirm the authenticator by a code, open the session, and show the recovery codes this once."""
    _refuse_present(pending)
    try:
        codes = enrol_totp(
            actor=own(pending.user_id),
            at=timezone.now(),
            user_id=pending.user_id,
            code=request.POST.get("code", ""),
        )
    except Refusal as refusal:
        return _offer(request, pending, refused=refusal)
    return _onward_with_codes(request, pending, codes, way="totp")


@require_POST
@after_password
def enrol_passkey_options(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Return what the browser is asked so that it makes a passkey."""
    try:
        _refuse_present(pending)
        asked = ask_for_new_passkey(
            user_id=pending.user_id, relying_party=signing_in.require_relying_party(request)
        )
    except Refusal as refusal:
        return refused_options(refusal)
    signing_in.keep_challenge(request, asked.state)
    return JsonResponse(json.loads(asked.options))


@require_POST
@after_password
def enrol_passkey(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Register the passkey, open the session, and show the recovery codes this once."""
    _refuse_present(pending)
    try:
        codes = register_passkey(
            actor=own(pending.user_id),
            at=timezone.now(),
            user_id=pending.user_id,
            relying_party=signing_in.require_relying_party(request),
            state=signing_in.take_challenge(request),
            answer=request.POST.get("credential", ""),
            name=request.POST.get("name", ""),
        )
    except Refusal as refusal:
        return _offer(request, pending, refused=refusal)
    return _onward_with_codes(request, pending, codes, way="passkey")


def refused_options(refusal: Refusal) -> JsonResponse:
    """Return a refusal to the script that asked."""
    return JsonResponse(refusal.as_dict(get_language() or "zh-hans"), status=status_of(refusal.code))


def _refuse_present(pending: Pending) -> None:
    """A password alone enrols the first factor only; otherwise it would be worth as much as the second."""
    if second_factors(pending.user_id).any:
        raise SecondFactorPresent


def _onward(request: HttpRequest, pending: Pending, *, way: str) -> HttpResponse:
    """Open the session of whoever has shown both factors, or ask for a new password first."""
    if password_due(pending.user_id, at=timezone.now()):
        signing_in.shown(request, way)
        return see_other("new-password")
    return _enter(request, pending, way=way)


def _enter(request: HttpRequest, pending: Pending, *, way: str) -> HttpResponse:
    user = user_to_sign_in(pending.user_id)
    if user is None:
        return see_other("sign-in")
    signing_in.enter(request, user, way=way, at=timezone.now())
    return gone_on(pending.wanted, user)


def _onward_with_codes(
    request: HttpRequest, pending: Pending, codes: tuple[str, ...], *, way: str
) -> HttpResponse:
    gone = _onward(request, pending, way=way)
    if not codes:
        return gone
    return _page(request, "portal/recovery_codes.html", {"codes": codes, "onward": gone.headers["Location"]})


def _ask(request: HttpRequest, pending: Pending, *, refused: Refusal | None = None) -> HttpResponse:
    party = signing_in.relying_party(request)
    held = second_factors(pending.user_id, relying_party=party.id if party else "")
    context = {
        "held": held,
        "refused": refused,
        "demonstration": _demonstration(pending),
        "user": user_to_sign_in(pending.user_id),
    }
    return _page(request, "portal/second_factor.html", context)


def _offer(request: HttpRequest, pending: Pending, *, refused: Refusal | None = None) -> HttpResponse:
    try:
        waiting = pending_totp(pending.user_id)
    except TotpNotBegun:
        waiting = None
    context = {
        "waiting": waiting,
        "refused": refused,
        "passkeys": signing_in.relying_party(request) is not None,
        "user": user_to_sign_in(pending.user_id),
    }
    return _page(request, "portal/enrol.html", context)


def _demonstration(pending: Pending) -> DemonstrationCode | None:
    """Return what the demonstration's authenticator shows; None for everybody outside a demonstration."""
    if settings.TANPUHUI_DEMO is not True:
        return None
    try:
        return demonstration_code(pending.user_id, at=timezone.now())
    except NoDemonstrationCode:
        return None


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    refused = context.get("refused")
    status = status_of(refused.code) if refused else 200
    return page(request, template, context, crumbs=(Crumb(gettext("登录")),), status=status)
