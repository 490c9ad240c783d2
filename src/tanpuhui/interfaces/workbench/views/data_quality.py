"""The quality of what partners send (数据质量): the last thirty days of each, and what is beyond its limit."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import DayQuality
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.interfaces.design.parts import Column, Crumb, Row
from tanpuhui.interfaces.workbench.acting import who
from tanpuhui.interfaces.workbench.navigation import page
from tanpuhui.interfaces.workbench.parts import Section, digits, state_mark
from tanpuhui.interfaces.workbench.sight import partners_in_sight
from tanpuhui.interfaces.workbench.words import worded

DAYS = 30


@require_safe
def data_quality(request: HttpRequest) -> HttpResponse:
    """Show each partner in sight, day by day of receipt, up to yesterday: today is not over."""
    last = business_day(timezone.now()) - timedelta(days=1)
    sections = [
        Section(
            title=worded(partner.name, partner.name_en),
            columns=(
                Column(gettext("收到日期")),
                Column(gettext("行数"), "num"),
                Column(gettext("接收率"), "num"),
                Column(gettext("重复率"), "num"),
                Column(gettext("拒收率"), "num"),
                Column(gettext("平均延迟 天"), "num"),
                Column(gettext("每条平均 g"), "num"),
                Column(gettext("提醒")),
            ),
            rows=[_row(one) for one in activity.day_qualities(partner.id, last_day=last, days=DAYS)],
            empty=gettext("近 30 天没有收到数据。"),
        )
        for partner in partners_in_sight(who(request))
    ]
    context = {
        "title": gettext("数据质量"),
        "lead": gettext(
            "接收率是计入、并入行程和等待结算的行占全部行的比例。数量和每条平均与前 28 天的中位数相比；限值由规则规定，没有规定的只显示。"
        ),
        "sections": sections,
    }
    return page(
        request, "workbench/sheet.html", context, section="data-quality", crumbs=(Crumb(gettext("数据质量")),)
    )


def alert_name(code: str) -> str:
    """Return in a few words what is beyond its limit."""
    words = {
        "VOLUME_LOW": gettext("数量偏少"),
        "VOLUME_HIGH": gettext("数量偏多"),
        "DUPLICATES": gettext("重复多"),
        "REJECTED": gettext("拒收多"),
        "DELAY": gettext("延迟长"),
        "DRIFT": gettext("每条平均变化大"),
    }
    return words.get(code, code)


def _row(one: DayQuality) -> Row:
    found = one.figures
    said = gettext("、").join(alert_name(code) for code in one.alerts)
    return Row(
        (
            found.day.isoformat(),
            digits(found.rows),
            _percent(found.score),
            _percent(found.duplicate_share),
            _percent(found.rejected_share),
            _tenths(found.delay),
            _tenths(found.grams_each),
            state_mark(("bad", said)) if said else state_mark(("ok", gettext("正常"))),
        )
    )


def _percent(share: Fraction | None) -> str:
    """Write a share in percent with one place, cut off: 100 % is said only where it is all."""
    return "" if share is None else f"{_tenths(share * 100)}%"


def _tenths(value: Fraction | None) -> str:
    if value is None:
        return ""
    tenths = value * 10 // 1
    return f"{tenths // 10}.{tenths % 10}"
