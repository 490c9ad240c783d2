"""Impact assessments of a scenario (个人信息保护影响评估): what stands on its page, submitting one, and what its case says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import AssessmentProposed, propose_assessment
from tanpuhui.behaviour.activity.queries import AssessmentView
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, link, state_mark
from tanpuhui.interfaces.workbench.sight import scenario_in_sight
from tanpuhui.interfaces.workbench.words import worded


class AssessmentForm(forms.Form):
    """The three points that the law asks for, and the day of the assessment."""

    necessity = forms.CharField(
        label=gettext_lazy("目的和方式是否合法、正当、必要"), max_length=2_000, widget=forms.Textarea
    )
    impact = forms.CharField(
        label=gettext_lazy("对个人权益的影响和安全风险"), max_length=2_000, widget=forms.Textarea
    )
    measures = forms.CharField(
        label=gettext_lazy("保护措施是否合法、有效，与风险相适应"), max_length=2_000, widget=forms.Textarea
    )
    assessed_on = forms.DateField(
        label=gettext_lazy("评估日期"), widget=forms.DateInput(attrs={"type": "date"})
    )


def assessments_section(scenario: str) -> Section:
    """Return the assessments of a scenario; where there is none, the page says that one is due."""
    return Section(
        title=gettext("个人信息保护影响评估"),
        columns=(
            Column(gettext("评估日期")),
            Column(gettext("至少保存到"), "soft"),
            Column(gettext("状态")),
            Column(gettext("办件")),
        ),
        rows=[
            Row(
                (
                    one.assessed_on.isoformat(),
                    one.kept_until.isoformat(),
                    state_mark(_state(one)),
                    link(reverse("workbench:case", args=[one.case_id]), gettext("查看")),
                )
            )
            for one in activity.assessments(scenario)
        ],
        empty=gettext("还没有影响评估。"),
        empty_next=gettext("处理敏感个人信息、向他人提供个人信息以前应当评估（个人信息保护法第五十五条）。"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def assess(request: HttpRequest, code: str) -> HttpResponse:
    """Submit an assessment of a scenario; another person decides."""
    actor = who(request)
    view = scenario_in_sight(actor, code, on=timezone.localdate())
    form = (
        AssessmentForm(request.POST)
        if request.method == "POST"
        else AssessmentForm(initial={"assessed_on": timezone.localdate()})
    )

    def perform(given: Mapping[str, Any]) -> AssessmentProposed:
        return propose_assessment(
            actor=actor, at=timezone.now(), idempotency_key=key_of(request), scenario=code, **given
        )

    attempt = Attempt(form, perform) if request.method == "POST" else None
    if attempt is not None and attempt.done is not None:
        messages.success(
            request,
            gettext("已提交，办件 %(number)s，等待另一人复核。评估报告请作为材料附在办件里。")
            % {"number": attempt.done.case_number},
        )
        return see_other("workbench:case", attempt.done.case_id)
    name = worded(view.name_zh, view.name_en)
    context = {
        "title": gettext("个人信息保护影响评估"),
        "lead": gettext(
            "由一人提交、另一人复核。评估报告和处理记录至少保存三年（个人信息保护法第五十六条）。"
        ),
        "facts": [Fact(gettext("场景"), name)],
        "form": form,
        "refused": attempt.refused if attempt is not None else None,
        "submit": {"verb": gettext("提交评估")},
        "back": reverse("workbench:scenario", args=[code]),
    }
    crumbs = (
        Crumb(gettext("场景与数据"), reverse("workbench:scenarios")),
        Crumb(name, reverse("workbench:scenario", args=[code])),
        Crumb(gettext("影响评估")),
    )
    status = attempt.status if attempt is not None else 200
    return page(request, "workbench/form.html", context, section="scenarios", crumbs=crumbs, status=status)


def assessment_part(assessment_id: int) -> dict[str, Any]:
    """Return what a case about an assessment says of it."""
    view = activity.assessment(assessment_id)
    scenario = activity.scenario(view.scenario, on=timezone.localdate())
    return {
        "facts": [
            Fact(gettext("场景"), worded(scenario.name_zh, scenario.name_en)),
            Fact(gettext("评估日期"), view.assessed_on.isoformat()),
            Fact(gettext("至少保存到"), view.kept_until.isoformat()),
            Fact(gettext("目的和方式是否合法、正当、必要"), view.necessity),
            Fact(gettext("对个人权益的影响和安全风险"), view.impact),
            Fact(gettext("保护措施是否合法、有效，与风险相适应"), view.measures),
        ]
    }


def _state(view: AssessmentView) -> tuple[str, str]:
    return {
        "proposed": ("pending", gettext("办理中")),
        "approved": ("ok", gettext("通过")),
        "rejected": ("refused", gettext("不通过")),
        "withdrawn": ("closed", gettext("已撤回")),
    }[view.state.value]
