"""Transfers (转让): offering units to another holder, and the answer of the other side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST

from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.operations import (
    TransferOffered,
    accept_transfer,
    decline_transfer,
    offer_transfer,
)
from tanpuhui.credits.registry.queries import TransferView
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, digits, on_day, row_act, side_by_side, state_mark
from tanpuhui.interfaces.workbench.routes import HOLDERS
from tanpuhui.interfaces.workbench.sight import check_holding
from tanpuhui.interfaces.workbench.words import transfer_state, worded


class OfferForm(forms.Form):
    """How many units of which issuance go to whom."""

    issuance_id = forms.TypedChoiceField(label=gettext_lazy("签发批次"), coerce=int)
    target_id = forms.TypedChoiceField(label=gettext_lazy("受让方"), coerce=int)
    quantity = forms.IntegerField(label=gettext_lazy("转让数量，t"), min_value=1)

    def __init__(
        self, *args: Any, issuances: Mapping[int, str], recipients: Mapping[int, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "issuance_id", [(str(key), label) for key, label in issuances.items()])
        set_choices(self, "target_id", [(str(key), label) for key, label in recipients.items()])


def free_issuances(organisation_id: int) -> dict[int, str]:
    """Return the issuances of which an organisation holds free units, with serial and quantity as a choice says them."""
    view = registry.holding(organisation_id=organisation_id)
    free: dict[int, Tonnes] = {}
    for block in view.blocks:
        if block.state == "held":
            free[block.issuance_id] = free.get(block.issuance_id, Tonnes(0)) + block.quantity
    return {
        issuance_id: gettext("%(serial)s，可用 %(quantity)s t")
        % {"serial": registry.issuance(issuance_id=issuance_id).serial, "quantity": digits(quantity)}
        for issuance_id, quantity in sorted(free.items())
    }


def transfer_sections(request: HttpRequest, organisation_id: int, *, acting: bool) -> list[Section]:
    """Return the offers that wait for the organisation's answer, where there are any, and all its transfers."""
    found = registry.transfers(organisation_id=organisation_id)
    names = {view.id: worded(view.name, view.name_en) for view in organisations()} if found else {}
    waiting = [view for view in found if view.target_id == organisation_id and view.state == "offered"]
    sections = []
    if waiting:
        sections.append(_waiting(request, waiting, names, acting=acting))
    rest = [view for view in found if view not in waiting]
    sections.append(
        Section(
            title=gettext("转让记录"),
            columns=(
                Column(gettext("转让编号"), "mono"),
                Column(gettext("方向")),
                Column(gettext("对方")),
                Column(gettext("数量 t"), "num"),
                Column(gettext("状态")),
                Column(gettext("发起"), "soft"),
                Column(gettext("答复"), "soft"),
            ),
            rows=[_transfer_row(view, organisation_id, names) for view in rest],
            empty=gettext("还没有转让。"),
            empty_next=gettext("转出要等受让方接受；等待期间是在途，不能再转让或消纳。"),
        )
    )
    return sections


@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Offer units to another holder."""
    actor = who(request)
    check_holding(actor, organisation_id, acting=True)
    choices = {"issuances": free_issuances(organisation_id), "recipients": _recipients(organisation_id)}
    if request.method != "POST":
        return _offer_page(
            request, organisation_id, OfferForm(**choices), has_units=bool(choices["issuances"])
        )
    form = OfferForm(request.POST, **choices)

    def perform(given: Mapping[str, Any]) -> TransferOffered:
        return offer_transfer(
            actor=actor,
            at=timezone.now(),
            issuance_id=given["issuance_id"],
            source_organisation_id=organisation_id,
            target_organisation_id=given["target_id"],
            quantity=Tonnes(given["quantity"]),
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _offer_page(
            request, organisation_id, form, refused=attempt.refused, status=attempt.status,
            has_units=bool(choices["issuances"]),
        )  # fmt: skip
    messages.success(
        request, gettext("转让 %(number)s 已发出，等待受让方答复。") % {"number": attempt.done.number}
    )
    return see_other("workbench:holding", organisation_id)


@require_POST
def accept(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Take the offered units."""
    closed = accept_transfer(
        actor=who(request), at=timezone.now(), transfer_id=transfer_id, idempotency_key=key_of(request)
    )
    said = gettext("已接受转让 %(number)s，%(quantity)s t 进入账户。")
    messages.success(request, said % {"number": closed.number, "quantity": digits(closed.quantity)})
    return see_other("workbench:holding", _target_of(request, transfer_id))


@require_POST
def decline(request: HttpRequest, transfer_id: int) -> HttpResponse:
    """Send the offered units back."""
    closed = decline_transfer(
        actor=who(request), at=timezone.now(), transfer_id=transfer_id, idempotency_key=key_of(request)
    )
    said = gettext("已谢绝转让 %(number)s，%(quantity)s t 退回转出方。")
    messages.success(request, said % {"number": closed.number, "quantity": digits(closed.quantity)})
    return see_other("workbench:holding", _target_of(request, transfer_id))


def _target_of(request: HttpRequest, transfer_id: int) -> int:
    """Return which of the actor's organisations the transfer was for."""
    for organisation_id in who(request).organisation_ids(*HOLDERS):
        for view in registry.transfers(organisation_id=organisation_id):
            if view.transfer_id == transfer_id and view.target_id == organisation_id:
                return organisation_id
    raise NotFound(what="转让", id=transfer_id)


def _recipients(organisation_id: int) -> dict[int, str]:
    names = {view.id: worded(view.name, view.name_en) for view in organisations()}
    return {
        view.organisation_id: gettext("%(name)s（%(number)s）")
        % {"name": names.get(view.organisation_id, ""), "number": view.number}
        for view in registry.holders()
        if view.organisation_id != organisation_id
    }


def _waiting(
    request: HttpRequest, waiting: list[TransferView], names: Mapping[int, str], *, acting: bool
) -> Section:
    def acts(view: TransferView) -> Any:
        if not acting:
            return state_mark(transfer_state(view.state))
        return side_by_side(
            row_act(
                request,
                reverse("workbench:accept", args=[view.transfer_id]),
                gettext("接受 %(n)s t") % {"n": digits(view.quantity)},
                kind="main",
            ),
            row_act(
                request, reverse("workbench:decline", args=[view.transfer_id]), gettext("谢绝"), kind="plain"
            ),
        )

    return Section(
        title=gettext("等待答复的转入"),
        columns=(
            Column(gettext("转出方")),
            Column(gettext("答复")),
            Column(gettext("数量 t"), "num"),
            Column(gettext("转让编号"), "mono"),
            Column(gettext("序列号"), "mono"),
            Column(gettext("发起"), "soft"),
        ),
        rows=[
            Row(
                (
                    names.get(view.source_id, ""),
                    acts(view),
                    digits(view.quantity),
                    view.number,
                    "; ".join(view.serials),
                    on_day(view.offered_at),
                )
            )
            for view in waiting
        ],
    )


def _transfer_row(view: TransferView, organisation_id: int, names: Mapping[int, str]) -> Row:
    outgoing = view.source_id == organisation_id
    return Row(
        (
            view.number,
            gettext("转出") if outgoing else gettext("转入"),
            names.get(view.target_id if outgoing else view.source_id, ""),
            digits(view.quantity),
            state_mark(transfer_state(view.state)),
            on_day(view.offered_at),
            on_day(view.closed_at),
        )
    )


def _offer_page(
    request: HttpRequest,
    organisation_id: int,
    form: OfferForm,
    *,
    has_units: bool,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    back = reverse("workbench:holding", args=[organisation_id])
    context: dict[str, Any] = {
        "title": pgettext("act", "转让"),
        "lead": gettext(
            "发出以后是在途，受让方接受才算转让；谢绝则原样退回。一个号段要拆开时，您保留前段，后段转出。"
        ),
        "form": form if has_units else None,
        "missing": gettext("账户里没有可以转让的减排量。在途和已消纳的不能转让。"),
        "refused": refused,
        "submit": {"verb": pgettext("act", "发出转让")},
        "back": back,
    }
    crumbs = (Crumb(gettext("持有与转让"), back), Crumb(pgettext("act", "转让")))
    return page(request, "workbench/form.html", context, section="holdings", crumbs=crumbs, status=status)
