"""Looking after how others sign in (登录管理): locks, lost factors, forgotten passwords, open sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.foundation.identity.operations import (
    end_sessions,
    give_temporary_password,
    reset_second_factor,
    unlock_sign_in,
)
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.identity.queries.sessions import (
    SignInState,
    count_people,
    open_sessions,
    sign_in_state,
    sign_in_states,
)
from tanpuhui.foundation.kernel.actors import Actor, Role, area_covers
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import at_moment, on_day, state_mark
from tanpuhui.interfaces.workbench.views.my_sign_in import session_columns, session_rows
from tanpuhui.interfaces.workbench.words import worded

PER_PAGE = 50


@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """List the people whose sign-in the actor looks after, and how each stands."""
    actor, at = who(request), timezone.now()
    search = request.GET.get("q", "").strip()[:100]
    ids, area = _reach(actor)
    total = count_people(ids, area=area, search=search)
    numbered = Paginator(range(total), PER_PAGE).get_page(request.GET.get("page"))
    states = sign_in_states(
        ids, at=at, area=area, search=search, first=max(numbered.start_index() - 1, 0), count=PER_PAGE
    )
    context = {
        "search": {"label": gettext("姓名、用户名"), "value": search},
        "columns": (
            Column(gettext("姓名")),
            Column(gettext("状态")),
            Column(gettext("用户名"), "mono"),
            Column(gettext("机构")),
            Column(gettext("打开的会话"), "num"),
            Column(gettext("上次登录")),
        ),
        "rows": [_row(state) for state in states],
        "numbered": numbered,
        "total": total,
    }
    return page(
        request, "workbench/sign_ins.html", context, section="sign-ins", crumbs=(Crumb(gettext("登录管理")),)
    )


@require_safe
@never_cache
def sign_in(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show how one person stands, and what can be done for them."""
    return _show(request, user_id)


@require_POST
@never_cache
def unlock(request: HttpRequest, user_id: int) -> HttpResponse:
    """Let somebody try again at once."""
    return _act(request, user_id, _unlock, gettext("锁定已解除，可以马上再试。"))


@require_POST
@never_cache
def reset(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take a lost second factor away."""
    return _act(request, user_id, _reset, gettext("第二步验证已重置，下次登录时重新登记。"))


@require_POST
@never_cache
def end(request: HttpRequest, user_id: int) -> HttpResponse:
    """End every session of somebody."""
    return _act(request, user_id, _end, gettext("会话已全部退出。"))


@require_POST
@never_cache
def temporary_password(request: HttpRequest, user_id: int) -> HttpResponse:
    """Give a temporary password and show it this once."""
    _state_of(request, user_id)
    try:
        signing_in.require_fresh(request, at=timezone.now())
        password = give_temporary_password(
            actor=who(request),
            at=timezone.now(),
            user_id=user_id,
            reason=request.POST.get("reason", ""),
        )
    except Refusal as refusal:
        return _show(request, user_id, refused=refusal)
    return _show(request, user_id, password=password)


def _unlock(actor: Actor, user_id: int, reason: str, key: str) -> None:
    unlock_sign_in(actor=actor, at=timezone.now(), user_id=user_id, reason=reason, idempotency_key=key)


def _reset(actor: Actor, user_id: int, reason: str, key: str) -> None:
    reset_second_factor(actor=actor, at=timezone.now(), user_id=user_id, reason=reason, idempotency_key=key)


def _end(actor: Actor, user_id: int, reason: str, key: str) -> None:
    end_sessions(actor=actor, at=timezone.now(), user_id=user_id, reason=reason, idempotency_key=key)


def _act(
    request: HttpRequest, user_id: int, perform: Callable[[Actor, int, str, str], None], said: str
) -> HttpResponse:
    _state_of(request, user_id)
    try:
        signing_in.require_fresh(request, at=timezone.now())
        perform(who(request), user_id, request.POST.get("reason", ""), key_of(request))
    except Refusal as refusal:
        return _show(request, user_id, refused=refusal)
    messages.success(request, said)
    return see_other("workbench:sign-in-of", user_id)


def _reach(actor: Actor) -> tuple[list[int] | None, str | None]:
    """Return the organisations whose people the actor looks after, or None and the area for the whole scheme."""
    for grant in actor.grants:
        if grant.role is Role.SECURITY_ADMINISTRATOR:
            return None, grant.area
    return list(actor.organisation_ids(Role.ADMINISTRATOR)), None


def _state_of(request: HttpRequest, user_id: int) -> SignInState:
    """Return how somebody stands; a person out of the actor's reach is not there. Raises NotFound."""
    state = sign_in_state(user_id, at=timezone.now())
    ids, area = _reach(who(request))
    home = organisation(state.organisation_id)
    inside = state.organisation_id in ids if ids is not None else area_covers(area or "", home.area)
    if not inside:
        raise NotFound(what="用户 user", id=user_id)
    return state


def _show(
    request: HttpRequest, user_id: int, *, refused: Refusal | None = None, password: str = ""
) -> HttpResponse:
    state, at = _state_of(request, user_id), timezone.now()
    own = str(user_id) == who(request).id
    context: dict[str, Any] = {
        "state": state,
        "facts": _facts(state),
        "refused": refused,
        "password": password,
        "own": own,
        "columns": session_columns(),
        "rows": session_rows(open_sessions([user_id], at=at)),
        "acts": () if own else _acts(state),
        "here": reverse("workbench:sign-in-of", args=[user_id]),
    }
    crumbs = (Crumb(gettext("登录管理"), reverse("workbench:sign-ins")), Crumb(state.display_name))
    status = status_of(refused.code) if refused else 200
    return page(
        request, "workbench/sign_in_of.html", context, section="sign-ins", crumbs=crumbs, status=status
    )


def _acts(state: SignInState) -> list[dict[str, str]]:
    """Return what can be done for somebody: each with its address, button, and what it does."""
    every = (
        ("sign-in-unlock", gettext("解除锁定"), gettext("失败次数从头计，本人可以马上再试。"), state.locked),
        (
            "sign-in-reset",
            gettext("重置第二步验证"),
            gettext("手机丢了、换了又没有恢复码时用。验证器、通行密钥、恢复码全部作废，下次登录重新登记。"),
            state.has_second_factor,
        ),
        (
            "sign-in-password",
            gettext("给一个临时密码"),
            gettext("忘了密码时用。临时密码只显示一次，本人下次登录必须更换；第二步验证照旧。"),
            True,
        ),
        (
            "sign-in-end",
            gettext("退出全部会话"),
            gettext("设备丢失或账号可疑时用。"),
            state.open_sessions > 0,
        ),
    )
    return [
        {
            "url": reverse(f"workbench:{name}", args=[state.user_id]),
            "label": label,
            "about": about,
            "name": name,
        }
        for name, label, about, offered in every
        if offered
    ]


def _facts(state: SignInState) -> list[Fact]:
    return [
        Fact(gettext("用户名"), state.username),
        Fact(gettext("机构"), worded(state.organisation_name, state.organisation_name_en)),
        Fact(gettext("状态"), state_mark(_tone_and_words(state))),
        Fact(gettext("没用过的恢复码"), str(state.recovery_codes_left)),
        Fact(gettext("密码更换于"), on_day(state.password_set_at) or gettext("没有记录")),
    ]


def _row(state: SignInState) -> Row:
    cells = (
        state.display_name,
        state_mark(_tone_and_words(state)),
        state.username,
        worded(state.organisation_name, state.organisation_name_en),
        str(state.open_sessions),
        at_moment(state.last_opened_at) or gettext("没有登录过"),
    )
    return Row(cells, url=reverse("workbench:sign-in-of", args=[state.user_id]))


def _tone_and_words(state: SignInState) -> tuple[str, str]:
    if state.locked:
        return "bad", gettext("已锁定")
    if state.password_is_temporary:
        return "wait", gettext("临时密码，待本人更换")
    if not state.has_second_factor:
        return "wait", gettext("待登记第二步验证")
    return "ok", gettext("正常")
