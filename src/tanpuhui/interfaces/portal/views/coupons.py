"""Where the QR code of a coupon leads: a shop's clerk to the page that honours it, everybody else to a plain word."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.interfaces.portal.navigation import page

HONOUR = "workbench:honour"


@require_safe
def coupon(request: HttpRequest, code: str) -> HttpResponse:
    """Lead a signed-in clerk on; tell nobody else whether there is such a coupon."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is not None and Role.MERCHANT in actor.roles:
        query = {"code": code} | ({"t": request.GET["t"]} if "t" in request.GET else {})
        return redirect(f"{reverse(HONOUR)}?{urlencode(query)}")
    response = page(request, "portal/coupon.html", {"next": request.get_full_path()})
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
