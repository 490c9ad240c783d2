"""My password and my sessions (我的密码、我的会话)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.foundation.identity.operations import change_password, end_other_sessions
from tanpuhui.foundation.identity.queries.sign_in import password_rules, user_to_sign_in
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.access.signing_in import client_address
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.workbench.acting import see_other, who
from tanpuhui.interfaces.workbench.navigation import page


@sensitive_post_parameters("old", "new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session ends with the old one."""
    at, refused = timezone.now(), None
    user_id = int(who(request).id)
    if request.method == "POST":
        try:
            done = change_password(
                actor=who(request),
                at=at,
                user_id=user_id,
                old=request.POST.get("old", ""),
                new=request.POST.get("new", ""),
                again=request.POST.get("again", ""),
                ip=client_address(request),
                session_key=request.session.session_key or "",
            )
        except Refusal as refusal:
            refused = refusal
        else:
            _keep_this_session(request, user_id)
            _say_ended(request, gettext("密码已更换。"), done.sessions_ended)
            return see_other("workbench:my-sign-in")
    crumbs = (
        Crumb(gettext("我的身份"), reverse("workbench:me")),
        Crumb(gettext("我的登录"), reverse("workbench:my-sign-in")),
        Crumb(gettext("更换密码")),
    )
    context = {"refused": refused, "rules": password_rules(at)}
    status = status_of(refused.code) if refused else 200
    return page(request, "workbench/my_password.html", context, section="me", crumbs=crumbs, status=status)


@require_POST
@never_cache
def end_others(request: HttpRequest) -> HttpResponse:
    """End every session of one's own but this one."""
    done = end_other_sessions(
        actor=who(request),
        at=timezone.now(),
        user_id=int(who(request).id),
        session_key=request.session.session_key or "",
    )
    _say_ended(request, "", done.count)
    return see_other("workbench:my-sign-in")


def _keep_this_session(request: HttpRequest, user_id: int) -> None:
    """Tie this session to the new password; Django ends sessions that are tied to an old one."""
    user = user_to_sign_in(user_id)
    if user is not None:
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def _say_ended(request: HttpRequest, first: str, count: int) -> None:
    ended = ngettext("已退出其他 %(n)s 个会话。", "已退出其他 %(n)s 个会话。", count) % {"n": count}
    messages.success(request, f"{first}{ended}" if count or not first else first)
