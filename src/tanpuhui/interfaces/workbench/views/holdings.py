"""What an organisation holds (持有), its retirement for a use (消纳), and its certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.operations import Beneficiary, UnitsRetired, retire_units
from tanpuhui.credits.registry.queries import BlockView, CertificateView, HoldingView, Purpose
from tanpuhui.foundation.identity.queries import organisation, organisations
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design.parts import BalancePart, Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, digits, link, on_day, side_by_side, state_mark
from tanpuhui.interfaces.workbench.routes import HOLDERS
from tanpuhui.interfaces.workbench.sight import check_holding
from tanpuhui.interfaces.workbench.views.transfers import free_issuances, transfer_sections
from tanpuhui.interfaces.workbench.words import movement_state, purpose_of_use, worded

KIND_OF_STATE = {"held": "held", "in_transit": "transit", "retired": "retired"}


class RetireForm(forms.Form):
    """Which units are used for whom and for what; the quantity is typed twice, because this cannot be undone."""

    issuance_id = forms.TypedChoiceField(label=gettext_lazy("签发批次"), coerce=int)
    quantity = forms.IntegerField(label=gettext_lazy("消纳数量，t"), min_value=1)
    beneficiary_kind = forms.ChoiceField(
        label=gettext_lazy("受益方"),
        choices=(
            ("organisation", pgettext_lazy("beneficiary", "机构")),
            ("event", pgettext_lazy("beneficiary", "活动")),
            ("person", pgettext_lazy("beneficiary", "个人")),
        ),
    )
    beneficiary_name = forms.CharField(
        label=gettext_lazy("受益方名称"),
        max_length=200,
        help_text=gettext_lazy("个人的姓名不公开，证书只写一个承诺值。"),
    )
    beneficiary_code = forms.CharField(
        label=gettext_lazy("受益方代码"), max_length=64, required=False,
        help_text=gettext_lazy("机构填统一社会信用代码，活动填备案号；没有可以不填。"),
    )  # fmt: skip
    purpose = forms.ChoiceField(label=gettext_lazy("用途"))
    purpose_text = forms.CharField(
        label=gettext_lazy("用途说明"),
        max_length=500,
        widget=forms.Textarea,
        help_text=gettext_lazy("写在证书上，公开。"),
    )
    confirmed = forms.IntegerField(label=gettext_lazy("消纳后不能撤回，请再输入一次数量确认"), min_value=1)

    def __init__(self, *args: Any, issuances: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "issuance_id", [(str(key), label) for key, label in issuances.items()])
        set_choices(self, "purpose", [(one.value, purpose_of_use(one.value)) for one in Purpose])

    def clean(self) -> dict[str, Any]:
        """Refuse a confirmation that is not the quantity."""
        given = super().clean() or {}
        quantity, confirmed = given.get("quantity"), given.get("confirmed")
        if quantity is not None and confirmed is not None and quantity != confirmed:
            said = gettext("要消纳 %(quantity)s t，这里输入的是 %(confirmed)s。请核对数量。")
            self.add_error("confirmed", said % {"quantity": f"{quantity:,}", "confirmed": f"{confirmed:,}"})
        return given


@require_safe
def holdings(request: HttpRequest) -> HttpResponse:
    """Lead to the holding of the actor's organisation, or list them where there are several or none."""
    ids = who(request).organisation_ids(*HOLDERS)
    own = {view.organisation_id: view.number for view in registry.holders() if view.organisation_id in ids}
    if len(own) == 1:
        return redirect("workbench:holding", next(iter(own)))
    names = {view.id: worded(view.name, view.name_en) for view in organisations()} if own else {}
    section = Section(
        columns=(Column(gettext("账户"), "mono"), Column(gettext("机构"))),
        rows=[
            Row(
                (number, names.get(organisation_id, "")),
                url=reverse("workbench:holding", args=[organisation_id]),
            )
            for organisation_id, number in own.items()
        ],
        empty=gettext("您的机构还没有持有账户。"),
        empty_next=gettext("请联系运营中心开户；开户以后，持有的减排量会出现在这里。"),
    )
    context = {"title": gettext("持有与转让"), "sections": [section]}
    crumbs = (Crumb(gettext("持有与转让")),)
    return page(request, "workbench/sheet.html", context, section="holdings", crumbs=crumbs)


@require_safe
def holding(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Show a holding as an equation, its transfers and its blocks."""
    actor = who(request)
    check_holding(actor, organisation_id)
    view = registry.holding(organisation_id=organisation_id)
    owner = organisation(organisation_id)
    acting = actor.has(*HOLDERS, organisation_id=organisation_id)
    held = view.by_state["held"] > Tonnes(0)
    ways = []
    if acting and held:
        ways = [
            Way(label=pgettext("act", "转让"), url=reverse("workbench:offer", args=[organisation_id])),
            Way(
                label=pgettext("act", "消纳"),
                url=reverse("workbench:retire", args=[organisation_id]),
                kind="main",
            ),
        ]
    context: dict[str, Any] = {
        "title": worded(owner.name, owner.name_en),
        "facts": [Fact(gettext("持有账户"), view.number, mono=True)],
        "ways": ways,
        "balance": _balance(view) if view.blocks else None,
        "sections": [*transfer_sections(request, organisation_id, acting=acting), _block_section(view)],
    }
    crumbs = (
        Crumb(gettext("持有与转让"), reverse("workbench:holdings") if acting else ""),
        Crumb(view.number),
    )
    return page(request, "workbench/sheet.html", context, section="holdings", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Retire units for a use; it cannot be undone."""
    actor = who(request)
    check_holding(actor, organisation_id, acting=True)
    choices = free_issuances(organisation_id)
    if request.method != "POST":
        return _retire_page(request, organisation_id, RetireForm(issuances=choices))
    form = RetireForm(request.POST, issuances=choices)

    def perform(given: Mapping[str, Any]) -> UnitsRetired:
        return retire_units(
            actor=actor,
            at=timezone.now(),
            organisation_id=organisation_id,
            issuance_id=given["issuance_id"],
            quantity=Tonnes(given["quantity"]),
            beneficiary=Beneficiary(
                kind=given["beneficiary_kind"], name=given["beneficiary_name"], code=given["beneficiary_code"]
            ),
            purpose=Purpose(given["purpose"]),
            purpose_text=given["purpose_text"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _retire_page(request, organisation_id, form, refused=attempt.refused, status=attempt.status)
    said = gettext("已消纳 %(quantity)s t，证书 %(number)s。") % {
        "quantity": digits(attempt.done.quantity),
        "number": attempt.done.certificate_number,
    }
    messages.success(request, said)
    return see_other("workbench:certificates")


@require_safe
def certificates(request: HttpRequest) -> HttpResponse:
    """List the certificates of the actor's organisations with their public page, PDF and proof."""
    found = [
        view
        for organisation_id in who(request).organisation_ids(*HOLDERS)
        for view in registry.certificates(organisation_id=organisation_id)
    ]
    section = Section(
        columns=(
            Column(gettext("证书编号"), "mono"),
            Column(gettext("文件")),
            Column(gettext("消纳 t"), "num"),
            Column(gettext("受益方")),
            Column(gettext("用途"), "soft"),
            Column(gettext("消纳日"), "soft"),
        ),
        rows=[_certificate_row(view) for view in sorted(found, key=lambda one: one.retired_at, reverse=True)],
        empty=gettext("还没有消纳证书。"),
        empty_next=gettext("消纳以后，证书会出现在这里，任何人都可以凭编号查验。"),
    )
    context = {
        "title": gettext("消纳证书"),
        "lead": gettext("证书编号可以公开。PDF 要等公开日志签发树头以后才能下载，一般只要几秒。"),
        "sections": [section],
    }
    crumbs = (Crumb(gettext("消纳证书")),)
    return page(request, "workbench/sheet.html", context, section="certificates", crumbs=crumbs)


def _balance(view: HoldingView) -> dict[str, Any]:
    return {
        "total": Tonnes.total(block.quantity for block in view.blocks),
        "parts": [
            BalancePart(movement_state(state)[1], view.by_state[state], kind)
            for state, kind in KIND_OF_STATE.items()
        ],
        "label": gettext("账户内合计"),
    }


def _block_section(view: HoldingView) -> Section:
    return Section(
        title=gettext("序列号段"),
        columns=(
            Column(gettext("序列号"), "mono"),
            Column(gettext("数量 t"), "num"),
            Column(gettext("状态")),
            Column(gettext("证书"), "mono"),
            Column(gettext("自"), "soft"),
        ),
        rows=[_block_row(block) for block in view.blocks],
        empty=gettext("账户里还没有减排量。"),
        empty_next=gettext("签发或接受转让以后，序列号会出现在这里。"),
    )


def _block_row(block: BlockView) -> Row:
    number = block.certificate_number
    cells = (
        link(reverse("portal:serial", args=[block.serial]), block.serial),
        digits(block.quantity),
        state_mark(movement_state(block.state)),
        link(reverse("portal:certificate", args=[number]), number) if number else "",
        on_day(block.since),
    )
    return Row(cells)


def _certificate_row(view: CertificateView) -> Row:
    beneficiary: Any = view.payload.get("beneficiary", {})
    purpose: Any = view.payload.get("purpose", {})
    name = beneficiary.get("name") or gettext("个人（姓名不公开）")
    files = side_by_side(
        format_html('<a class="tx" href="{}">PDF</a>', reverse("portal:certificate-pdf", args=[view.number])),
        format_html(
            '<a class="tx" href="{}">JSON</a>', reverse("portal:certificate-json", args=[view.number])
        ),
    )
    return Row(
        (
            view.number,
            files,
            digits(view.quantity),
            name,
            purpose_of_use(str(purpose.get("code", ""))),
            on_day(view.retired_at),
        ),
        url=reverse("portal:certificate", args=[view.number]),
    )


def _retire_page(
    request: HttpRequest,
    organisation_id: int,
    form: RetireForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    back = reverse("workbench:holding", args=[organisation_id])
    choices = free_issuances(organisation_id)
    context: dict[str, Any] = {
        "title": pgettext("act", "消纳"),
        "lead": gettext(
            "消纳把减排量永久用于一个用途，生成一张任何人都能查验的证书。消纳后不能撤回，也不能再转让。"
        ),
        "form": form if choices else None,
        "missing": gettext("账户里没有可以消纳的减排量。签发或接受转让以后再来。"),
        "refused": refused,
        "submit": {"verb": gettext("消纳，不能撤回"), "kind": "danger"},
        "back": back,
    }
    crumbs = (Crumb(gettext("持有与转让"), back), Crumb(pgettext("act", "消纳")))
    return page(request, "workbench/form.html", context, section="holdings", crumbs=crumbs, status=status)
