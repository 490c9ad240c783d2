"""A merchant's goods (商品): list one, add to its stock, take it off offer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import own_organisations, page
from tanpuhui.interfaces.workbench.parts import (
    Section,
    Way,
    digits,
    link,
    row_act,
    side_by_side,
    state_mark,
)
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.uses.rewards.operations import GoodListed, list_good, restock_good, withdraw_good
from tanpuhui.uses.rewards.queries import GoodView, good
from tanpuhui.uses.rewards.queries import goods as goods_of

FEN_PER_YUAN = 100
OFFERED_DAYS = 90


class GoodForm(forms.Form):
    """A good as it is put on offer."""

    merchant_id = forms.TypedChoiceField(label=gettext_lazy("门店"), coerce=int)
    name_zh = forms.CharField(label=gettext_lazy("名称"), max_length=60)
    name_en = forms.CharField(label=gettext_lazy("英文名称"), max_length=60, required=False)
    face_value = forms.DecimalField(
        label=gettext_lazy("面值，元"), min_value=0, max_digits=9, decimal_places=2,
        help_text=gettext_lazy("核销后按面值与您结算。"),
    )  # fmt: skip
    price = forms.IntegerField(label=gettext_lazy("兑换所需积分，分"), min_value=1)
    stock = forms.IntegerField(label=gettext_lazy("数量，件"), min_value=0)
    limit_per_person = forms.IntegerField(
        label=gettext_lazy("每人最多，件"),
        min_value=1,
        required=False,
        help_text=gettext_lazy("不填就是不限。"),
    )
    valid_from = forms.DateField(
        label=gettext_lazy("从"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    valid_to = forms.DateField(
        label=gettext_lazy("到（含当天）"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def __init__(self, *args: Any, shops: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "merchant_id", [(str(key), name) for key, name in shops.items()])


class RestockForm(forms.Form):
    """How many pieces are added."""

    added = forms.IntegerField(label=gettext_lazy("增加数量，件"), min_value=1)


@require_safe
def goods(request: HttpRequest) -> HttpResponse:
    """List the goods of the actor's shops."""
    found = [
        view
        for merchant_id in who(request).organisation_ids(Role.MERCHANT)
        for view in goods_of(merchant_id=merchant_id)
    ]
    section = Section(
        columns=(
            Column(gettext("商品")),
            Column(gettext("余量 件"), "num"),
            Column(""),
            Column(gettext("状态")),
            Column(gettext("面值 元"), "num"),
            Column(gettext("积分 分"), "num"),
            Column(gettext("兑换期"), "soft"),
        ),
        rows=[_row(request, view) for view in found],
        empty=gettext("还没有商品。"),
        empty_next=gettext("上架以后，市民可以用积分兑换，您凭券码核销，每月按面值结算。"),
    )
    context = {
        "title": gettext("商品"),
        "ways": [Way(label=gettext("上架商品"), url=reverse("workbench:list-good"), kind="main")],
        "sections": [section],
    }
    return page(request, "workbench/sheet.html", context, section="goods", crumbs=(Crumb(gettext("商品")),))


@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest) -> HttpResponse:
    """Put a good on offer."""
    actor = who(request)
    own = actor.organisation_ids(Role.MERCHANT)
    shops = {view.id: worded(view.name, view.name_en) for view in own_organisations(actor) if view.id in own}
    today = timezone.localdate()
    if request.method != "POST":
        start = {"valid_from": today, "valid_to": today + timedelta(days=OFFERED_DAYS)}
        return _offer_page(request, GoodForm(shops=shops, initial=start))
    form = GoodForm(request.POST, shops=shops)

    def perform(given: Mapping[str, Any]) -> GoodListed:
        return list_good(
            actor=actor,
            at=timezone.now(),
            merchant_id=given["merchant_id"],
            name_zh=given["name_zh"],
            name_en=given["name_en"],
            face_value=Fen(int(given["face_value"] * FEN_PER_YUAN)),
            price=Points(given["price"]),
            stock=given["stock"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
            limit_per_person=given["limit_per_person"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _offer_page(request, form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("已上架“%(name)s”。") % {"name": form.cleaned_data["name_zh"]})
    return see_other("workbench:goods")


@require_http_methods(["GET", "HEAD", "POST"])
def restock(request: HttpRequest, good_id: int) -> HttpResponse:
    """Add pieces to a good's stock."""
    view = _own(request, good_id)
    if request.method != "POST":
        return _restock_page(request, view, RestockForm())
    form = RestockForm(request.POST)

    def perform(given: Mapping[str, Any]) -> GoodListed:
        return restock_good(
            actor=who(request),
            at=timezone.now(),
            good_id=good_id,
            added=given["added"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _restock_page(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(request, gettext("已补货，现有 %(stock)s 件。") % {"stock": digits(attempt.done.stock)})
    return see_other("workbench:goods")


@require_POST
def withdraw(request: HttpRequest, good_id: int) -> HttpResponse:
    """Take a good off offer; coupons that are out stay good."""
    view = _own(request, good_id)
    withdraw_good(actor=who(request), at=timezone.now(), good_id=good_id, idempotency_key=key_of(request))
    said = gettext("“%(name)s”已下架，已经兑换的券仍然有效。") % {"name": worded(view.name_zh, view.name_en)}
    messages.success(request, said)
    return see_other("workbench:goods")


def _own(request: HttpRequest, good_id: int) -> GoodView:
    found = good(good_id)
    if not who(request).has(Role.MERCHANT, organisation_id=found.merchant_id):
        raise NotFound(what="商品 good", id=good_id)
    return found


def _row(request: HttpRequest, view: GoodView) -> Row:
    today = timezone.localdate()
    if view.withdrawn:
        state, acts = ("", gettext("已下架")), side_by_side()
    else:
        on_offer = view.valid_from <= today <= view.valid_to
        state = ("ok", gettext("兑换中")) if on_offer else ("wait", gettext("不在兑换期"))
        acts = side_by_side(
            link(reverse("workbench:restock", args=[view.id]), gettext("补货")),
            row_act(request, reverse("workbench:withdraw", args=[view.id]), gettext("下架"), kind="text"),
        )
    span = f"{view.valid_from:%Y-%m-%d} {figures.EN_DASH} {view.valid_to:%Y-%m-%d}"
    return Row(
        (
            worded(view.name_zh, view.name_en),
            digits(view.stock),
            acts,
            state_mark(state),
            digits(view.face_value),
            digits(view.price),
            span,
        )
    )


def _offer_page(
    request: HttpRequest, form: GoodForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("上架商品"),
        "lead": gettext("积分没有货币属性：面值和积分是两个数，互不换算。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("上架商品")},
        "back": reverse("workbench:goods"),
    }
    crumbs = (Crumb(gettext("商品"), reverse("workbench:goods")), Crumb(gettext("上架商品")))
    return page(request, "workbench/form.html", context, section="goods", crumbs=crumbs, status=status)


def _restock_page(
    request: HttpRequest,
    view: GoodView,
    form: RestockForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    name = worded(view.name_zh, view.name_en)
    context = {
        "title": gettext("补货"),
        "facts": [
            Fact(gettext("商品"), name),
            Fact(gettext("现有"), gettext("%(n)s 件") % {"n": digits(view.stock)}),
        ],
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("增加库存")},
        "back": reverse("workbench:goods"),
    }
    crumbs = (Crumb(gettext("商品"), reverse("workbench:goods")), Crumb(name))
    return page(request, "workbench/form.html", context, section="goods", crumbs=crumbs, status=status)
