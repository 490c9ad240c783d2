"""What a list of cases can be narrowed by, as the fields of a form (筛选)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext, pgettext

from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow.queries import Criteria, Due, Held, Sort, saved_filters
from tanpuhui.interfaces.design.parts import Choice
from tanpuhui.interfaces.workbench.words import case_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """One choice of the form; the first option is everything."""

    name: str
    label: str
    options: Sequence[Choice]


def criteria_of(request: HttpRequest) -> Criteria:
    """Return the criteria in the address; `q` is the search field of the shell. Raises Invalid."""
    given = {name: str(value) for name, value in request.GET.items()}
    return Criteria.of({"text": given.get("q", ""), **given})


def page_of(request: HttpRequest) -> int:
    """Return the number of the page in the address, 1 where it names none."""
    wanted = request.GET.get("page", "")
    return max(int(wanted), 1) if wanted.isdecimal() and len(wanted) < 7 else 1


def address(home: str, criteria: Criteria, **more: object) -> str:
    """Return a page's address with the criteria, and other values that are not empty."""
    query = criteria.given() | {name: str(value) for name, value in more.items() if value}
    return f"{home}?{urlencode(query)}" if query else home


def select(name: str, label: str, everything: str, chosen: str, options: Iterable[tuple[str, str]]) -> Select:
    """Return a choice with its options; a chosen value that nothing has any more stays visible."""
    known = [("", everything), *options]
    if chosen not in {value for value, _ in known}:
        known.append((chosen, chosen))
    return Select(
        name=name,
        label=label,
        options=[Choice(value, words, selected=value == chosen) for value, words in known],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A filter that the person keeps, as a link."""

    id: int
    name: str
    url: str
    active: bool


def saved(actor: Actor, on: str, home: str, criteria: Criteria) -> list[Saved]:
    """Return the filters that the person keeps for a page, the one in use marked."""
    if actor.kind != "user":
        return []
    return [
        Saved(
            id=one.filter_id, name=one.name, url=address(home, one.criteria), active=one.criteria == criteria
        )
        for one in saved_filters(int(actor.id), on)
    ]


def processes(chosen: str, found: Iterable[str]) -> Select:
    """Return the choice of what a case is about."""
    options = sorted((process, case_kind(process)) for process in found)
    return select("process", gettext("事项"), gettext("全部事项"), chosen, options)


def areas(chosen: str, names: Iterable[tuple[str, str]]) -> Select:
    """Return the choice of an area."""
    return select("area", gettext("辖区"), gettext("全部辖区"), chosen, names)


def due(chosen: str) -> Select:
    """Return the choice of a deadline."""
    options = (
        (Due.OVERDUE.value, gettext("已经逾期")),
        (Due.TODAY.value, gettext("今天到期")),
        (Due.WEEK.value, gettext("本周到期")),
        (Due.LATER.value, gettext("下周以后")),
        (Due.UNSET.value, gettext("没有期限")),
        (Due.STOPPED.value, gettext("停止计时")),
    )
    return select("due", gettext("期限"), gettext("不限期限"), chosen, options)


def held(chosen: str) -> Select:
    """Return the choice of who has the step."""
    options = (
        (Held.ME.value, gettext("转给我的")),
        (Held.NOBODY.value, gettext("没有转给谁")),
        (Held.OTHERS.value, gettext("转给别人的")),
    )
    return select("held", gettext("承办"), gettext("不限承办"), chosen, options)


def status(chosen: str) -> Select:
    """Return the choice of running or closed cases."""
    options = (("running", gettext("办理中")), ("closed", gettext("已办结")))
    return select("status", gettext("进度"), gettext("办理中和办结"), chosen, options)


def sort(chosen: str, first: Sort) -> Select:
    """Return the choice of an order; the list's own is the first."""
    names = {
        Sort.DEADLINE: gettext("期限近的在前"),
        Sort.WAITING: gettext("等得久的在前"),
        Sort.NEWEST: gettext("新立案的在前"),
        Sort.OLDEST: gettext("立案早的在前"),
        Sort.NUMBER: gettext("按办件号"),
    }
    options = [(one.value, words) for one, words in names.items() if one != first]
    return select("sort", pgettext("list", "排序"), names[first], chosen, options)
