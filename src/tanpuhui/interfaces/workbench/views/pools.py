"""Pools (归集): a month of a scenario becomes whole tonnes, and the tonnes become a project's monitoring report."""

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

from tanpuhui.behaviour.activity.queries import scenarios
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import MonthPooled, pool_month
from tanpuhui.behaviour.carbon_accounts.queries import PoolView
from tanpuhui.credits.projects.queries import project_of_scenario, reports
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow.queries import cases_of
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import Attempt, key_of, see_other, set_choices, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, Way, digits, link, on_day
from tanpuhui.interfaces.workbench.sight import check_scenario, scenarios_in_sight
from tanpuhui.interfaces.workbench.words import purpose_of_numbers, worded
from tanpuhui.journeys import PoolSwept, sweep_pool


class PoolForm(forms.Form):
    """Which month of which scenario, and why now where no rule says how long to wait."""

    scenario = forms.ChoiceField(label=gettext_lazy("场景"))
    month = forms.CharField(
        label=gettext_lazy("月份"), max_length=7, widget=forms.TextInput(attrs={"type": "month"}),
        help_text=gettext_lazy("写作 2026-11。此前各月迟到的记录一并归集。"),
    )  # fmt: skip
    decided_because = forms.CharField(
        label=gettext_lazy("现在归集的理由"), required=False, max_length=500, widget=forms.Textarea,
        help_text=gettext_lazy("规则写明等待天数时不用填；没有写明时由您说明理由，理由和归集一起留存。"),
    )  # fmt: skip

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(view.code, worded(view.name_zh, view.name_en)) for view in scenarios_in_sight(actor)]
        set_choices(self, "scenario", choices)


class SweepForm(forms.Form):
    """Who verifies the monitoring report."""

    verifier_id = forms.TypedChoiceField(label=gettext_lazy("核查机构"), coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(view.id), worded(view.name, view.name_en)) for view in organisations(kind="verifier")]
        set_choices(self, "verifier_id", choices)


@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    """List the pools; each row is its equation."""
    actor = who(request)
    names = {view.code: worded(view.name_zh, view.name_en) for view in scenarios_in_sight(actor)}
    swept = {view.pool_id: view.report_id for view in reports()}
    maker = Role.MAKER in actor.roles
    section = Section(
        columns=(
            Column(gettext("场景")),
            Column(gettext("月份"), "soft"),
            Column(gettext("归集 g"), "num"),
            Column(gettext("＋ 结入 g"), "num"),
            Column(gettext("＝ 整吨 t"), "num"),
            Column(gettext("× 10⁶ ＋ 结转 g"), "num"),
            Column(gettext("归集日"), "soft"),
            Column(gettext("监测报告")),
        ),
        rows=[_row(view, names, swept, maker=maker) for view in accounts.pools() if view.scenario in names],
        empty=gettext("还没有归集。"),
        empty_next=gettext("一个月结束、等待天数过去以后，可以归集它的减排量；取整到吨，余数结转到下一次。"),
    )
    context = {
        "title": gettext("归集"),
        "lead": gettext(
            "归集 g ＋ 结入 g ＝ 整吨 t × 10⁶ ＋ 结转 g，逐行成立。归集过的减排量不能再用于个人。"
        ),
        "ways": [Way(label=gettext("归集一个月"), url=reverse("workbench:pool-month"), kind="main")]
        if maker
        else [],
        "sections": [section],
    }
    return page(request, "workbench/sheet.html", context, section="pools", crumbs=(Crumb(gettext("归集")),))


@require_http_methods(["GET", "HEAD", "POST"])
def pool(request: HttpRequest) -> HttpResponse:
    """Pool a month of a scenario."""
    actor = who(request)
    if request.method != "POST":
        return _pool_page(request, PoolForm(actor=actor, initial={"month": str(_month_before())}))
    form = PoolForm(request.POST, actor=actor)

    def perform(given: Mapping[str, Any]) -> MonthPooled:
        return pool_month(
            actor=actor,
            at=timezone.now(),
            idempotency_key=key_of(request),
            scenario=given["scenario"],
            month=given["month"].strip(),
            decided_because=given["decided_because"],
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _pool_page(request, form, refused=attempt.refused, status=attempt.status)
    done = attempt.done
    said = gettext("已归集 %(month)s：%(tonnes)s t，结转 %(remainder)s g 到下一次。") % {
        "month": done.month,
        "tonnes": digits(done.tonnes),
        "remainder": digits(done.remainder),
    }
    messages.success(request, said)
    return see_other("workbench:pools")


@require_http_methods(["GET", "HEAD", "POST"])
def sweep(request: HttpRequest, pool_id: int) -> HttpResponse:
    """Make a pool the monitoring report of the project that takes its scenario."""
    actor = who(request)
    view = accounts.pool(pool_id)
    check_scenario(actor, view.scenario, what="归集 pool", id=pool_id)
    if request.method != "POST":
        return _sweep_page(request, view, SweepForm())
    form = SweepForm(request.POST)
    target = project_of_scenario(scenario=view.scenario)

    def perform(given: Mapping[str, Any]) -> PoolSwept:
        return sweep_pool(
            actor=actor,
            at=timezone.now(),
            pool_id=pool_id,
            project_id=target.project_id if target else 0,
            verifier_id=given["verifier_id"],
            idempotency_key=key_of(request),
        )

    attempt = Attempt(form, perform)
    if attempt.done is None:
        return _sweep_page(request, view, form, refused=attempt.refused, status=attempt.status)
    said = gettext("监测报告已建立，办件 %(number)s，等待业主提交。") % {"number": attempt.done.case_number}
    messages.success(request, said)
    return see_other("workbench:case", attempt.done.case_id)


def _row(view: PoolView, names: Mapping[str, str], swept: Mapping[int, int], *, maker: bool) -> Row:
    if view.id in swept:
        case = next(iter(cases_of("monitoring_report", str(swept[view.id]))), None)
        report: Any = link(reverse("workbench:case", args=[case.case_id]), case.number) if case else ""
    elif view.tonnes > Tonnes(0) and maker:
        report = link(reverse("workbench:sweep", args=[view.id]), gettext("归集入项目"))
    else:
        report = gettext("不足 1 t，全部结转") if view.tonnes == Tonnes(0) else gettext("还没有")
    purpose = purpose_of_numbers(view.purpose)
    name = names.get(view.scenario, view.scenario)
    cells = (
        f"{name}（{purpose}）" if purpose else name,
        view.month,
        digits(view.grams),
        digits(view.carried_in),
        digits(view.tonnes),
        digits(view.remainder),
        on_day(view.pooled_at),
        report,
    )
    because = gettext("规则没有写明等待天数") if view.decided_because else ""
    return Row(cells, remark_by=because, remark=_remark(view))


def _remark(view: PoolView) -> str:
    """Say why a person decided to pool, and what of the grams is the difference of a recalculation."""
    adjusted = gettext("其中方法学重算的差额 %(g)s g。") % {"g": digits(view.adjusted)}
    return " ".join(part for part in (view.decided_because, adjusted if view.adjusted else "") if part)


def _month_before() -> Month:
    today = timezone.localdate()
    return Month(today.year - 1, 12) if today.month == 1 else Month(today.year, today.month - 1)


def _pool_page(
    request: HttpRequest, form: PoolForm, *, refused: Refusal | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": gettext("归集一个月"),
        "lead": gettext(
            "归集把这个场景到月末为止、还没有归集、证据等级足够的减排量取整到吨，余数结转。归集后不能撤回。"
        ),
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("归集这个月")},
        "back": reverse("workbench:pools"),
    }
    crumbs = (Crumb(gettext("归集"), reverse("workbench:pools")), Crumb(gettext("归集一个月")))
    return page(request, "workbench/form.html", context, section="pools", crumbs=crumbs, status=status)


def _sweep_page(
    request: HttpRequest,
    view: PoolView,
    form: SweepForm,
    *,
    refused: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    target = project_of_scenario(scenario=view.scenario)
    context: dict[str, Any] = {
        "title": gettext("归集入项目"),
        "equation": view,
        "form": form,
        "refused": refused,
        "submit": {"verb": gettext("建立监测报告"), "amount": view.tonnes},
        "back": reverse("workbench:pools"),
    }
    if target is None:
        context |= {
            "form": None,
            "missing": gettext("这个场景还没有登记项目，不能建立监测报告。请先登记项目，池会保留。"),
        }
    else:
        context["lead"] = gettext("进入项目 %(code)s %(name)s，由业主提交、核查机构核查。") % {
            "code": target.code,
            "name": worded(target.name_zh, target.name_en),
        }
    names = {scenario.code: worded(scenario.name_zh, scenario.name_en) for scenario in scenarios()}
    crumbs = (
        Crumb(gettext("归集"), reverse("workbench:pools")),
        Crumb(f"{names.get(view.scenario, view.scenario)} {view.month}"),
    )
    return page(request, "workbench/form.html", context, section="pools", crumbs=crumbs, status=status)
