"""The wallet (券包) and one coupon: code, days left, and giving it back before use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.access.domain import status_of
from tanpuhui.interfaces.citizen.navigation import acting, page, said, worded
from tanpuhui.interfaces.citizen.wallet import shown_state, state_tone, state_words, usable
from tanpuhui.interfaces.design import figures, scales
from tanpuhui.interfaces.design.parts import Fact, NextCoupon, Tab
from tanpuhui.uses.rewards import queries as rewards
from tanpuhui.uses.rewards.operations import CouponCodeMistyped, cancel_coupon
from tanpuhui.uses.rewards.queries import CouponState, CouponView


@require_safe
def coupons(request: HttpRequest) -> HttpResponse:
    """Show the person's coupons of one state."""
    _, user_id = acting(request)
    today = business_day(timezone.now())
    found = rewards.coupons_of(user_id)
    wanted = request.GET.get("state", "")
    chosen = CouponState(wanted) if wanted in set(CouponState) else CouponState.RESERVED
    states = [shown_state(coupon, today) for coupon in found]
    address = reverse("citizen:coupons")
    context = {
        "tabs": [
            Tab(state_words(state), f"{address}?state={state}", states.count(state), active=state is chosen)
            for state in (
                CouponState.RESERVED,
                CouponState.HONOURED,
                CouponState.EXPIRED,
                CouponState.CANCELLED,
            )
        ],
        "chosen": chosen.value,
        "rows": [_shown(coupon) for coupon, state in zip(found, states, strict=True) if state is chosen],
    }
    back = reverse("citizen:me")
    return page(request, "citizen/coupons.html", context, section="me", title=gettext("我的券"), back=back)


@require_safe
def coupon(request: HttpRequest, code: str) -> HttpResponse:
    """Show one of the person's own coupons; while it can be used, as a ticket with its QR code."""
    _, user_id = acting(request)
    found = _own(code, user_id)
    today = business_day(timezone.now())
    state = shown_state(found, today)
    context = _shown(found) | {
        "state": state.value,
        "state_text": state_words(state),
        "tone": state_tone(state),
        "waits_for_return": state is CouponState.EXPIRED and found.state is CouponState.RESERVED,
        "facts": _facts(found, state),
        "code": figures.coupon_code(found.code),
    }
    if state is CouponState.RESERVED:
        total = max((found.expires_on - business_day(found.reserved_at)).days, 1)
        left = (found.expires_on - today).days
        context |= {
            "address": settings.TANPUHUI_PUBLIC_URL.rstrip("/")
            + reverse("portal:coupon", args=(found.code,)),
            "gauge": scales.countdown_scale(left, total),
            "days_left": ngettext("还剩 %(n)s 天", "还剩 %(n)s 天", left) % {"n": left}
            if left
            else gettext("今天是最后一天"),
            "next": _next(user_id, found),
        }
    back = reverse("citizen:coupons")
    title = gettext("出示券码") if state is CouponState.RESERVED else gettext("券")
    return page(request, "citizen/coupon.html", context, section="me", title=title, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    """Say what giving a coupon back does; give it back."""
    actor, user_id = acting(request)
    found = _own(code, user_id)
    refused: Refusal | None = None
    if request.method == "POST":
        try:
            returned = cancel_coupon(
                actor=actor,
                at=timezone.now(),
                idempotency_key=request.POST.get("idempotency_key", ""),
                code=found.code,
            )
        except Refusal as refusal:
            refused = refusal
        else:
            words = gettext("券已取消，%(points)s 积分已退回，到期日不变。")
            return said(request, words % {"points": returned.points}, "citizen:coupon", found.code)
    elif found.state is not CouponState.RESERVED:
        return redirect("citizen:coupon", found.code)
    context = _shown(found) | {"refused": refused}
    back = reverse("citizen:coupon", args=(found.code,))
    title = gettext("取消兑换")
    status = status_of(refused.code) if refused is not None else 200
    return page(request, "citizen/cancel.html", context, section="me", title=title, back=back, status=status)


def _own(code: str, user_id: int) -> CouponView:
    """Return the person's coupon; another's, or a mistyped code, is not found, so that nobody learns which exist."""
    missing = NotFound(what=gettext("券"), id=code)
    try:
        found = rewards.coupon(code)
    except CouponCodeMistyped as error:
        raise missing from error
    if found.user_id != user_id:
        raise missing
    return found


def _shown(coupon: CouponView) -> dict[str, Any]:
    good = coupon.good
    return {
        "coupon": coupon,
        "name": worded(good.name_zh, good.name_en),
        "merchant": worded(good.merchant_zh, good.merchant_en),
        "value": figures.face_value(coupon.face_value),
    }


def _facts(coupon: CouponView, state: CouponState) -> list[Fact]:
    day = "%Y-%m-%d"
    taken = f"{coupon.price} {figures.points_unit(coupon.price.value)}"
    facts = [
        Fact(gettext("兑换"), f"{timezone.localtime(coupon.reserved_at):{day}}"),
        Fact(gettext("有效期至"), f"{coupon.expires_on:{day}}"),
        Fact(gettext("用去积分"), taken),
    ]
    if state is CouponState.RESERVED:
        facts.append(Fact(gettext("没有使用"), gettext("到期自动退回 %(points)s") % {"points": taken}))
    if coupon.decided_at is not None:
        labels = {
            CouponState.HONOURED: gettext("使用"),
            CouponState.CANCELLED: gettext("取消"),
            CouponState.EXPIRED: gettext("过期"),
        }
        when = figures.moment(coupon.decided_at)
        facts.append(Fact(labels.get(coupon.state, ""), f"{when} {coupon.place}".strip()))
    return facts


def _next(user_id: int, shown: CouponView) -> NextCoupon | None:
    """Return the coupon that peeks from below: the next one that expires."""
    today = business_day(timezone.now())
    others = [one for one in usable(rewards.coupons_of(user_id), today) if one.id != shown.id]
    if not others:
        return None
    good = others[0].good
    address = reverse("citizen:coupon", args=(others[0].code,))
    name, merchant = worded(good.name_zh, good.name_en), worded(good.merchant_zh, good.merchant_en)
    return NextCoupon(name, merchant, others[0].face_value, address)
