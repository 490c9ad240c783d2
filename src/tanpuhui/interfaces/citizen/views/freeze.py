"""My account is frozen: since when, why, what still works, and the appeal against it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import appeal_freeze
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook.queries import HolidaysUnset
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import acting, page, said, worded

REASON_CHARACTERS_MAX = 1000


@require_http_methods(["GET", "HEAD", "POST"])
def freeze(request: HttpRequest) -> HttpResponse:
    """Show the freeze that holds and how an appeal stands; a POST files the appeal, with its reason."""
    actor, user_id = acting(request)
    at = timezone.now()
    refused: Refusal | None = None
    reason = request.POST.get("reason", "")[:REASON_CHARACTERS_MAX]
    if request.method == "POST":
        key = request.POST["idempotency_key"]
        try:
            done = appeal_freeze(actor=actor, at=at, reason=reason, idempotency_key=key)
        except Refusal as refusal:
            refused = refusal
        else:
            words = gettext("申诉已提出，编号 %(number)s。由没有参与冻结决定的人员办理，进展会通知您。")
            return said(request, words % {"number": done.case_number}, "citizen:freeze")
    frozen = accounts.freeze_of_user(user_id, at=at)
    context: dict[str, Any] = {
        "freeze": frozen,
        "appeal": _appeal(user_id),
        "reason": reason,
        "refused": refused,
        "reason_max": REASON_CHARACTERS_MAX,
        "here": True,
        **(_term(frozen) if frozen is not None else {}),
    }
    status = status_of(refused.code) if refused else 200
    back, title = reverse("citizen:home"), gettext("账户冻结")
    return page(
        request, "citizen/freeze.html", context, section="home", title=title, back=back, status=status
    )


def _term(frozen: accounts.FreezeView) -> dict[str, Any]:
    """Say whether it can be appealed against, and until when; a calendar that is not set leaves the day open."""
    try:
        appealable, last_day = accounts.freeze_appeal_until(frozen)
    except HolidaysUnset:
        return {"appealable": True, "last_day": None, "last_day_unknown": True}
    today = timezone.localdate()
    return {
        "appealable": appealable,
        "last_day": last_day,
        "over": last_day is not None and last_day < today,
    }


def _appeal(user_id: int) -> dict[str, Any] | None:
    found = accounts.freeze_appeal(user_id, at=timezone.now())
    if found is None:
        return None
    return {
        "number": found.number,
        "filed_at": found.filed_at,
        "state": worded(found.state_zh, found.state_en),
        "closed": found.closed,
        "reasons": found.reasons,
    }
