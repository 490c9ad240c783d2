"""Data-sharing agreements (数据共享协议): which hold, what each covers; proposing one, and its early end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import AgreementProposed, propose_agreement, propose_agreement_end
from tanpuhui.behaviour.activity.queries import AgreementView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, state_mark
from tanpuhui.interfaces.workbench.sight import partners_in_sight, scenarios_in_sight
from tanpuhui.interfaces.workbench.words import worded

FIELDS_CHARACTERS_MAX = 2_000


class AgreementForm(forms.Form):
    """Between whom, about what, on what grounds, and on which days."""

    partner = forms.ChoiceField(label=gettext_lazy("数据伙伴"))
    number = forms.CharField(
        label=gettext_lazy("协议编号"),
        max_length=60,
        help_text=gettext_lazy("与纸面协议一致；续签用新的编号。"),
    )
    scenarios = forms.MultipleChoiceField(label=gettext_lazy("场景"), widget=forms.CheckboxSelectMultiple)
    fields_ = forms.CharField(
        label=gettext_lazy("共享的字段"), max_length=FIELDS_CHARACTERS_MAX, widget=forms.Textarea,
        help_text=gettext_lazy("一行一个，例如“刷卡时间”“上车站”。只写用得到的。"),
    )  # fmt: skip
    purpose = forms.CharField(
        label=gettext_lazy("用途"), max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("这些数据用来做什么，不用来做什么。"),
    )  # fmt: skip
    legal_basis = forms.CharField(label=gettext_lazy("依据"), max_length=500)
    valid_from = forms.DateField(label=gettext_lazy("起期"), widget=forms.DateInput(attrs={"type": "date"}))
    valid_to = forms.DateField(label=gettext_lazy("止期"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        partners = [(str(one.id), worded(one.name, one.name_en)) for one in partners_in_sight(actor)]
        seen = scenarios_in_sight(actor, on=timezone.localdate())
        set_choices(self, "partner", partners)
        set_choices(self, "scenarios", [(one.code, worded(one.name_zh, one.name_en)) for one in seen])

    def clean_fields_(self) -> tuple[str, ...]:
        """Return the fields, one a line."""
        return tuple(line.strip() for line in self.cleaned_data["fields_"].splitlines() if line.strip())


class EndForm(forms.Form):
    """On which day an agreement ends, and why."""

    last_day = forms.DateField(
        label=gettext_lazy("最后一天"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("这一天的记录还在协议期内。"),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea)


@require_safe
def agreements(request: HttpRequest) -> HttpResponse:
    """List the agreements of the partners in the actor's sight."""
    actor = who(request)
    partners = {one.id: worded(one.name, one.name_en) for one in partners_in_sight(actor)}
    today = timezone.localdate()
    section = Section(
        columns=(
            Column(gettext("编号"), "mono"),
            Column(gettext("数据伙伴")),
            Column(gettext("场景"), "soft"),
            Column(gettext("起期"), "soft"),
            Column(gettext("止期"), "soft"),
            Column(gettext("状态")),
        ),
        rows=[
            Row(
                (
                    view.number,
                    partners[view.partner_id],
                    _scenarios(view),
                    view.valid_from.isoformat(),
                    view.last_day.isoformat(),
                    state_mark(standing(view, today)),
                ),
                url=reverse("workbench:agreement", args=[view.id]),
            )
            for view in activity.agreements(partner_ids=list(partners))
        ],
        empty=gettext("还没有数据共享协议。"),
        empty_next=gettext(
            "协议写明共享什么、用来做什么、凭什么、到哪一天；由数据伙伴确认、另一人复核后生效。"
        ),
    )
    ways = []
    if Role.MAKER in actor.roles and partners:
        ways = [Way(label=gettext("新的协议"), url=reverse("workbench:new-agreement"), kind="main")]
    context = {
        "title": gettext("数据共享协议"),
        "lead": gettext("谁把什么数据共享给碳普惠，用来做什么，依据是什么，有效到哪一天。"),
        "ways": ways,
        "sections": [section],
    }
    crumbs = (Crumb(gettext("数据共享协议")),)
    return page(request, "workbench/sheet.html", context, section="agreements", crumbs=crumbs)


@require_safe
def agreement(request: HttpRequest, agreement_id: int) -> HttpResponse:
    """Show one agreement; a maker may propose its early end."""
    actor = who(request)
    view = _in_sight(actor, agreement_id)
    today = timezone.localdate()
    ways = [Way(label=gettext("查看办件"), url=reverse("workbench:case", args=[view.case_id]), kind="line")]
    may_end = view.holds_on(max(today, view.valid_from))
    if may_end and actor.has(Role.MAKER, area=organisation(view.partner_id).area):
        ways.append(
            Way(
                label=gettext("提前终止"), url=reverse("workbench:end-agreement", args=[view.id]), kind="line"
            )
        )
    context = {"title": view.number, "facts": facts_of(view), "ways": ways, "sections": []}
    crumbs = (Crumb(gettext("数据共享协议"), reverse("workbench:agreements")), Crumb(view.number))
    return page(request, "workbench/sheet.html", context, section="agreements", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """Propose an agreement; the partner confirms it, another person decides."""
    actor = who(request)
    if request.method != "POST":
        return _form_page(request, AgreementForm(actor=actor), title=gettext("新的协议"))
    form = AgreementForm(request.POST, actor=actor)

    def perform(given: Mapping[str, Any]) -> AgreementProposed:
        return propose_agreement(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            partner_id=int(given["partner"]),
            number=given["number"],
            scenarios=tuple(given["scenarios"]),
            fields=given["fields_"],
            purpose=given["purpose"],
            legal_basis=given["legal_basis"],
            valid_from=given["valid_from"],
            valid_to=given["valid_to"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(
            request, form, title=gettext("新的协议"), refused=attempt.refused, status=attempt.status
        )
    messages.success(
        request,
        gettext("已提出，办件 %(number)s，等待数据伙伴确认。协议文本请作为材料附在办件里。")
        % {"number": attempt.done.case_number},
    )
    return see_other("workbench:case", attempt.done.case_id)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, agreement_id: int) -> HttpResponse:
    """Propose that an agreement ends early; another person decides."""
    actor = who(request)
    view = _in_sight(actor, agreement_id)
    if request.method != "POST":
        form = EndForm(initial={"last_day": timezone.localdate() + dt.timedelta(days=1)})
        return _form_page(request, form, title=gettext("提前终止"), view=view)
    form = EndForm(request.POST)

    def perform(given: Mapping[str, Any]) -> AgreementProposed:
        return propose_agreement_end(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            agreement_id=view.id,
            last_day=given["last_day"],
            reason=given["reason"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _form_page(
            request,
            form,
            title=gettext("提前终止"),
            view=view,
            refused=attempt.refused,
            status=attempt.status,
        )
    messages.success(
        request, gettext("已提出，办件 %(number)s，等待另一人复核。") % {"number": attempt.done.case_number}
    )
    return see_other("workbench:case", attempt.done.case_id)


def agreement_part(agreement_id: int) -> dict[str, Any]:
    """Return what a case about an agreement says of it."""
    return {"facts": facts_of(activity.agreement(agreement_id))}


def agreement_end_part(end_id: int) -> dict[str, Any]:
    """Return what a case about an early end says of it."""
    view = activity.agreement_end(end_id)
    return {
        "facts": [
            *facts_of(view.agreement),
            Fact(gettext("拟终止于"), view.last_day.isoformat()),
            Fact(gettext("理由"), view.reason),
        ]
    }


def facts_of(view: AgreementView) -> list[Fact]:
    """Return what an agreement says, as facts."""
    partner = organisation(view.partner_id)
    return [
        Fact(gettext("编号"), view.number, mono=True),
        Fact(gettext("数据伙伴"), worded(partner.name, partner.name_en)),
        Fact(gettext("状态"), state_mark(standing(view, timezone.localdate()))),
        Fact(gettext("有效期"), f"{view.valid_from:%Y-%m-%d} – {view.last_day:%Y-%m-%d}"),
        Fact(gettext("场景"), _scenarios(view)),
        Fact(gettext("共享的字段"), gettext("、").join(view.fields)),
        Fact(gettext("用途"), view.purpose),
        Fact(gettext("依据"), view.legal_basis),
    ]


def standing(view: AgreementView, day: dt.date) -> tuple[str, str]:
    """Return tone and words of how an agreement stands on a day."""
    state = view.state.value
    if state == "agreed":
        if view.holds_on(day):
            return "ok", gettext("有效")
        return ("pending", gettext("尚未开始")) if day < view.valid_from else ("closed", gettext("已到期"))
    return {
        "proposed": ("pending", gettext("办理中")),
        "rejected": ("refused", gettext("未签订")),
        "withdrawn": ("closed", gettext("已撤回")),
    }[state]


def _scenarios(view: AgreementView) -> str:
    names = {one.code: worded(one.name_zh, one.name_en) for one in activity.scenarios()}
    return gettext("、").join(names.get(code, code) for code in view.scenarios)


def _in_sight(actor: Actor, agreement_id: int) -> AgreementView:
    view = activity.agreement(agreement_id)
    if view.partner_id not in {one.id for one in partners_in_sight(actor)}:
        raise NotFound(what=gettext("数据共享协议"), id=agreement_id)
    return view


def _form_page(
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    view: AgreementView | None = None,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    back = reverse(
        "workbench:agreements" if view is None else "workbench:agreement", args=[view.id] if view else []
    )
    lead = (
        gettext("由一人提出、数据伙伴确认、另一人复核后生效。")
        if view is None
        else gettext(
            "由一人提出、另一人复核。最后一天以前的数据不受影响；以后的记录，要求协议的场景不再接收。"
        )
    )
    context = {
        "title": title,
        "lead": lead,
        "facts": facts_of(view) if view else [],
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("提出")},
        "back": back,
    }
    crumbs = (Crumb(gettext("数据共享协议"), reverse("workbench:agreements")), Crumb(title))
    return page(request, "workbench/form.html", context, section="agreements", crumbs=crumbs, status=status)
