"""Settlement (商户结算): a merchant's sheets with their lines, and closing a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.figures import local_day
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, digits, on_day
from tanpuhui.interfaces.workbench.sight import merchants_in_sight
from tanpuhui.interfaces.workbench.words import worded
from tanpuhui.uses.rewards.operations import SettlementSheetClosed, close_settlement
from tanpuhui.uses.rewards.queries import (
    SettlementLineView,
    SettlementSheetView,
    settlement_lines,
    settlement_sheets,
)


class CloseForm(forms.Form):
    """Whose month is settled."""

    merchant_id = forms.TypedChoiceField(label=gettext_lazy("商户"), coerce=int)
    period = forms.CharField(
        label=gettext_lazy("月份"), max_length=7, widget=forms.TextInput(attrs={"type": "month"}),
        help_text=gettext_lazy("写作 2026-11。此前还没有结算的核销一并计入。"),
    )  # fmt: skip

    def __init__(self, *args: Any, merchants: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "merchant_id", [(str(key), name) for key, name in merchants.items()])


@require_safe
def sheets(request: HttpRequest) -> HttpResponse:
    """List the settlement sheets of the actor's shops, and what is honoured and not settled yet."""
    ids = who(request).organisation_ids(Role.MERCHANT)
    found = [view for merchant_id in ids for view in settlement_sheets(merchant_id=merchant_id)]
    open_lines = [
        line
        for merchant_id in ids
        for line in settlement_lines(merchant_id=merchant_id)
        if line.sheet_id is None
    ]
    context = {
        "title": gettext("结算单"),
        "facts": [
            Fact(gettext("还没有结算"), gettext("%(n)s 张") % {"n": digits(len(open_lines))}),
            Fact(
                gettext("面值合计"),
                gettext("%(n)s 元") % {"n": digits(Fen.total(line.face_value for line in open_lines))},
            ),
        ],
        "sections": [_sheet_section(found, _merchants(who(request)))],
    }
    return page(
        request, "workbench/sheet.html", context, section="sheets", crumbs=(Crumb(gettext("结算单")),)
    )


@require_safe
def settlements(request: HttpRequest) -> HttpResponse:
    """List every merchant's sheets."""
    actor = who(request)
    maker = Role.MAKER in actor.roles
    merchants = _merchants(actor)
    context = {
        "title": gettext("商户结算"),
        "lead": gettext("一个商户一个月一张结算单：面值 − 服务费 ＝ 应付。服务费率来自规则，写明依据。"),
        "ways": [Way(label=gettext("结算一个月"), url=reverse("workbench:close-settlement"), kind="main")]
        if maker
        else [],
        "sections": [
            _sheet_section([view for view in settlement_sheets() if view.merchant_id in merchants], merchants)
        ],
    }
    crumbs = (Crumb(gettext("商户结算")),)
    return page(request, "workbench/sheet.html", context, section="settlements", crumbs=crumbs)


@require_safe
def sheet(request: HttpRequest, merchant_id: int, sheet_id: int) -> HttpResponse:
    """Show a settlement sheet with the coupons it counts."""
    actor = who(request)
    own = actor.has(Role.MERCHANT, organisation_id=merchant_id)
    found = next((one for one in settlement_sheets(merchant_id=merchant_id) if one.id == sheet_id), None)
    merchants = _merchants(actor)
    if found is None or merchant_id not in merchants:
        raise NotFound(what="结算单 settlement sheet", id=sheet_id)
    lines = settlement_lines(merchant_id=merchant_id, sheet_id=sheet_id)
    context = {
        "title": f"{merchants[merchant_id]} {found.period}",
        "facts": [*sheet_facts(found), *_confirmation_cases(found)],
        "sections": [line_section(lines)],
    }
    home = ("sheets", gettext("结算单")) if own else ("settlements", gettext("商户结算"))
    crumbs = (Crumb(home[1], reverse(f"workbench:{home[0]}")), Crumb(found.period))
    return page(request, "workbench/sheet.html", context, section=home[0], crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """Make the settlement sheet of a merchant's month."""
    actor = who(request)
    merchants = _merchants(actor)
    if request.method != "POST":
        return _close_page(request, CloseForm(merchants=merchants))
    form = CloseForm(request.POST, merchants=merchants)

    def perform(given: Mapping[str, Any]) -> SettlementSheetClosed:
        return close_settlement(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            merchant_id=given["merchant_id"],
            period=given["period"].strip(),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _close_page(request, form, refused=attempt.refused, status=attempt.status)
    done = attempt.done
    said = gettext("已结算 %(period)s：%(coupons)s 张，应付 %(payable)s 元。") % {
        "period": done.period,
        "coupons": digits(done.coupons),
        "payable": digits(done.payable),
    }
    messages.success(request, said)
    return see_other("workbench:settlement-sheet", done.merchant_id, done.sheet_id)


def sheet_facts(found: SettlementSheetView) -> list[Fact]:
    """Return what a sheet comes to, and whether its merchant confirmed it."""
    confirmed = (
        gettext("%(day)s 已确认") % {"day": f"{local_day(found.confirmed_at):%Y-%m-%d}"}
        if found.confirmed_at
        else gettext("还没有确认")
    )
    return [
        Fact(gettext("核销"), gettext("%(n)s 张") % {"n": digits(found.coupons)}),
        Fact(gettext("面值合计"), gettext("%(n)s 元") % {"n": digits(found.face_value)}),
        Fact(gettext("服务费"), _fee(found)),
        Fact(gettext("应付"), gettext("%(n)s 元") % {"n": digits(found.payable)}),
        Fact(gettext("结算日"), on_day(found.closed_at)),
        Fact(gettext("商户确认"), confirmed),
    ]


def _confirmation_cases(found: SettlementSheetView) -> list[Fact]:
    return [
        Fact(
            gettext("结算对账"),
            f"{view.number} {worded(view.state_zh, view.state_en)}",
            url=reverse("workbench:case", args=[view.case_id]),
        )
        for view in workflow.cases_of("settlement_sheet", str(found.id))
    ]


def _merchants(actor: Actor) -> dict[int, str]:
    return {view.id: worded(view.name, view.name_en) for view in merchants_in_sight(actor)}


def _fee(found: SettlementSheetView) -> str:
    said = gettext("%(n)s 元（费率 %(share)s，%(basis)s）")
    return said % {"n": digits(found.fee), "share": found.fee_share, "basis": found.fee_basis}


def _sheet_section(found: Sequence[SettlementSheetView], names: Mapping[int, str]) -> Section:
    return Section(
        columns=(
            Column(gettext("月份"), "soft"),
            Column(gettext("商户")),
            Column(gettext("核销 张"), "num"),
            Column(gettext("面值 元"), "num"),
            Column(gettext("− 服务费 元"), "num"),
            Column(gettext("＝ 应付 元"), "num"),
            Column(gettext("结算日"), "soft"),
            Column(gettext("商户确认"), "soft"),
        ),
        rows=[
            Row(
                (
                    view.period,
                    names.get(view.merchant_id, ""),
                    digits(view.coupons),
                    digits(view.face_value),
                    digits(view.fee),
                    digits(view.payable),
                    on_day(view.closed_at),
                    on_day(view.confirmed_at) or gettext("还没有确认"),
                ),
                url=reverse("workbench:settlement-sheet", args=[view.merchant_id, view.id]),
            )
            for view in found
        ],
        empty=gettext("还没有结算单。"),
        empty_next=gettext("一个月结束以后，运营中心结算，结算单和明细会出现在这里。"),
    )


def line_section(lines: Sequence[SettlementLineView]) -> Section:
    """Return the coupons that a sheet counts, one a row."""
    return Section(
        title=gettext("核销明细"),
        columns=(
            Column(gettext("时间"), "soft"),
            Column(gettext("券码"), "mono"),
            Column(gettext("商品")),
            Column(gettext("门店"), "soft"),
            Column(gettext("面值 元"), "num"),
        ),
        rows=[
            Row(
                (
                    at_moment(line.honoured_at),
                    line.code,
                    worded(line.good_zh, line.good_en),
                    line.place,
                    digits(line.face_value),
                )
            )
            for line in lines
        ],
        empty=gettext("这张结算单没有明细。"),
    )


def _close_page(
    request: HttpRequest, form: CloseForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("结算一个月"),
        "lead": gettext("把一个商户到月末为止还没有结算的核销合成一张结算单，记入应付。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("结算这个月")},
        "back": reverse("workbench:settlements"),
    }
    crumbs = (Crumb(gettext("商户结算"), reverse("workbench:settlements")), Crumb(gettext("结算一个月")))
    return page(request, "workbench/form.html", context, section="settlements", crumbs=crumbs, status=status)
