"""The person's own page: account number, phone, consents, display, language, and signing out."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import end_other_sessions, unbind_identity
from tanpuhui.foundation.identity.queries.federation import external_identities, ways
from tanpuhui.foundation.identity.queries.sessions import open_sessions
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.messages.queries import unread
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.access.words import device_name
from tanpuhui.interfaces.citizen.navigation import acting, page, worded
from tanpuhui.interfaces.citizen.rows import icon_of


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Show what the platform knows about the person, and how the pages look to them."""
    _, user_id = acting(request)
    person = identity.person(user_id)
    consents = [
        {
            "name": worded(one.name_zh, one.name_en),
            "icon": icon_of(one.code),
            "code": one.code,
            "given_at": spans[-1][0],
        }
        for one in activity.scenarios()
        if (spans := identity.consents_of(user_ids=[user_id], scenario=one.code).get(user_id, ()))
        and spans[-1][1] is None
    ]
    context = {
        "person": person,
        "account": accounts.accounts_of_users([user_id]).get(user_id),
        "area": _area(person.area),
        "consents": consents,
        "identities": _identities(user_id),
        "sessions": _sessions(request, user_id),
        "unread": unread(user_id),
    }
    return page(request, "citizen/me.html", context, section="me")


@require_POST
def unbind(request: HttpRequest, external_identity_id: int) -> HttpResponse:
    """Undo a binding to another place's sign-in; signing in by phone stays."""
    actor, user_id = acting(request)
    unbind_identity(
        actor=actor, at=timezone.now(), user_id=user_id, external_identity_id=external_identity_id
    )
    messages.success(request, gettext("已解除绑定。以后用手机号登录。"))
    response = redirect("citizen:me")
    response.status_code = 303
    return response


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """End every session of the person's own but this one."""
    actor, user_id = acting(request)
    key = request.session.session_key or ""
    end_other_sessions(actor=actor, at=timezone.now(), user_id=user_id, session_key=key)
    messages.success(request, gettext("其他设备上的登录已全部退出。"))
    response = redirect("citizen:me")
    response.status_code = 303
    return response


def _sessions(request: HttpRequest, user_id: int) -> list[dict[str, object]]:
    """Return where the person is signed in, the one in hand marked."""
    own = request.session.session_key
    return [
        {"device": device_name(one.device), "seen_at": one.seen_at, "own": one.session_key == own}
        for one in open_sessions([user_id], at=timezone.now())
    ]


def _identities(user_id: int) -> list[dict[str, object]]:
    """Return the bindings by the names of their places; one that is no longer set up is named by its key."""
    held = external_identities(user_id)
    names = {way.key: worded(way.label_zh, way.label_en) for way in ways()} if held else {}
    return [
        {
            "id": one.id,
            "name": names.get(one.way, one.way),
            "bound_at": one.bound_at,
            "level": one.real_name_level,
        }
        for one in held
    ]


def _area(code: str) -> str:
    """Return the name of the person's area, the code where the regions have none."""
    try:
        region = rulebook.region(code)
    except NotFound:
        return code
    return worded(region.name_zh, region.name_en)
