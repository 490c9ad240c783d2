"""What the scheme calculates with: methodology versions and their filing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import key_of, see_other, who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, link, on_day, row_act, side_by_side, state_mark
from tanpuhui.interfaces.workbench.routes import ROUTES
from tanpuhui.interfaces.workbench.words import methodology_state, purpose_of_numbers, worded
from tanpuhui.science.methodology.operations import open_life_case, propose_filing
from tanpuhui.science.methodology.queries import VersionView, library, running_life_case, version_standing


@require_safe
def methodologies(request: HttpRequest) -> HttpResponse:
    """List every version with its state; a draft can be proposed for filing."""
    actor = who(request)
    may_propose, may_open = ROUTES["propose"].allows(actor), ROUTES["methodology-life"].allows(actor)
    section = Section(
        columns=(
            Column(gettext("方法学")),
            Column(gettext("版本"), "soft"),
            Column(gettext("场景"), "mono"),
            Column(gettext("状态")),
            Column(gettext("备案号"), "mono"),
            Column(gettext("适用自"), "soft"),
            Column(gettext("用途")),
            Column(""),
        ),
        rows=[_version_row(request, view, may_propose=may_propose, may_open=may_open) for view in library()],
        empty=gettext("方法学库是空的。"),
        empty_next=gettext("用 tanpuhui 命令导入方法学目录以后，版本会作为草案出现在这里。"),
    )
    context = {
        "title": gettext("方法学库"),
        "lead": gettext("只有备案的版本才能核算。草案提出备案后，先由专家委员会评估，再由主管部门决定。"),
        "sections": [section],
    }
    crumbs = (Crumb(gettext("方法学库")),)
    return page(request, "workbench/sheet.html", context, section="methodologies", crumbs=crumbs)


@require_POST
def propose(request: HttpRequest, version_id: int) -> HttpResponse:
    """Propose a draft for filing; a refusal (unset values, wrong state) is answered as such."""
    key_of(request)
    proposed = propose_filing(actor=who(request), at=timezone.now(), version_id=version_id)
    messages.success(
        request, gettext("已提出备案，办件 %(number)s，等待专家委员会。") % {"number": proposed.number}
    )
    return see_other("workbench:case", proposed.case_id)


@require_POST
def open_life(request: HttpRequest, version_id: int) -> HttpResponse:
    """Open the case that may keep, suspend, resume or repeal a filed version."""
    opened = open_life_case(
        actor=who(request), at=timezone.now(), version_id=version_id, idempotency_key=key_of(request)
    )
    messages.success(request, gettext("已立案 %(number)s，请先写评估意见。") % {"number": opened.number})
    return see_other("workbench:case", opened.case_id)


def _version_row(request: HttpRequest, view: VersionView, *, may_propose: bool, may_open: bool) -> Row:
    act: Any = ""
    state = view.state
    if view.state == "filed":
        state = version_standing(view.id, day=timezone.localdate()) or view.state
    if view.case_id is not None and view.state != "draft":
        act = link(reverse("workbench:case", args=[view.case_id]), gettext("看办件"))
        if view.state == "filed" and may_open and state != "repealed":
            act = side_by_side(act, _life_act(request, view))
    elif view.state == "draft" and may_propose and not view.blocked_by:
        act = row_act(request, reverse("workbench:propose", args=[view.id]), gettext("提出备案"))
    cells = (
        f"{view.code} {worded(view.name_zh, view.name_en)}",
        view.version,
        view.scenario,
        state_mark(methodology_state(state)),
        view.filing_number or "",
        on_day(view.valid_from),
        purpose_of_numbers(view.purpose),
        act,
    )
    if view.blocked_by:
        blocked = gettext("没有取值，不能提出备案：%(names)s") % {"names": ", ".join(view.blocked_by)}
        return Row(cells, unset=True, remark=blocked)
    return Row(cells)


def _life_act(request: HttpRequest, view: VersionView) -> SafeString:
    """Return the way to the running case about a filed version, or the button that opens one."""
    running = running_life_case(view.id)
    if running is not None:
        return link(reverse("workbench:case", args=[running.case_id]), gettext("复审办件"))
    return row_act(request, reverse("workbench:methodology-life", args=[view.id]), gettext("复审或变更"))
