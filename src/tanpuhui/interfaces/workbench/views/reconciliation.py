"""Reconciliation with data partners (对账): the days of the last two months, their totals, and a line a record."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import Reconciliation
from tanpuhui.foundation.identity.queries import OrganisationView
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, digits, link
from tanpuhui.interfaces.workbench.sight import partners_in_sight
from tanpuhui.interfaces.workbench.words import worded

DAYS = 62


@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """List the days on which each partner in sight sent something."""
    today = business_day(timezone.now())
    sections = [
        Section(
            title=worded(partner.name, partner.name_en),
            columns=(
                Column(gettext("收到日期")),
                Column(gettext("批次"), "num"),
                Column(gettext("行数"), "num"),
                Column(gettext("计入"), "num"),
                Column(gettext("待结算"), "num"),
                Column(gettext("减排量 g"), "num"),
                Column(gettext("积分"), "num"),
                Column(gettext("逐条文件")),
            ),
            rows=[
                _row(found)
                for found in activity.reconciliations(partner_id=partner.id, last_day=today, days=DAYS)
            ],
            empty=gettext("近两个月没有收到数据。"),
        )
        for partner in partners_in_sight(who(request))
    ]
    context = {
        "title": gettext("对账"),
        "lead": gettext("按收到日期汇总。数随结算、复核和冲回更新，逐条文件写明每条记录现在的结论和克数。"),
        "sections": sections,
    }
    return page(
        request, "workbench/sheet.html", context, section="reconciliation", crumbs=(Crumb(gettext("对账")),)
    )


@require_safe
def records(request: HttpRequest, partner_id: int, day: str) -> StreamingHttpResponse:
    """Send a line for every record that a partner sent on a day."""
    partner = _in_sight(request, partner_id)
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise NotFound(what=gettext("日期"), id=day) from error
    lines = activity.reconciliation_csv(partner_id=partner.id, day=on)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="reconciliation-{partner.id}-{on}.csv"'
    return response


def _in_sight(request: HttpRequest, partner_id: int) -> OrganisationView:
    for partner in partners_in_sight(who(request)):
        if partner.id == partner_id:
            return partner
    raise NotFound(what="数据伙伴 partner", id=partner_id)


def _row(found: Reconciliation) -> Row:
    counted = found.verdicts.get("counted", 0) + found.verdicts.get("clipped", 0)
    address = reverse("workbench:reconciliation-records", args=[found.partner_id, found.day.isoformat()])
    return Row(
        (
            found.day.isoformat(),
            digits(len(found.batches)),
            digits(found.rows),
            digits(counted),
            digits(found.verdicts.get("waiting", 0)),
            digits(found.grams),
            digits(found.points),
            link(address, "CSV"),
        )
    )
