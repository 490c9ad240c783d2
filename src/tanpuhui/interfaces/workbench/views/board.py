"""The deadline board (时限看板): what is open, due and late by process and city, and how long each step takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook.queries import process_names, regions
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import Board, BoardLine, Criteria
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench import filters
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import link
from tanpuhui.interfaces.workbench.sight import areas_of
from tanpuhui.interfaces.workbench.words import case_kind, names_of_places, worded

Group = tuple[str, list[BoardLine]]


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Show the board of the areas that the actor runs or watches; every number leads to its cases."""
    actor = who(request)
    criteria = filters.criteria_of(request)
    chosen = Criteria(process=criteria.process, area=criteria.area)
    found = workflow.board(areas=areas_of(actor), at=timezone.now(), process=chosen.process, area=chosen.area)
    cities = [(view.code, worded(view.name_zh, view.name_en)) for view in regions(level="city")]
    places = names_of_places([line.city.ljust(6, "0") for line in found.lines])
    by_process = _grouped(found.lines, lambda line: line.process)
    by_city = _grouped(found.lines, lambda line: line.city.ljust(6, "0"))
    context: dict[str, Any] = {
        "criteria": chosen,
        "selects": [
            filters.processes(chosen.process, process_names()),
            filters.areas(chosen.area, cities),
        ],
        "process_select": True,
        "narrowed": chosen != Criteria(),
        "home": reverse("workbench:board"),
        "sums": _sums(found, chosen),
        "columns": _columns(gettext("事项")),
        "city_columns": _columns(gettext("辖区")),
        "processes": [
            _row(case_kind(name), lines, Criteria(process=name, area=chosen.area))
            for name, lines in by_process
        ],
        "cities": [
            _row(places.get(code, code), lines, Criteria(process=chosen.process, area=code))
            for code, lines in by_city
        ],
        "step_columns": (
            Column(gettext("事项")),
            Column(gettext("环节")),
            Column(gettext("办理次数"), "num"),
            Column(gettext("中位工作日"), "num"),
            Column(gettext("九成不超过"), "num"),
        ),
        "steps": _steps(found),
        "step_days": workflow.STEP_DAYS,
        "unmeasured": found.unmeasured,
    }
    crumbs = (Crumb(gettext("时限看板")),)
    return page(request, "workbench/board.html", context, section="board", crumbs=crumbs)


def _grouped(lines: Iterable[BoardLine], key: Callable[[BoardLine], str]) -> list[Group]:
    groups: dict[str, list[BoardLine]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return sorted(groups.items())


def _columns(first: str) -> tuple[Column, ...]:
    return (
        Column(first),
        Column(gettext("办理中"), "num"),
        Column(gettext("本周到期"), "num"),
        Column(gettext("已经逾期"), "num"),
        Column(gettext("停止计时"), "num"),
        Column(gettext("最早立案"), "num"),
    )


def _row(name: str, lines: list[BoardLine], criteria: Criteria) -> Row:
    oldest = (business_day(timezone.now()) - min(business_day(line.oldest_opened_at) for line in lines)).days
    days = ngettext("%(n)s 天前", "%(n)s 天前", oldest) % {"n": oldest}
    return Row(
        (
            name,
            _cases(sum(line.running for line in lines), criteria),
            _cases(sum(line.due_this_week for line in lines), criteria, due="week"),
            _cases(sum(line.overdue for line in lines), criteria, due="overdue"),
            _cases(sum(line.stopped for line in lines), criteria, due="stopped"),
            link(_address(criteria, sort="oldest"), days),
        )
    )


def _cases(count: int, criteria: Criteria, *, due: str = "") -> str | SafeString:
    """Return a number that leads to just those cases; nothing leads nowhere."""
    return link(_address(criteria, due=due), f"{count:,}") if count else "0"


def _address(criteria: Criteria, *, due: str = "", sort: str = "") -> str:
    narrowed = Criteria(process=criteria.process, area=criteria.area, status="running", due=due, sort=sort)
    return filters.address(reverse("workbench:cases"), narrowed)


def _sums(found: Board, criteria: Criteria) -> dict[str, tuple[int, str]]:
    """Return the numbers of the sentence above the board, each with the list that it counts."""
    counts: dict[str, Callable[[BoardLine], int]] = {
        "": lambda line: line.running,
        "week": lambda line: line.due_this_week,
        "overdue": lambda line: line.overdue,
        "stopped": lambda line: line.stopped,
    }
    return {
        due or "running": (sum(count(line) for line in found.lines), _address(criteria, due=due))
        for due, count in counts.items()
    }


def _steps(found: Board) -> list[Row]:
    labels: Mapping[tuple[str, str], tuple[str, str]] = workflow.state_labels(
        {(step.process, step.state) for step in found.steps}
    )
    return [
        Row(
            (
                case_kind(step.process),
                worded(*labels[step.process, step.state]),
                f"{step.taken:,}",
                str(step.median_days),
                str(step.p90_days),
            )
        )
        for step in found.steps
    ]
