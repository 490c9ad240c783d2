"""The register of scenarios (场景登记): what counts, of which class, how it stands, who sends which data and what for."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import ScenarioView
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.errors import NotFound, Refusal
from tanpuhui.foundation.rulebook.queries import region
from tanpuhui.interfaces.design.parts import Column, Crumb, Fact, Row
from tanpuhui.interfaces.design.scenario_words import (
    class_consequences,
    class_name,
    reach_text,
    standing_text,
    tier_text,
)
from tanpuhui.interfaces.portal.navigation import page, worded
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import FiledVersion


@require_safe
def scenarios(request: HttpRequest) -> HttpResponse:
    """List every scenario that ever went live, and the classes with what is known of them."""
    classes = activity.scenario_classes(at=timezone.now())
    rows = [
        {
            "view": view,
            "name": worded(view.name_zh, view.name_en),
            "class": class_name(view.scenario_class, classes),
            "reach": reach_text(view.reach),
            "place": _place(view.area),
            "state": standing_text(view.standing),
            "partners": _partners(view.code),
            "methodology": _methodology_name(_filed(view.code)),
        }
        for view in activity.scenarios(on=timezone.localdate())
    ]
    context = {
        "rows": rows,
        "classes": [
            {
                "name": worded(one.name_zh, one.name_en),
                "basis": one.basis,
                "notes": class_consequences(one),
            }
            for one in classes
        ],
    }
    return page(request, "portal/scenarios.html", context, section="scenarios")


@require_safe
def scenario(request: HttpRequest, code: str) -> HttpResponse:
    """Show one scenario with its data and every decision on how it stands. Raises Http404."""
    try:
        view = activity.scenario(code, on=timezone.localdate())
    except NotFound:
        raise Http404 from None
    classes = activity.scenario_classes(at=timezone.now())
    filed = _filed(code)
    context: dict[str, Any] = {
        "view": view,
        "name": worded(view.name_zh, view.name_en),
        "state": standing_text(view.standing),
        "facts": _facts(view, filed, class_name(view.scenario_class, classes)),
        "notes": [
            note for one in classes if one.code == view.scenario_class for note in class_consequences(one)
        ],
        "feeds": _feeds(code),
        "status_columns": (
            Column(gettext("状态")),
            Column(gettext("自"), "num"),
            Column(gettext("理由")),
        ),
        "status_rows": [
            Row((standing_text(one.standing)[1], f"{one.from_day:%Y-%m-%d}", one.reason))
            for one in activity.statuses(code)
        ],
    }
    crumbs = (Crumb(gettext("场景"), reverse("portal:scenarios")), Crumb(context["name"]))
    return page(request, "portal/scenario.html", context, section="scenarios", crumbs=crumbs)


def _facts(view: ScenarioView, filed: FiledVersion | None, class_words: str) -> list[Fact]:
    found = [
        Fact(gettext("类别"), class_words or gettext("未登记")),
        Fact(gettext("适用范围"), f"{reach_text(view.reach)} {_place(view.area)}".strip()),
        Fact(gettext("上线日期"), f"{timezone.localtime(view.opened_at):%Y-%m-%d}"),
        Fact(gettext("代码"), view.code, mono=True),
    ]
    if filed is None:
        found.append(Fact(gettext("方法学"), gettext("现在没有已备案的方法学，记录不能计入")))
    else:
        address = reverse("portal:methodology", args=[filed.code, filed.version])
        found.append(Fact(gettext("方法学"), _methodology_name(filed), url=address))
    return found


def _feeds(code: str) -> list[dict[str, Any]]:
    """Return who sends the records, how good the evidence is, and which columns for what."""
    declared = {one.feed_id: one for one in activity.applications_of_scenario(code)}
    found = []
    for feed in activity.feeds():
        if feed.scenario != code:
            continue
        sender = organisation(feed.partner_id)
        applied = declared.get(feed.id)
        found.append(
            {
                "partner": worded(sender.name, sender.name_en),
                "tier": tier_text(feed.evidence_tier),
                "columns": (
                    Column(gettext("列名"), "mono"),
                    Column(gettext("含义")),
                    Column(gettext("用途")),
                ),
                "rows": [Row((one.code, one.meaning, one.purpose)) for one in applied.content.fields]
                if applied
                else [],
            }
        )
    return found


def _partners(code: str) -> str:
    names = dict.fromkeys(
        worded(sender.name, sender.name_en)
        for sender in (organisation(feed.partner_id) for feed in activity.feeds() if feed.scenario == code)
    )
    return gettext("、").join(names)


def _filed(code: str) -> FiledVersion | None:
    try:
        return methodology.filed_version(scenario=code, day=timezone.localdate())
    except Refusal:
        return None


def _methodology_name(filed: FiledVersion | None) -> str:
    return f"{worded(filed.name_zh, filed.name_en)} {filed.code} {filed.version}" if filed else ""


def _place(area: str) -> str:
    try:
        found = region(area)
    except NotFound:
        return area
    return worded(found.name_zh, found.name_en)
