"""Projects, their monitoring reports, and the registry as who runs the scheme reads it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.credits.projects import queries as library
from tanpuhui.credits.projects.queries import ReportView
from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import IssuanceView
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow.queries import cases_of
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import BalancePart, Column, Crumb, Fact, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, digits, link, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import holders_in_sight, may_see_project, project_in_sight
from tanpuhui.interfaces.workbench.views.case_history import tone_of
from tanpuhui.interfaces.workbench.words import movement_state, place_names, worded

KIND_OF_STATE = {"held": "held", "in_transit": "transit", "retired": "retired"}


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """List the projects of the actor's area or organisation."""
    actor = who(request)
    names = {view.id: worded(view.name, view.name_en) for view in organisations(kind="owner")}
    places = place_names()
    issued = _issued_by_project()
    section = Section(
        columns=(
            Column(gettext("编号"), "mono"),
            Column(gettext("项目")),
            Column(gettext("业主"), "soft"),
            Column(gettext("所在地"), "soft"),
            Column(gettext("场景"), "mono"),
            Column(gettext("已签发 t"), "num"),
            Column(gettext("登记"), "soft"),
        ),
        rows=[
            Row(
                (
                    view.code,
                    worded(view.name_zh, view.name_en),
                    names.get(view.owner_id, ""),
                    places.get(view.area, view.area),
                    view.scenario,
                    digits(issued.get(view.project_id, Tonnes(0))),
                    on_day(view.registered_at),
                ),
                url=reverse("workbench:project", args=[view.project_id]),
            )
            for view in library.projects()
            if may_see_project(actor, view)
        ],
        empty=gettext("还没有项目。"),
        empty_next=gettext("运营中心登记以后会出现在这里；一个场景只进入一个项目，不会重复计算。"),
    )
    context = {"title": pgettext("rooms", "项目"), "sections": [section]}
    return page(
        request,
        "workbench/sheet.html",
        context,
        section="projects",
        crumbs=(Crumb(pgettext("rooms", "项目")),),
    )


@require_safe
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """Show a project with its monitoring reports and what was issued."""
    view = project_in_sight(who(request), project_id)
    owner = next((one for one in organisations(kind="owner") if one.id == view.owner_id), None)
    issued = [one for one in registry.issuances() if one.project_id == project_id]
    reports = Section(
        title=gettext("监测报告"),
        columns=(
            Column(gettext("监测期"), "soft"),
            Column(gettext("监测期内 g"), "num"),
            Column(gettext("＝ 整吨 t"), "num"),
            Column(gettext("× 10⁶ ＋ 结转 g"), "num"),
            Column(gettext("核查 t"), "num"),
            Column(gettext("办件"), "mono"),
            Column(gettext("状态")),
        ),
        rows=[_report_row(one) for one in library.reports(project_id=project_id)],
        empty=gettext("还没有监测报告。"),
        empty_next=gettext("归集池进入项目以后，报告会出现在这里，等待业主提交。"),
    )
    context: dict[str, Any] = {
        "title": worded(view.name_zh, view.name_en),
        "facts": [
            Fact(gettext("编号"), view.code, mono=True),
            Fact(gettext("业主"), worded(owner.name, owner.name_en) if owner else ""),
            Fact(gettext("所在地"), place_names().get(view.area, view.area)),
            Fact(gettext("场景"), view.scenario, mono=True),
            Fact(gettext("登记"), f"{figures.local_day(view.registered_at):%Y-%m-%d}"),
        ],
        "sections": [reports, _issuance_section(issued)],
    }
    crumbs = (Crumb(pgettext("rooms", "项目"), reverse("workbench:projects")), Crumb(view.code))
    return page(request, "workbench/sheet.html", context, section="projects", crumbs=crumbs)


@require_safe
def issuances(request: HttpRequest) -> HttpResponse:
    """Show the registry: what was issued and what has become of it, and who holds units."""
    issued = list(registry.issuances())
    names = {view.id: worded(view.name, view.name_en) for view in organisations()}
    holders = Section(
        title=gettext("持有账户"),
        columns=(Column(gettext("账户"), "mono"), Column(gettext("机构"))),
        rows=[
            Row(
                (view.number, names.get(view.organisation_id, "")),
                url=reverse("workbench:holding", args=[view.organisation_id]),
            )
            for view in holders_in_sight(who(request))
        ],
        empty=gettext("还没有持有账户。"),
        empty_next=gettext("运营中心为业主和购买方开户以后会出现在这里。"),
    )
    context = {
        "title": gettext("登记簿"),
        "balance": {
            "total": Tonnes.total(view.quantity for view in issued),
            "parts": [
                BalancePart(
                    movement_state(state)[1], Tonnes.total(view.by_state[state] for view in issued), kind
                )
                for state, kind in KIND_OF_STATE.items()
            ],
            "label": gettext("已签发"),
        }
        if issued
        else None,
        "sections": [_issuance_section(issued), holders],
    }
    return page(
        request, "workbench/sheet.html", context, section="issuances", crumbs=(Crumb(gettext("登记簿")),)
    )


def _issuance_section(issued: list[IssuanceView]) -> Section:
    return Section(
        title=gettext("签发批次"),
        columns=(
            Column(gettext("序列号"), "mono"),
            Column(gettext("减排年份"), "soft"),
            Column(gettext("签发 t"), "num"),
            Column(gettext("持有 t"), "num"),
            Column(gettext("在途 t"), "num"),
            Column(gettext("已消纳 t"), "num"),
            Column(gettext("签发日"), "soft"),
        ),
        rows=[
            Row(
                (
                    view.serial,
                    str(view.vintage),
                    digits(view.quantity),
                    *(digits(view.by_state[state]) for state in KIND_OF_STATE),
                    on_day(view.issued_at),
                ),
                url=reverse("portal:issuance", args=[view.issuance_id]),
            )
            for view in issued
        ],
        empty=gettext("还没有签发。"),
        empty_next=gettext("复核岗签发以后，序列号会出现在这里。"),
    )


def _report_row(view: ReportView) -> Row:
    case = next(iter(cases_of("monitoring_report", str(view.report_id))), None)
    return Row(
        (
            f"{view.first_day:%Y-%m-%d} {figures.EN_DASH} {view.last_day:%Y-%m-%d}",
            digits(view.grams),
            digits(view.tonnes),
            digits(view.remainder),
            digits(view.verified_tonnes) if view.verified_tonnes is not None else gettext("还没有"),
            link(reverse("workbench:case", args=[case.case_id]), case.number) if case else "",
            state_mark((tone_of(case), worded(case.state_zh, case.state_en))) if case else "",
        )
    )


def _issued_by_project() -> dict[int, Tonnes]:
    found: dict[int, Tonnes] = {}
    for view in registry.issuances():
        found[view.project_id] = found.get(view.project_id, Tonnes(0)) + view.quantity
    return found
