"""The mall (积分商城): goods for points, and redeeming one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.queries import HomeView
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import account_needed, acting, page, said, worded
from tanpuhui.uses.rewards import queries as rewards
from tanpuhui.uses.rewards.operations import reserve_coupon
from tanpuhui.uses.rewards.queries import GoodView

COUPON_VALIDITY = "rewards.coupon_validity_days"


@require_safe
@account_needed
def mall(request: HttpRequest) -> HttpResponse:
    """List the goods on offer today, under the points the person has and when they lapse."""
    at = timezone.now()
    _, user_id = acting(request)
    view = accounts.home(user_id, at=at)
    goods = [_shown(good, view.points) for good in rewards.goods(on_offer=business_day(at))]
    context = {"view": view, "lapsing": _lapsing(view), "goods": goods}
    return page(request, "citizen/mall.html", context, section="mall")


@require_safe
@account_needed
def good(request: HttpRequest, good: int) -> HttpResponse:
    """Show one good: price, face value, merchant, what is left, how many one person may have."""
    _, user_id = acting(request)
    context = _offer(good, user_id)
    back = reverse("citizen:mall")
    return page(request, "citizen/good.html", context, section="mall", title=context["name"], back=back)


@require_http_methods(["GET", "HEAD", "POST"])
@account_needed
def redeem(request: HttpRequest, good: int) -> HttpResponse:
    """Show points before and after; redeem. A refusal stands on the same page, with the balance as it is."""
    actor, user_id = acting(request)
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            coupon = reserve_coupon(
                actor=actor,
                at=timezone.now(),
                idempotency_key=request.POST.get("idempotency_key", ""),
                good_id=good,
                user_id=user_id,
            )
        except accounts.NoCarbonAccount:
            raise
        except Refusal as refusal:
            if refusal.code in {"NOT_FOUND", "INVALID", "IDEMPOTENCY_CONFLICT"}:
                raise
            refused = refusal
        else:
            words = gettext("已兑换，用去 %(points)s 积分。到店出示这张券。")
            return said(request, words % {"points": coupon.price}, "citizen:coupon", coupon.code)
    context = _offer(good, user_id) | {
        "refused": refused,
        "validity": rulebook.parameter(key=COUPON_VALIDITY, at=timezone.now()),
    }
    back = reverse("citizen:good", args=(good,))
    title = gettext("确认兑换")
    status = status_of(refused.code) if refused is not None else 200
    return page(
        request, "citizen/redeem.html", context, section="mall", title=title, back=back, status=status
    )


def _offer(good_id: int, user_id: int) -> dict[str, Any]:
    points = ledger.balance(accounts.account_of_user(user_id).ledger_account_id).points
    return _shown(rewards.good(good_id), points) | {"points": points}


def _shown(good: GoodView, points: Points) -> dict[str, Any]:
    """Return a good in words, and how the person's points stand against its price."""
    after = points - good.price
    return {
        "good": good,
        "name": worded(good.name_zh, good.name_en),
        "merchant": worded(good.merchant_zh, good.merchant_en),
        "after": after,
        "enough": after >= Points(0),
        "missing": -after,
    }


def _lapsing(view: HomeView) -> list[dict[str, Any]]:
    """Return the points that lapse soon, by day."""
    days = sorted({lot.expires_on for lot in view.expiring if lot.expires_on is not None})
    return [
        {"day": day, "points": Points.total(lot.points for lot in view.expiring if lot.expires_on == day)}
        for day in days
    ]
