"""Close one's account (注销账户): what is lost, what stays and why, what must be done first; ask for it, or stay after all."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import (
    ClosureStands,
    HoldsRoles,
    NoClosure,
    SignInNotFresh,
    cancel_closure,
)
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import acting, page, said
from tanpuhui.journeys import ClosureBlocked, InTheWay, ask_to_close_account, obstacles


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def close(request: HttpRequest) -> HttpResponse:
    """Say plainly what closing means and what stands in the way; ask for it, for who signed in a moment ago."""
    if request.method != "POST":
        return _show(request)
    actor, user_id = acting(request)
    at = timezone.now()
    try:
        signing_in.require_fresh(request, at=at)
        asked = ask_to_close_account(
            actor=actor, at=at, user_id=user_id, idempotency_key=request.POST["idempotency_key"]
        )
    except (SignInNotFresh, ClosureBlocked, ClosureStands, HoldsRoles) as refusal:
        return _show(request, refused=refusal, status=status_of(refusal.code))
    if asked.due_at > at:
        words = gettext("已收到注销申请。%(day)s之前可以在这里撤回。")
        day = f"{timezone.localtime(asked.due_at):%Y-%m-%d %H:%M} "
        return said(request, words % {"day": day}, "citizen:close-account")
    return said(request, gettext("已收到注销申请，正在办理。办好后会自动退出登录。"), "citizen:close-account")


@require_POST
@never_cache
def stay(request: HttpRequest) -> HttpResponse:
    """Take the request back; the account stands as before."""
    actor, user_id = acting(request)
    try:
        cancel_closure(
            actor=actor, at=timezone.now(), user_id=user_id, idempotency_key=request.POST["idempotency_key"]
        )
    except NoClosure as refusal:
        return _show(request, refused=refusal, status=status_of(refusal.code))
    return said(request, gettext("已撤回注销申请，账户照常使用。"), "citizen:me")


def _show(request: HttpRequest, *, refused: Refusal | None = None, status: int = 200) -> HttpResponse:
    _, user_id = acting(request)
    at = timezone.now()
    has_account = user_id in accounts.accounts_of_users([user_id])
    found = obstacles(user_id, at=at)
    asked = identity.closure_of(user_id)
    days, original_days = (
        rulebook.parameter(key=key, at=at).value
        for key in ("account.closure_days", "intake.original_retention_days")
    )
    context = {
        "points": accounts.points_held(user_id, at=at).points if has_account else Points(0),
        "first": [
            {"kind": one.kind.value, "count": one.count, "names": gettext("、").join(one.names)}
            for one in found
            if one.kind != InTheWay.WAITING
        ],
        "waiting": next((one for one in found if one.kind == InTheWay.WAITING), None),
        "asked": asked,
        # Consents end with the first try; who comes back then gives them again.
        "begun": asked is not None and asked.due_at <= at,
        "days": None if days is None else int(days),
        "original_days": original_days,
        "refused": refused,
    }
    title = gettext("注销账户")
    back = reverse("citizen:me")
    return page(request, "citizen/close.html", context, section="me", title=title, back=back, status=status)
