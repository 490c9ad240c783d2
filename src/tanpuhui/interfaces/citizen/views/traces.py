"""Erase the details of one's trips in a scenario whose consent was withdrawn (删除行程明细)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import RecordsStillWait, erase_traces
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.operations import SignInNotFresh
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.access import signing_in
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import acting, page, said, worded


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, code: str) -> HttpResponse:
    """Say what goes, what stays and until when the partner's file is kept; erase, for who signed in a moment ago."""
    actor, user_id = acting(request)
    found = activity.scenario(code)
    name = worded(found.name_zh, found.name_en)
    spans = identity.consents_of(user_ids=[user_id], scenario=code).get(user_id, ())
    if not spans or any(withdrawn is None for _, withdrawn in spans):
        return redirect("citizen:scene", code)
    refused: Refusal | None = None
    if request.method == "POST":
        at = timezone.now()
        try:
            signing_in.require_fresh(request, at=at)
            done = erase_traces(
                actor=actor,
                at=at,
                user_id=user_id,
                scenario=code,
                idempotency_key=request.POST["idempotency_key"],
            )
        except (RecordsStillWait, SignInNotFresh) as refusal:
            refused = refusal
        else:
            words = gettext("已删除“%(name)s”的行程明细（%(n)s 条记录）。克数和积分不变。")
            if not done.records:
                words = gettext("“%(name)s”没有要删除的行程明细。")
            return said(request, words % {"name": name, "n": done.records}, "citizen:scene", code)
    context = {
        "scenario": found,
        "name": name,
        "refused": refused,
        "original_days": rulebook.parameter(key="intake.original_retention_days", at=timezone.now()).value,
    }
    back = reverse("citizen:scene", args=(code,))
    title = gettext("删除行程明细")
    status = status_of(refused.code) if refused else 200
    return page(
        request, "citizen/erase.html", context, section="scenes", title=title, back=back, status=status
    )
