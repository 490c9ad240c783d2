"""Cases (办件): the search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from tanpuhui.credits.registry import queries as registry
from tanpuhui.credits.registry.queries import Serial
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.errors import Refusal
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, on_day, state_mark
from tanpuhui.interfaces.workbench.sight import cases_in_sight
from tanpuhui.interfaces.workbench.views import case_history
from tanpuhui.interfaces.workbench.words import case_kind, worded

FOUND_MAX = 50


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """List the newest cases in sight; with `q`, those that name it, or the page of the serial or certificate."""
    wanted = request.GET.get("q", "").strip()
    if wanted and (address := _address_of(wanted)):
        return redirect(address)
    found = cases_in_sight(who(request), text=wanted, limit=FOUND_MAX)
    names = {view.id: worded(view.name, view.name_en) for view in organisations()}
    section = Section(
        columns=(
            Column(gettext("办件号"), "mono"),
            Column(gettext("事项")),
            Column(gettext("名称")),
            Column(gettext("机构"), "soft"),
            Column(gettext("状态")),
            Column(gettext("立案"), "soft"),
        ),
        rows=[
            Row(
                (
                    view.number,
                    case_kind(view.process),
                    view.title,
                    names.get(view.organisation_id or 0, gettext("运营中心")),
                    state_mark((case_history.tone_of(view), worded(view.state_zh, view.state_en))),
                    on_day(view.opened_at),
                ),
                url=reverse("workbench:case", args=[view.case_id]),
            )
            for view in found
        ],
        empty=gettext("没有名称或编号含“%(text)s”的办件。") % {"text": wanted}
        if wanted
        else gettext("还没有办件。"),
        empty_next=gettext("可以只输入编号的一部分。序列号和证书编号也可以在这里查。")
        if wanted
        else gettext("提出备案或归集入项目以后，会出现在这里。"),
    )
    context = {
        "title": pgettext("rooms", "办件"),
        "lead": gettext("最近 %(n)s 件以内，新的在前。") % {"n": FOUND_MAX},
        "search": {"value": wanted, "label": gettext("办件号、名称、序列号、证书编号")},
        "sections": [section],
    }
    return page(
        request, "workbench/sheet.html", context, section="cases", crumbs=(Crumb(pgettext("rooms", "办件")),)
    )


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
