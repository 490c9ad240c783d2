"""How a counted record is written on a phone: icon, name, detail, grams and state in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView
from tanpuhui.interfaces.citizen.navigation import locale, worded
from tanpuhui.interfaces.design import figures
from tanpuhui.interfaces.design.parts import Drop, RecordRow

ICONS = frozenset({"bus", "metro", "bike", "walk", "power", "reuse", "ev"})
CLIPPED = "clipped"
SEP: SafeString = mark_safe('<i class="sep"></i>')


def icon_of(scenario: str) -> str:
    """Return the icon and the colour of a scenario, the same for ever; one without its own has the common one."""
    return scenario if scenario in ICONS else "other"


def not_counted_words(reason: str) -> str:
    """Return why a record does not count, for the person; a reason without words of its own has those of its report."""
    words = {
        "SAME_RIDE_OTHER_PARTNER": gettext("同一次出行已由另一来源报来，只计一次"),
        "EXCLUSIVE_IN_TIME": gettext("同一时间已计入另一次行为"),
        "EXCLUDED": gettext("这一天已计入另一类行为，二者只计其一"),
        "REFUSED_IN_REVIEW": gettext("数值不寻常，工作人员复核后没有计入"),
    }
    return words.get(reason) or activity.reason_said(reason, locale())


def scenario_names() -> dict[str, str]:
    """Return the name of each open scenario in the page's language, by code."""
    return {view.code: worded(view.name_zh, view.name_en) for view in activity.scenarios()}


def written_number(value: Decimal) -> str:
    """Write a measured number as it was measured, without padding zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", figures.MINUS)


def record_url(record: RecordView) -> str:
    """Return where a record explains itself."""
    return reverse("citizen:record", args=(record.posting_id, record.row))


def state_of(record: RecordView) -> tuple[str, str]:
    """Return tone and words of a record's state; a record that met its cap says so."""
    if record.verdict != CLIPPED:
        return "posted", gettext("已入账")
    if record.grams:
        return "pending", gettext("部分计入，超过上限的不计")
    return "refused", gettext("未计入，已到上限")


def detail_of(record: RecordView, *, with_day: bool = False, brief: bool = False) -> str:
    """Return line, distance and time of a record, as far as they are kept; in brief the distance alone."""
    parts: list[str | SafeString] = []
    if with_day:
        parts.append(f"{record.day:%m-%d}")
    if (line := record.traces.get("line")) and not brief:
        parts.append(line)
    distance = record.values.get("distance_km")
    if isinstance(distance, Decimal):
        parts.append(figures.quantity(written_number(distance), "km"))
    if record.started_at is not None and not brief:
        parts.append(f"{timezone.localtime(record.started_at):%H:%M}")
    return format_html_join(SEP, "{}", ((part,) for part in parts))


def record_row(
    record: RecordView, names: Mapping[str, str], *, with_day: bool = False, brief: bool = False
) -> RecordRow:
    """Return a record as a line of a statement."""
    state, words = state_of(record)
    return RecordRow(
        names.get(record.scenario, record.scenario),
        record.grams,
        state,
        words,
        detail_of(record, with_day=with_day, brief=brief),
        icon_of(record.scenario),
        record_url(record),
    )


def receipt(record: RecordView, names: Mapping[str, str]) -> Drop:
    """Return a record as a drop: a receipt of what was credited, not a prize to be collected."""
    name = names.get(record.scenario, record.scenario)
    return Drop(record.grams, icon_of(record.scenario), name, url=record_url(record))
