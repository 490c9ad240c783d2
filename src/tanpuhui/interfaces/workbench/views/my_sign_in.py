"""How I sign in (我的登录): my authenticator, my passkeys, my recovery codes, my sessions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.identity.operations import (
    TotpNotBegun,
    ask_for_new_passkey,
    begin_totp,
    enrol_totp,
    register_passkey,
    remove_passkey,
    renew_recovery_codes,
)
from tanpuhui.foundation.identity.queries.sessions import SessionView, open_sessions
from tanpuhui.foundation.identity.queries.sign_in import PasskeyView, pending_totp, second_factors
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.words import device_name, way_name
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import at_moment, row_act


@require_safe
@never_cache
def my_sign_in(request: HttpRequest) -> HttpResponse:
    """Show what the person signs in with."""
    return _show(request)


@require_POST
@never_cache
def totp_new(request: HttpRequest) -> HttpResponse:
    """Make a secret for another authenticator; the present one serves until a code confirms the new one."""
    try:
        signing_in.require_fresh(request, at=timezone.now())
    except Refusal as refusal:
        return _show(request, refused=refusal)
    begin_totp(actor=who(request), at=timezone.now(), user_id=_me(request))
    return see_other("workbench:my-totp")


@require_safe
@never_cache
def totp(request: HttpRequest) -> HttpResponse:
    """Show the secret that waits to be confirmed."""
    return _show_totp(request)


@sensitive_post_parameters("code")
@require_POST
@never_cache
def totp_code(request: HttpRequest) -> HttpResponse:
    """Put the new authenticator in force."""
    try:
        codes = enrol_totp(
            actor=who(request), at=timezone.now(), user_id=_me(request), code=request.POST.get("code", "")
        )
    except Refusal as refusal:
        return _show_totp(request, refused=refusal)
    messages.success(request, gettext("新的验证器已登记，旧的不再有效。"))
    return _show_codes(request, codes) if codes else see_other("workbench:my-sign-in")


@require_POST
@never_cache
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them this once."""
    try:
        signing_in.require_fresh(request, at=timezone.now())
        codes = renew_recovery_codes(actor=who(request), at=timezone.now(), user_id=_me(request))
    except Refusal as refusal:
        return _show(request, refused=refusal)
    return _show_codes(request, codes)


@require_POST
@never_cache
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser is asked so that it makes a passkey."""
    try:
        signing_in.require_fresh(request, at=timezone.now())
        asked = ask_for_new_passkey(
            user_id=_me(request), relying_party=signing_in.require_relying_party(request)
        )
    except Refusal as refusal:
        return JsonResponse(refusal.as_dict(get_language() or "zh-hans"), status=status_of(refusal.code))
    signing_in.keep_challenge(request, asked.state)
    return JsonResponse(json.loads(asked.options))


@require_POST
@never_cache
def passkey_new(request: HttpRequest) -> HttpResponse:
    """Register the passkey that the browser made."""
    try:
        signing_in.require_fresh(request, at=timezone.now())
        codes = register_passkey(
            actor=who(request),
            at=timezone.now(),
            user_id=_me(request),
            relying_party=signing_in.require_relying_party(request),
            state=signing_in.take_challenge(request),
            answer=request.POST.get("credential", ""),
            name=request.POST.get("name", ""),
        )
    except Refusal as refusal:
        return _show(request, refused=refusal)
    messages.success(request, gettext("通行密钥已登记。"))
    return _show_codes(request, codes) if codes else see_other("workbench:my-sign-in")


@require_POST
@never_cache
def passkey_remove(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Take a passkey out of use."""
    try:
        signing_in.require_fresh(request, at=timezone.now())
        remove_passkey(actor=who(request), at=timezone.now(), user_id=_me(request), passkey_id=passkey_id)
    except Refusal as refusal:
        return _show(request, refused=refusal)
    messages.success(request, gettext("通行密钥已移除。"))
    return see_other("workbench:my-sign-in")


def _me(request: HttpRequest) -> int:
    return int(who(request).id)


def _crumbs(last: str = "") -> tuple[Crumb, ...]:
    first = (
        Crumb(gettext("我的身份"), reverse("workbench:me")),
        Crumb(gettext("我的登录"), reverse("workbench:my-sign-in") if last else ""),
    )
    return (*first, Crumb(last)) if last else first


def _show(request: HttpRequest, *, refused: Refusal | None = None) -> HttpResponse:
    held, sessions = second_factors(_me(request)), open_sessions([_me(request)], at=timezone.now())
    context: dict[str, Any] = {
        "held": held,
        "refused": refused,
        "passkeys_here": signing_in.relying_party(request) is not None,
        "passkey_columns": (
            Column(gettext("名称")),
            Column(gettext("网站")),
            Column(gettext("登记")),
            Column(gettext("上次使用")),
            Column(""),
        ),
        "passkey_rows": [_passkey_row(request, one) for one in held.passkeys],
        "session_columns": session_columns(),
        "session_rows": session_rows(sessions, own=request.session.session_key or ""),
        "others": len(sessions) - 1,
        "here": reverse("workbench:my-sign-in"),
    }
    status = status_of(refused.code) if refused else 200
    return page(request, "workbench/my_sign_in.html", context, section="me", crumbs=_crumbs(), status=status)


def _passkey_row(request: HttpRequest, one: PasskeyView) -> Row:
    remove = row_act(request, reverse("workbench:my-passkey-remove", args=[one.id]), gettext("移除"))
    used = at_moment(one.last_used_at) if one.last_used_at else gettext("没有用过")
    return Row((one.name, one.relying_party, at_moment(one.registered_at), used, remove))


def session_columns() -> tuple[Column, ...]:
    """Return the heads of a table of sessions."""
    return (
        Column(gettext("设备")),
        Column(gettext("登录方式")),
        Column(gettext("网络地址"), "mono"),
        Column(gettext("登录于")),
        Column(gettext("最近操作")),
    )


def session_rows(sessions: Sequence[SessionView], *, own: str = "") -> list[Row]:
    """Return open sessions as rows; the one whose key is given is marked as this one."""
    return [
        Row(
            (
                f"{device_name(one.device)} · {gettext('这一个')}"
                if one.session_key == own
                else device_name(one.device),
                way_name(one.way),
                one.ip,
                at_moment(one.opened_at),
                at_moment(one.seen_at),
            )
        )
        for one in sessions
    ]


def _show_totp(request: HttpRequest, *, refused: Refusal | None = None) -> HttpResponse:
    try:
        waiting = pending_totp(_me(request))
    except TotpNotBegun:
        return redirect("workbench:my-sign-in")
    status = status_of(refused.code) if refused else 200
    context = {"waiting": waiting, "refused": refused}
    return page(
        request,
        "workbench/my_totp.html",
        context,
        section="me",
        crumbs=_crumbs(gettext("验证器")),
        status=status,
    )


def _show_codes(request: HttpRequest, codes: tuple[str, ...]) -> HttpResponse:
    crumbs = _crumbs(gettext("恢复码"))
    return page(request, "workbench/my_recovery_codes.html", {"codes": codes}, section="me", crumbs=crumbs)
