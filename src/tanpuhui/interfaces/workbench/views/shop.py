"""At the till (核销): a code becomes a coupon on the screen, the coupon is honoured, the result is large."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Crumb
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import own_organisations, page
from tanpuhui.interfaces.workbench.sight import coupon_in_sight
from tanpuhui.interfaces.workbench.words import coupon_state, worded
from tanpuhui.uses.rewards.operations import honour_coupon
from tanpuhui.uses.rewards.queries import CouponView, SettlementLineView, settlement_lines

CODE_LENGTH_MAX = 40
PLACE_LENGTH_MAX = 80


@require_http_methods(["GET", "HEAD", "POST"])
def honour(request: HttpRequest) -> HttpResponse:
    """Ask for a code; show its coupon; honour it on POST."""
    actor = who(request)
    typed = (
        (request.POST if request.method == "POST" else request.GET).get("code", "").strip()[:CODE_LENGTH_MAX]
    )
    place = request.POST.get("place", request.COOKIES.get("tph_place", "")).strip()[:PLACE_LENGTH_MAX]
    if not typed:
        return _till(request, actor, typed="")
    try:
        if request.method == "POST":
            done = honour_coupon(
                actor=actor, at=timezone.now(), idempotency_key=key_of(request), code=typed, place=place
            )
            return see_other("workbench:honoured", done.code)
        found = coupon_in_sight(actor, typed)
    except Refusal as refusal:
        return _till(request, actor, typed=typed, refused=refusal, status=status_of(refusal.code))
    return _till(request, actor, typed=typed, found=found)


@require_safe
def honoured(request: HttpRequest, code: str) -> HttpResponse:
    """Show what became of a coupon of this shop, large enough to be seen across a counter."""
    found = coupon_in_sight(who(request), code)
    context = {"coupon": _shown(found), "today": _today(who(request))}
    crumbs = (Crumb(gettext("核销")),)
    return page(request, "workbench/honoured.html", context, section="honour", crumbs=crumbs)


def _till(
    request: HttpRequest,
    actor: Actor,
    *,
    typed: str,
    found: CouponView | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "typed": typed,
        "coupon": _shown(found) if found else None,
        "refused": refused,
        "shops": [worded(view.name, view.name_en) for view in own_organisations(actor)],
        "today": _today(actor),
    }
    return page(
        request,
        "workbench/shop.html",
        context,
        section="honour",
        crumbs=(Crumb(gettext("核销")),),
        status=status,
    )


def _shown(found: CouponView) -> dict[str, Any]:
    return {
        "code": figures.coupon_code(found.code),
        "digits": found.code,
        "name": worded(found.good.name_zh, found.good.name_en),
        "merchant": worded(found.good.merchant_zh, found.good.merchant_en),
        "value": found.face_value,
        "state": coupon_state(found.state.value),
        "usable": found.state.value == "reserved",
        "expires_on": found.expires_on,
        "decided_at": found.decided_at,
        "place": found.place,
    }


def _today(actor: Actor) -> dict[str, Any]:
    """Return what was honoured today: the lines, their number and their sum."""
    day = timezone.localdate()
    lines: list[SettlementLineView] = [
        line
        for merchant_id in actor.organisation_ids(Role.MERCHANT)
        for line in settlement_lines(merchant_id=merchant_id)
        if line.day == day
    ]
    return {
        "lines": [
            {
                "name": worded(line.good_zh, line.good_en),
                "code": figures.coupon_code(line.code),
                "at": f"{timezone.localtime(line.honoured_at):%H:%M}",
                "place": line.place,
                "value": line.face_value,
            }
            for line in lines
        ],
        "count": len(lines),
        "total": Fen.total(line.face_value for line in lines),
    }
