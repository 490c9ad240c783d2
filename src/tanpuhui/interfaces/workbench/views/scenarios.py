"""Scenarios and feeds (场景与数据): how each stands and since when, and changing that by two people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import StandingProposed, propose_standing
from tanpuhui.behaviour.activity.queries import ScenarioView
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.scenario_words import (
    class_name,
    format_text,
    reach_text,
    standing_text,
    tier_text,
)
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, link, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import partners_in_sight, scenario_in_sight, scenarios_in_sight
from tanpuhui.interfaces.workbench.views.assessments import assessments_section
from tanpuhui.interfaces.workbench.words import place_names, worded
from tanpuhui.science.methodology import queries as methodology

NEXT = {"live": ("suspended", "closed"), "suspended": ("live", "closed"), "closed": ()}


class StandingForm(forms.Form):
    """A change of how a scenario stands."""

    standing = forms.ChoiceField(label=gettext_lazy("变更为"), widget=forms.RadioSelect)
    from_day = forms.DateField(
        label=gettext_lazy("从哪一天起"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("今天或以后。此前的行为照常计入，已入账的不变。"),
    )
    reason = forms.CharField(label=gettext_lazy("理由"), widget=forms.Textarea)

    def __init__(self, *args: Any, view: ScenarioView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {
            "suspended": gettext("暂停这个场景"),
            "live": gettext("恢复运行"),
            "closed": gettext("关闭这个场景（不能再恢复）"),
        }
        set_choices(self, "standing", [(one, names[one]) for one in NEXT[view.standing]])


@require_safe
def scenarios(request: HttpRequest) -> HttpResponse:
    """List every scenario with how it stands, and what each partner may send."""
    actor = who(request)
    found = scenarios_in_sight(actor, on=timezone.localdate())
    places = place_names()
    classes = activity.scenario_classes(at=timezone.now())
    opened = Section(
        title=gettext("场景"),
        columns=(
            Column(gettext("名称")),
            Column(gettext("代码"), "mono"),
            Column(gettext("类别")),
            Column(gettext("适用范围"), "soft"),
            Column(gettext("状态")),
            Column(gettext("自"), "soft"),
        ),
        rows=[
            Row(
                (
                    worded(view.name_zh, view.name_en),
                    view.code,
                    class_name(view.scenario_class, classes) or gettext("未登记"),
                    f"{reach_text(view.reach)} {places.get(view.area, view.area)}".strip(),
                    state_mark(standing_text(view.standing)),
                    on_day(view.since),
                ),
                url=reverse("workbench:scenario", args=[view.code]),
            )
            for view in found
        ],
        empty=gettext("还没有开通场景。"),
        empty_next=gettext("开通以后，伙伴才能送这个场景的数据。"),
    )
    context = {
        "title": gettext("场景与数据"),
        "ways": [Way(label=gettext("场景申请"), url=reverse("workbench:applications"))],
        "sections": [opened, feeds_section(actor, {view.code: view for view in found})],
    }
    crumbs = (Crumb(gettext("场景与数据")),)
    return page(request, "workbench/sheet.html", context, section="scenarios", crumbs=crumbs)


@require_safe
def scenario(request: HttpRequest, code: str) -> HttpResponse:
    """Show one scenario: class, methodology, feeds, and every decision on how it stands."""
    actor = who(request)
    view = scenario_in_sight(actor, code, on=timezone.localdate())
    classes = activity.scenario_classes(at=timezone.now())
    facts = [
        Fact(gettext("状态"), state_mark(standing_text(view.standing))),
        Fact(gettext("自"), on_day(view.since)),
        Fact(gettext("类别"), class_name(view.scenario_class, classes) or gettext("未登记")),
        Fact(
            gettext("适用范围"),
            f"{reach_text(view.reach)} {place_names().get(view.area, view.area)}".strip(),
        ),
        Fact(gettext("方法学"), _methodology(view)),
        Fact(gettext("上线日期"), on_day(view.opened_at)),
    ]
    ways = []
    if _may_change(actor, view):
        ways = [
            Way(
                label=gettext("变更状态"),
                url=reverse("workbench:scenario-standing", args=[code]),
                kind="line",
            )
        ]
    if actor.has(Role.MAKER, area=view.area):
        ways.append(
            Way(
                label=gettext("影响评估"),
                url=reverse("workbench:scenario-assess", args=[code]),
                kind="line",
            )
        )
        ways.append(
            Way(
                label=gettext("冲回记录"),
                url=reverse("workbench:scenario-claw-back", args=[code]),
                kind="line",
            )
        )
    context = {
        "title": worded(view.name_zh, view.name_en),
        "facts": facts,
        "ways": ways,
        "sections": [feeds_section(actor, {code: view}), assessments_section(code), _statuses(view)],
    }
    crumbs = (
        Crumb(gettext("场景与数据"), reverse("workbench:scenarios")),
        Crumb(worded(view.name_zh, view.name_en)),
    )
    return page(request, "workbench/sheet.html", context, section="scenarios", crumbs=crumbs)


@require_http_methods(["GET", "HEAD", "POST"])
def standing(request: HttpRequest, code: str) -> HttpResponse:
    """Propose a change of how a scenario stands; another person decides it."""
    view = scenario_in_sight(who(request), code, on=timezone.localdate())
    if request.method != "POST":
        form = StandingForm(view=view, initial={"from_day": timezone.localdate() + dt.timedelta(days=1)})
        return _standing_page(request, view, form)
    form = StandingForm(request.POST, view=view)

    def perform(given: Any) -> StandingProposed:
        return propose_standing(
            actor=who(request),
            at=timezone.now(),
            scenario=code,
            standing=given["standing"],
            from_day=given["from_day"],
            reason=given["reason"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _standing_page(request, view, form, refused=attempt.refused, status=attempt.status)
    messages.success(
        request, gettext("已提出，办件 %(number)s，等待另一人复核。") % {"number": attempt.done.number}
    )
    return see_other("workbench:case", attempt.done.case_id)


def feeds_section(actor: Actor, views: dict[str, ScenarioView]) -> Section:
    """Return what each partner in the actor's sight may send for these scenarios."""
    names = {view.id: worded(view.name, view.name_en) for view in partners_in_sight(actor)}
    return Section(
        title=gettext("数据接入"),
        columns=(
            Column(gettext("数据伙伴")),
            Column(gettext("场景")),
            Column(gettext("格式")),
            Column(gettext("证据等级")),
        ),
        rows=[
            Row(
                (
                    names[feed.partner_id],
                    worded(views[feed.scenario].name_zh, views[feed.scenario].name_en),
                    format_text(feed.adapter),
                    tier_text(feed.evidence_tier),
                )
            )
            for feed in activity.feeds()
            if feed.scenario in views and feed.partner_id in names
        ],
        empty=gettext("还没有数据接入。"),
        empty_next=gettext("为伙伴开通以后会出现在这里。"),
        note=gettext("只有证据等级 1 的减排量可以归集签发。"),
    )


def _statuses(view: ScenarioView) -> Section:
    return Section(
        title=gettext("状态变更"),
        columns=(
            Column(gettext("变更为")),
            Column(gettext("自"), "soft"),
            Column(gettext("理由")),
            Column(gettext("办件"), "mono"),
        ),
        rows=[
            Row(
                (
                    state_mark(standing_text(one.standing)),
                    on_day(one.from_day),
                    one.reason,
                    link(reverse("workbench:case", args=[one.case_id]), workflow.case(one.case_id).number),
                )
            )
            for one in activity.statuses(view.code)
        ],
        empty=gettext("上线以来没有变更。"),
    )


def _methodology(view: ScenarioView) -> str:
    try:
        found = methodology.filed_version(scenario=view.code, day=timezone.localdate())
    except Refusal:
        return gettext("现在没有已备案的方法学，记录不能计入")
    return f"{found.code} {found.version} {worded(found.name_zh, found.name_en)}"


def _may_change(actor: Actor, view: ScenarioView) -> bool:
    return bool(NEXT[view.standing]) and actor.has(Role.MAKER, area=view.area)


def _standing_page(
    request: HttpRequest,
    view: ScenarioView,
    form: StandingForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    name = worded(view.name_zh, view.name_en)
    context = {
        "title": gettext("变更场景状态"),
        "lead": gettext(
            "由一人提出、另一人复核。暂停或关闭期间的行为不计入，逐行报告会说明原因；此前的照常计入。"
        ),
        "facts": [
            Fact(gettext("场景"), name),
            Fact(gettext("状态"), state_mark(standing_text(view.standing))),
        ],
        "form": form if NEXT[view.standing] else None,
        "missing": gettext("已关闭的场景不能再变更。"),
        "refused": refused,
        "submit": {"verb": gettext("提出变更")},
        "back": reverse("workbench:scenario", args=[view.code]),
    }
    crumbs = (
        Crumb(gettext("场景与数据"), reverse("workbench:scenarios")),
        Crumb(name, reverse("workbench:scenario", args=[view.code])),
        Crumb(gettext("变更状态")),
    )
    return page(request, "workbench/form.html", context, section="scenarios", crumbs=crumbs, status=status)
