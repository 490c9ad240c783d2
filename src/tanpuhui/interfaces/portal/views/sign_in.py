"""Signing in: citizens by phone and code, organisations' people by user name and password first; and signing out."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.identity.operations import (
    CodeWrong,
    PhoneNotRegistered,
    VerifiedIdentity,
    bind_identity,
    own,
    register_with_code,
    request_code,
    sign_in_with_code,
    sign_in_with_password,
)
from tanpuhui.foundation.identity.queries.federation import ways
from tanpuhui.foundation.identity.queries.sign_in import code_rules, lock_rules, second_factors
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook.queries import jurisdiction, regions
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.signing_in import client_address
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.portal.navigation import CITIZEN_HOME, WORKBENCH_HOME, home_of, page, worded

OUTBOX = "outbox/sms.log"
log = logging.getLogger(__name__)


@require_safe
@never_cache
def chooser(request: HttpRequest) -> HttpResponse:
    """Offer both ways in; whoever is signed in already is led to their work."""
    if request.user.is_authenticated:
        return redirect(safe_next(request, request.GET.get("next", "")) or home_of(request))
    return _show(request, step="phone", wanted=request.GET.get("next", ""))


@require_POST
@never_cache
def send_code(request: HttpRequest) -> HttpResponse:
    """Send a code to the phone and ask for it."""
    phone = request.POST.get("phone", "")
    try:
        sent = request_code(phone=phone, ip=client_address(request), at=timezone.now())
    except Refusal as refusal:
        return _show(request, step="phone", phone=phone, citizen_refused=refusal)
    return _show(request, step="code", phone=phone, masked=sent.masked_phone)


@sensitive_post_parameters("code")
@require_POST
@never_cache
def citizen(request: HttpRequest) -> HttpResponse:
    """Open a session for the citizen whose phone and code these are; a new phone is asked for name and place."""
    phone, code = request.POST.get("phone", ""), request.POST.get("code", "")
    try:
        user = sign_in_with_code(phone=phone, code=code, ip=client_address(request), at=timezone.now())
    except PhoneNotRegistered:
        return _show(request, step="register", phone=phone, code=code)
    except CodeWrong as refusal:
        return _show(request, step="code", phone=phone, citizen_refused=refusal)
    except Refusal as refusal:
        return _show(request, step="phone", phone=phone, citizen_refused=refusal)
    return _enter(request, user)


@sensitive_post_parameters("code")
@require_POST
@never_cache
def register(request: HttpRequest) -> HttpResponse:
    """Register the citizen who holds the code, and open their session."""
    given = {name: request.POST.get(name, "") for name in ("phone", "code", "display_name", "area")}
    try:
        user = register_with_code(**given, ip=client_address(request), at=timezone.now())
    except Refusal as refusal:
        return _show(request, step="register", citizen_refused=refusal, **given)
    return _enter(request, user)


@sensitive_post_parameters("password")
@require_POST
@never_cache
def organisation(request: HttpRequest) -> HttpResponse:
    """Check an organisation's person's password, and ask for the second factor; no session opens here."""
    username, at = request.POST.get("username", ""), timezone.now()
    try:
        user = sign_in_with_password(
            username=username, password=request.POST.get("password", ""), ip=client_address(request), at=at
        )
    except Refusal as refusal:
        return refused_organisation(request, refusal, username=username)
    signing_in.hold(request, user, wanted=safe_next(request, request.POST.get("next", "")), at=at)
    return see_other("second-factor" if second_factors(user.pk).any else "enrol")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; with `next` the sign-in page follows, and leads back there."""
    signing_in.leave(request, why="sign_out", at=timezone.now())
    wanted = safe_next(request, request.POST.get("next", ""))
    response = redirect(
        f"{reverse('portal:sign-in')}?{urlencode({'next': wanted})}" if wanted else "portal:home"
    )
    response.status_code = 303
    return response


def refused_organisation(request: HttpRequest, refusal: Refusal, *, username: str = "") -> HttpResponse:
    """Show the sign-in page again, the refusal at the organisations' form."""
    return _show(request, step="phone", username=username, organisation_refused=refusal)


def refused_citizen(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Show the sign-in page again, the refusal at the citizens' form."""
    return _show(request, step="phone", citizen_refused=refusal)


def ask_for_phone(request: HttpRequest, identity: VerifiedIdentity, *, wanted: str) -> HttpResponse:
    """Ask somebody who was confirmed elsewhere for their phone, this once; it is filled in where that place vouched for it."""
    return _show(request, step="phone", wanted=wanted, phone=identity.phone)


def see_other(name: str) -> HttpResponse:
    """Lead to a page of the portal after something was done (303)."""
    response = redirect(f"portal:{name}")
    response.status_code = 303
    return response


def gone_on(wanted: str, user: Any) -> HttpResponse:
    """Lead a person who has just signed in to where they wanted to go, or to their work (303)."""
    response = redirect(wanted or (CITIZEN_HOME if user.is_citizen else WORKBENCH_HOME))
    response.status_code = 303
    return response


def _enter(request: HttpRequest, user: Any) -> HttpResponse:
    at = timezone.now()
    identity = signing_in.unbound(request, at=at)
    signing_in.enter(request, user, way="code", at=at)
    if identity is not None:
        try:
            bind_identity(
                actor=own(user.pk),
                at=at,
                user_id=user.pk,
                way=identity.way,
                issuer=identity.issuer,
                subject_index_hex=identity.subject_index_hex,
                real_name_level=identity.real_name_level,
            )
        except Refusal as refusal:
            # The phone was right, so the person is in; only the binding did not come about.
            messages.warning(request, refusal.message(get_language() or "zh"))
    return gone_on(safe_next(request, request.POST.get("next", "")), user)


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Return an address of this site as it was given, nothing for any other."""
    own = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if wanted and own else ""


def _show(request: HttpRequest, *, step: str, wanted: str | None = None, **context: Any) -> HttpResponse:
    """Show the sign-in page at a step; what was typed stays, except codes and passwords."""
    refused = context.get("citizen_refused") or context.get("organisation_refused")
    if step == "register":
        place = jurisdiction()
        context["areas"] = [
            (region.code, worded(region.name_zh, region.name_en))
            for region in regions(level="city", parent=place.area)
        ]
    context |= {
        "step": step,
        "next": safe_next(request, request.POST.get("next", "") if wanted is None else wanted),
        **_rules_to_show(timezone.now()),
        **_other_ways(request),
        "passkeys": signing_in.relying_party(request) is not None,
        "outbox": f"{Path(settings.TANPUHUI_DATA_DIR).name}/{OUTBOX}" if settings.TANPUHUI_DEMO else "",
    }
    status = status_of(refused.code) if refused else 200
    return page(request, "portal/sign_in.html", context, crumbs=(Crumb(gettext("登录")),), status=status)


def _rules_to_show(at: datetime) -> dict[str, Any]:
    """Return the numbers that the page names; where one is unset, nobody can sign in and the page says which."""
    try:
        return {"rules": {"code": code_rules(at), "lock": lock_rules(at)}}
    except Refusal as unset:
        return {"rules": None, "unset": unset}


def _other_ways(request: HttpRequest) -> dict[str, Any]:
    """Return the other sign-ins that are set up, and the one that has just confirmed this visitor."""
    try:
        known = {way.key: worded(way.label_zh, way.label_en) for way in ways()}
    except Refusal:
        # Phone and password work without; the operator finds the reason in the log.
        log.exception("other sign-ins are not offered")
        return {"ways": (), "confirmed": ""}
    identity = signing_in.unbound(request, at=timezone.now()) if known else None
    return {"ways": known.items(), "confirmed": known.get(identity.way, "") if identity else ""}
