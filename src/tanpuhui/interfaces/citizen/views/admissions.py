"""My account in the city's former programme (存量账户迁入): what waits, the text, and accepting or declining it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import NothingToClaim, claim_admission, decline_admission
from tanpuhui.behaviour.carbon_accounts.queries import AdmissionOffer
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook.queries import region_names
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.consent_texts import ADMISSION_TEXT, admission_template
from tanpuhui.interfaces.citizen.navigation import acting, page, said, worded
from tanpuhui.interfaces.design import figures


@require_safe
def admissions(request: HttpRequest) -> HttpResponse:
    """List what waits for the person, and what they took over before."""
    _, user_id = acting(request)
    context = {
        "waiting": waiting(user_id, at=timezone.now()),
        "taken": [_shown(one) for one in accounts.taken_over(user_id)],
    }
    back, title = reverse("citizen:me"), gettext("原平台账户迁入")
    return page(request, "citizen/admissions.html", context, section="me", title=title, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
def admission(request: HttpRequest, admission: int) -> HttpResponse:
    """Show one balance with the text; a POST accepts it to that text."""
    actor, user_id = acting(request)
    at = timezone.now()
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            done = claim_admission(
                actor=actor,
                at=at,
                admission_id=admission,
                text_version=request.POST["text_version"],
                idempotency_key=request.POST["idempotency_key"],
            )
        except NothingToClaim as refusal:
            refused = refusal
        else:
            words = gettext("已迁入 %(points)s 积分，记在碳账户 %(number)s。")
            return said(
                request,
                words % {"points": figures.plain(figures.exact(done.points)), "number": done.number},
                "citizen:home",
            )
    return _offer_page(request, "citizen/admission.html", admission, user_id, at=at, refused=refused)


@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, admission: int) -> HttpResponse:
    """Say what declining means; a POST declines."""
    actor, user_id = acting(request)
    at = timezone.now()
    refused: Refusal | None = None
    if request.method == "POST":
        key = request.POST["idempotency_key"]
        try:
            decline_admission(actor=actor, at=at, admission_id=admission, idempotency_key=key)
        except NothingToClaim as refusal:
            refused = refusal
        else:
            return said(request, gettext("已放弃迁入，相关信息已经清除。"), "citizen:home")
    return _offer_page(request, "citizen/admission_decline.html", admission, user_id, at=at, refused=refused)


def waiting(user_id: int, *, at: datetime) -> list[dict[str, Any]]:
    """Return what waits for a person, as pages show it."""
    return [_shown(one) for one in accounts.offers(user_id, at=at)]


def _offer_page(
    request: HttpRequest,
    template: str,
    admission_id: int,
    user_id: int,
    *,
    at: datetime,
    refused: Refusal | None,
) -> HttpResponse:
    found = next((one for one in accounts.offers(user_id, at=at) if one.admission_id == admission_id), None)
    if found is None and refused is None:
        raise NotFound(what="迁入 admission", id=admission_id)
    context = {
        "offer": _shown(found) if found else None,
        "refused": refused,
        "text": admission_template(),
        "text_version": ADMISSION_TEXT,
    }
    back, title = reverse("citizen:admissions"), gettext("原平台账户迁入")
    status = status_of(refused.code) if refused else 200
    return page(request, template, context, section="me", title=title, back=back, status=status)


def _shown(offer: AdmissionOffer) -> dict[str, Any]:
    programme = organisation(offer.programme_id)
    city = f"{offer.area[:4]}00"
    zh, en = region_names({city}).get(city, (city, city))
    return {
        "id": offer.admission_id,
        "city": worded(zh, en),
        "programme": worded(programme.name, programme.name_en),
        "points": offer.points,
        "as_of": offer.as_of,
        "rate": offer.rate,
        "rate_source": offer.rate_source,
        "shown_grams": offer.shown_grams,
        "member_since": offer.member_since,
        "claim_until": offer.claim_until,
        "claimed_at": offer.claimed_at,
    }
