"""The cases in sight (办件): newest first or by a search, narrowed by what, where, how far and by when."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import Serial
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.foundation.kernel.words import marked_spans
from tanpuhui.foundation.rulebook.queries import process_names, regions
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import CasesFound, CaseView, Criteria, Sort
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench import filters
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Pages, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import scope_of
from tanpuhui.interfaces.workbench.views import case_history
from tanpuhui.interfaces.workbench.words import case_kind, names_of_organisations, names_of_places, worded

PER_PAGE = 50


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """List the cases in sight; a search that is a serial or a certificate's number leads to its page."""
    criteria, number = filters.criteria_of(request), filters.page_of(request)
    if criteria.text and (address := _address_of(criteria.text)):
        return redirect(address)
    actor = who(request)
    found = workflow.find_cases(
        scope=scope_of(actor),
        actor=actor,
        at=timezone.now(),
        criteria=criteria,
        offset=(number - 1) * PER_PAGE,
        limit=PER_PAGE,
    )
    home = reverse("workbench:cases")
    context: dict[str, Any] = {
        "columns": _columns(),
        "rows": _rows(found.cases, criteria.text),
        "found": found,
        "criteria": criteria,
        "selects": _selects(criteria),
        "process_select": True,
        "narrowed": criteria != Criteria(sort=criteria.sort),
        "home": home,
        "given": criteria.given(),
        "saved": filters.saved(actor, "cases", home, criteria),
        "export_url": filters.address(reverse("workbench:export-cases"), criteria),
        "pages": _pages(found, number, home, criteria),
    }
    crumbs = (Crumb(pgettext("rooms", "办件")),)
    return page(request, "workbench/cases.html", context, section="cases", crumbs=crumbs)


def _columns() -> tuple[Column, ...]:
    return (
        Column(gettext("办件号"), "mono"),
        Column(gettext("名称")),
        Column(gettext("事项"), "soft"),
        Column(gettext("机构"), "soft"),
        Column(gettext("辖区"), "soft"),
        Column(gettext("状态")),
        Column(gettext("立案"), "soft"),
    )


def _rows(views: tuple[CaseView, ...], text: str) -> list[Row]:
    """Return cases as rows; what the text asked for is marked where it stands."""
    names = names_of_organisations(view.organisation_id for view in views)
    places = names_of_places([view.area for view in views])
    return [
        Row(
            (
                marked(view.number, text),
                marked(view.title, text),
                case_kind(view.process),
                marked(names.get(view.organisation_id or 0, gettext("运营中心")), text),
                places.get(view.area, view.area),
                state_mark((case_history.tone_of(view), worded(view.state_zh, view.state_en))),
                on_day(view.opened_at),
            ),
            url=reverse("workbench:case", args=[view.case_id]),
        )
        for view in views
    ]


def marked(text: str, query: str) -> SafeString:
    """Return a text in which what was searched for is marked."""
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", piece) if hit else piece,)
            for piece, hit in marked_spans(text, query)
        ),
    )


def _selects(criteria: Criteria) -> list[filters.Select]:
    cities = [(view.code, worded(view.name_zh, view.name_en)) for view in regions(level="city")]
    return [
        filters.processes(criteria.process, process_names()),
        filters.areas(criteria.area, cities),
        filters.status(criteria.status),
        filters.due(criteria.due),
        filters.sort(criteria.sort, Sort.NEWEST),
    ]


def _pages(found: CasesFound, number: int, home: str, criteria: Criteria) -> Pages:
    def address(wanted: int) -> str:
        return filters.address(home, criteria, page=wanted)

    if found.matches is not None:
        return Pages.of(number, found.matches, per_page=PER_PAGE, address=address)
    return Pages.on(number, more=found.more, address=address)


def _address_of(wanted: str) -> str:
    """Return the public page of a serial or a certificate, or nothing."""
    try:
        return reverse("portal:serial", args=[str(Serial.parse(wanted))])
    except Refusal:
        pass
    try:
        return reverse("portal:certificate", args=[registry.certificate(number=wanted).number])
    except Refusal:
        return ""
