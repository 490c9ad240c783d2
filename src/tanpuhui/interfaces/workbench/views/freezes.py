"""Freezes of carbon accounts (账户冻结): which hold, and proposing one or its release; another person decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import FreezeKind, FreezeProposed, propose_freeze
from tanpuhui.behaviour.carbon_accounts.queries import FreezeView
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, at_moment, link, state_mark
from tanpuhui.interfaces.workbench.sight import runs


class FreezeForm(forms.Form):
    """Which account, what is to happen to it, and why; the person reads the reason."""

    number = forms.CharField(label=gettext_lazy("碳账户号"), max_length=32)
    kind = forms.ChoiceField(label=gettext_lazy("变更为"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("账户本人会看到这段理由，请不要写别人的信息。"),
    )  # fmt: skip
    urgent = forms.BooleanField(
        label=gettext_lazy("紧急：复核之前先冻结"), required=False,
        help_text=gettext_lazy("立即生效，到规则写明的小时数自行解除；规则没有写明时不能紧急冻结。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(
            self,
            "kind",
            [(FreezeKind.FREEZE.value, gettext("冻结")), (FreezeKind.RELEASE.value, gettext("解冻"))],
        )


@require_safe
def freezes(request: HttpRequest) -> HttpResponse:
    """List the freezes that hold in the actor's area."""
    actor = who(request)
    section = Section(
        columns=(
            Column(gettext("碳账户号"), "mono"),
            Column(gettext("冻结时间"), "soft"),
            Column(gettext("到期")),
            Column(gettext("理由")),
            Column(gettext("办件")),
        ),
        rows=[_row(view) for view in accounts.freezes(at=timezone.now()) if runs(actor, view.area)],
        empty=gettext("现在没有冻结的碳账户。"),
        empty_next=gettext("冻结由一人提出、另一人复核。"),
    )
    context = {
        "title": gettext("账户冻结"),
        "lead": gettext(
            "冻结期间减排照常入账，不能兑换；已经兑换的券仍可使用或退回。归集不受影响：要拿走的记录另行冲回。"
        ),
        "ways": [Way(label=gettext("提出冻结或解冻"), url=reverse("workbench:propose-freeze"), kind="main")]
        if Role.MAKER in actor.roles
        else [],
        "sections": [section],
    }
    return page(
        request, "workbench/sheet.html", context, section="freezes", crumbs=(Crumb(gettext("账户冻结")),)
    )


def _row(view: FreezeView) -> Row:
    until = at_moment(view.until) if view.until else gettext("解冻为止")
    case = link(reverse("workbench:case", args=[view.case_id]), gettext("查看")) if view.case_id else ""
    return Row((view.number, at_moment(view.since), until, view.reason, case))


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Propose a freeze or a release; another person decides it."""
    if request.method != "POST":
        initial = {"number": request.GET.get("number", ""), "kind": FreezeKind.FREEZE.value}
        return _form_page(request, FreezeForm(initial=initial))
    form = FreezeForm(request.POST)

    def perform(given: Mapping[str, Any]) -> FreezeProposed:
        return propose_freeze(
            actor=who(request),
            at=timezone.now(),
            number=given["number"].strip().upper(),
            kind=given["kind"],
            reason=given["reason"],
            urgent=given["urgent"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(request, form, refused=attempt.refused, status=attempt.status)
    messages.success(
        request, gettext("已提出，办件 %(number)s，等待另一人复核。") % {"number": attempt.done.case_number}
    )
    return see_other("workbench:case", attempt.done.case_id)


def _form_page(
    request: HttpRequest, form: FreezeForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("提出冻结或解冻"),
        "lead": gettext("由一人提出、另一人复核。冻结期间减排照常入账，不能兑换。"),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("提出")},
        "back": reverse("workbench:freezes"),
    }
    crumbs = (Crumb(gettext("账户冻结"), reverse("workbench:freezes")), Crumb(gettext("提出")))
    return page(request, "workbench/form.html", context, section="freezes", crumbs=crumbs, status=status)


def freeze_part(change_id: int) -> dict[str, Any]:
    """Return what a case of a freeze or release is about, as its page shows it."""
    change = accounts.freeze_change(change_id)
    wanted = gettext("解冻") if change.kind == FreezeKind.RELEASE else gettext("冻结")
    urgent = ("pending", gettext("是，复核之前先冻结")) if change.urgent else ("ok", gettext("否"))
    return {
        "facts": [
            Fact(gettext("碳账户号"), change.number, mono=True),
            Fact(gettext("变更为"), wanted),
            Fact(gettext("紧急"), state_mark(urgent)),
            Fact(gettext("理由"), change.reason),
        ]
    }
