"""How a process runs (流程说明): its diagram, its steps and their deadlines, drawn from the rows that decide."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import CaseView
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.process_drawing import draw
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.sight import case_in_sight
from tanpuhui.interfaces.workbench.words import attachment_kind, role_name, worded


@require_safe
def process(request: HttpRequest, process: str) -> HttpResponse:
    """Explain a process: the version in force today, or the one that a case keeps, with its present step marked."""
    view = _case(request, process)
    if view is None:
        version = rulebook.process_version(process=process, at=timezone.now())
    else:
        version = rulebook.process_by_id(view.process_version_id)
    past = {line.to_state for line in workflow.timeline(view.case_id)} if view else set()
    labels = {state.code: worded(state.label_zh, state.label_en) for state in version.states}
    kinds = {state.code: "final" if state.final else "" for state in version.states}
    kinds |= dict.fromkeys(past, "past") | ({view.state: "now"} if view else {})
    name = worded(version.label_zh, version.label_en)
    context: dict[str, Any] = {
        "title": name,
        "facts": _facts(version, view),
        "drawing": draw(
            [(state.code, labels[state.code], kinds[state.code]) for state in version.states],
            [(t.source, t.target) for t in version.transitions],
        ),
        "columns": (
            Column(gettext("序号"), "num"),
            Column(gettext("从")),
            Column(gettext("决定")),
            Column(gettext("到")),
            Column(gettext("由谁"), "soft"),
            Column(gettext("期限")),
        ),
        "rows": [
            Row(
                (
                    str(number),
                    labels[t.source],
                    worded(t.label_zh, t.label_en),
                    labels[t.target],
                    role_name(t.role),
                    _deadline(t.deadline_working_days, t.deadline_basis),
                ),
                remark=_demands(version, t),
            )
            for number, t in enumerate(version.transitions, start=1)
        ],
        "view": view,
    }
    crumbs = [Crumb(pgettext("rooms", "办件"), reverse("workbench:cases"))]
    if view:
        crumbs.append(Crumb(view.number, reverse("workbench:case", args=[view.case_id])))
    return page(request, "workbench/process.html", context, section="cases", crumbs=(*crumbs, Crumb(name)))


def _case(request: HttpRequest, process: str) -> CaseView | None:
    wanted = request.GET.get("case", "")
    if not wanted.isdigit():
        return None
    view = case_in_sight(who(request), int(wanted))
    return view if view.process == process else None


def _facts(version: rulebook.ProcessVersion, view: CaseView | None) -> list[Fact]:
    facts = [
        Fact(
            gettext("版本"),
            gettext("第 %(n)s 版，%(day)s 起用于新案件")
            % {"n": version.version, "day": version.valid_from.isoformat()},
        ),
        Fact(gettext("整件期限"), _deadline(version.deadline_working_days, version.deadline_basis)),
    ]
    stops = [worded(state.label_zh, state.label_en) for state in version.states if state.clock_stops]
    if stops:
        facts.append(Fact(gettext("停表的环节"), gettext("、").join(stops)))
    facts.extend(
        Fact(
            worded(state.label_zh, state.label_en),
            gettext("公示，%(days)s") % {"days": _deadline(state.notice_working_days, state.notice_basis)},
        )
        for state in version.states
        if state.notice
    )
    if view:
        facts.append(Fact(gettext("办件"), f"{view.number}，{worded(view.state_zh, view.state_en)}"))
    return facts


def _deadline(days: int | None, basis: str) -> str:
    """Say a number of working days with its ground, or that nobody has established it."""
    if days is None:
        return gettext("未设定")
    said = ngettext("%(n)s 个工作日", "%(n)s 个工作日", days) % {"n": days}
    return gettext("%(days)s（依据：%(basis)s）") % {"days": said, "basis": basis} if basis else said


def _demands(version: rulebook.ProcessVersion, t: rulebook.Transition) -> str:
    """Say what a way demands beside role and opinion."""
    names = {one.outcome: worded(one.label_zh, one.label_en) for one in version.transitions}
    said = []
    if t.two_person:
        said.append(
            gettext("与作出“%(first)s”的不是同一人") % {"first": names.get(t.two_person, t.two_person)}
        )
    if t.independent:
        said.append(gettext("没有在原案件中作出过决定的人"))
    if t.document:
        said.append(gettext("作出后生成决定书"))
    if t.evidence:
        said.append(
            gettext("须附 %(kinds)s")
            % {"kinds": gettext("、").join(attachment_kind(kind) for kind in t.evidence)}
        )
    if t.asks:
        said.append(
            gettext("须填 %(asks)s")
            % {"asks": gettext("、").join(worded(ask.label_zh, ask.label_en) for ask in t.asks)}
        )
    if t.guards:
        said.append(
            ngettext("有 %(n)s 项条件由系统核对", "有 %(n)s 项条件由系统核对", len(t.guards))
            % {"n": len(t.guards)}
        )
    return gettext("；").join(said)
