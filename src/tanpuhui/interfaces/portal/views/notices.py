"""Public notices (公示公告): the list, one notice, its documents, and a feed. Nothing here is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language, gettext, ngettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.rulebook.queries import jurisdiction, regions
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.queries import NoticeState, NoticeView
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Crumb, Tab
from tanpuhui.interfaces.design.rule_words import notice_state
from tanpuhui.interfaces.portal.navigation import page, worded

PAGE_SIZE = 20
FEED_ENTRIES = 50
SECTION = "notices"


def time_left(view: NoticeView) -> str:
    """Say how long a notice takes comments, or what became of it."""
    if view.state == NoticeState.ENDED:
        return worded(view.result, view.result_en)
    if view.state == NoticeState.WAITING:
        return gettext("期满，待结论")
    until = figures.day_in_sentence(view.last_day)
    if view.days_left == 0:
        return gettext("今天最后一天")
    left = ngettext("剩 %(n)s 个工作日", "剩 %(n)s 个工作日", view.days_left) % {"n": view.days_left}
    return gettext("%(left)s，%(day)s止") % {"left": left, "day": until}


def days_total(view: NoticeView) -> int:
    """Return how many working days a notice lasts, with its extensions."""
    return view.working_days + sum(one.working_days for one in view.extensions)


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """List notices by state, kind and area, the running ones by their last day."""
    asked = {name: request.GET.get(name, "") for name in ("state", "kind", "area")}
    if asked["state"] not in {state.value for state in NoticeState}:
        asked["state"] = ""
    now, number = timezone.now(), request.GET.get("page", "1")
    names = area_names()
    areas = (asked["area"],) if asked["area"] in names else None

    def read(offset: int) -> workflow.NoticePage:
        return workflow.notices(
            at=now,
            state=NoticeState(asked["state"]) if asked["state"] else None,
            process=asked["kind"],
            areas=areas,
            offset=offset,
            limit=PAGE_SIZE,
        )

    wanted = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    found = read((max(wanted, 1) - 1) * PAGE_SIZE)
    shown = Paginator(range(found.total), PAGE_SIZE).get_page(wanted)
    if shown.number != wanted:
        found = read((shown.number - 1) * PAGE_SIZE)
    applicants = applicants_of(found.notices)
    context: dict[str, Any] = {
        "rows": [_row(view, applicants, names) for view in found.notices],
        "page": shown,
        "filtered": any(asked.values()),
        "filters": [
            (gettext("进展"), _state_tabs(asked, found)),
            (pgettext("notice", "类别"), _tabs(asked, "kind", [(code, worded(zh, en)) for code, zh, en in workflow.notice_processes()])),
            (gettext("地区"), _tabs(asked, "area", _areas_of_notices(names))),
        ],
    }  # fmt: skip
    crumbs = (Crumb(gettext("公示公告")),)
    return page(request, "portal/notices.html", context, section=SECTION, crumbs=crumbs)


def running_notices(*, limit: int) -> dict[str, Any]:
    """Return the running notices that end first, as the first page shows them, and how many there are."""
    found = workflow.notices(at=timezone.now(), state=NoticeState.RUNNING, limit=limit)
    return {"notices": [_row(view, {}, {}) for view in found.notices], "notice_count": found.total}


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """Send the newest notices as an Atom feed (RFC 4287)."""
    place = jurisdiction()
    home = request.build_absolute_uri(reverse("portal:notices"))
    written = Atom1Feed(
        title=gettext("%(scheme)s：公示公告") % {"scheme": worded(place.scheme_zh, place.scheme_en)},
        link=home,
        description="",
        language=get_language() or "zh-hans",
        feed_url=request.build_absolute_uri(),
    )
    for view in workflow.notices(at=timezone.now(), limit=FEED_ENTRIES).notices:
        address = request.build_absolute_uri(reverse("portal:notice", args=[view.notice_id]))
        written.add_item(
            title=view.title,
            link=address,
            unique_id=address,
            description=f"{worded(view.process_zh, view.process_en)}: {time_left(view)}",
            pubdate=view.opened_at,
            updateddate=view.closed_at or view.opened_at,
        )
    response = HttpResponse(written.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


def _row(view: NoticeView, applicants: Mapping[int, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "view": view,
        "kind": worded(view.process_zh, view.process_en),
        "applicant": applicants.get(view.organisation_id or 0, ""),
        "place": names.get(view.area, view.area),
        "state": notice_state(view.state),
        "left": time_left(view),
        "days_total": days_total(view),
        "used": days_total(view) - view.days_left,
    }


def organisation_names(ids: set[int | None]) -> dict[int, str]:
    """Return the names of organisations; no query where none is asked for."""
    if not ids:
        return {}
    return {view.id: worded(view.name, view.name_en) for view in organisations() if view.id in ids}


def applicants_of(views: Sequence[NoticeView]) -> dict[int, str]:
    return organisation_names({view.organisation_id for view in views} - {None})


def area_names() -> dict[str, str]:
    """Return the names of province and cities by code."""
    found = [*regions(level="province"), *regions(level="city")]
    return {region.code: worded(region.name_zh, region.name_en) for region in found}


def _areas_of_notices(names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the cities of which there was a notice; the province's own stand under all."""
    cities = dict.fromkeys(f"{area[:4]}00" for area in workflow.notice_areas() if not area.endswith("0000"))
    return [(code, names[code]) for code in cities if code in names]


def _state_tabs(asked: Mapping[str, str], found: workflow.NoticePage) -> list[Tab]:
    tabs = [
        Tab(gettext("全部"), _address(asked, state=""), sum(found.counts.values()), active=not asked["state"])
    ]
    tabs.extend(
        Tab(
            notice_state(state)[1],
            _address(asked, state=state.value),
            count,
            active=asked["state"] == state.value,
        )
        for state, count in found.counts.items()
    )
    return tabs


def _tabs(asked: Mapping[str, str], name: str, values: Sequence[tuple[str, str]]) -> list[Tab]:
    tabs = [Tab(gettext("全部"), _address(asked, **{name: ""}), active=not asked[name])]
    tabs.extend(
        Tab(label, _address(asked, **{name: value}), active=asked[name] == value) for value, label in values
    )
    return tabs


def _address(asked: Mapping[str, str], **change: str) -> str:
    query = {name: value for name, value in {**asked, **change}.items() if value}
    return reverse("portal:notices") + (f"?{urlencode(query)}" if query else "")
