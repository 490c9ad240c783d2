"""Filters that write figures, and the small marks beside them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Tonnes
from tanpuhui.interfaces.design import drawing, figures

register = template.Library()
STATE_TONES = {"collect": "wait", "pending": "info", "posted": "ok", "refused": "bad"}
Shown = str | SafeString


@register.filter
def grams(value: figures.Amount, style: str = "") -> Shown:
    """`{{ value|grams }}`: whole grams. Styles of every quantity filter: "" · "co2e" · "bare" · "text"."""
    return (
        figures.unset()
        if value is None
        else figures.quantity(figures.plain(figures.exact(value, Grams)), "g", style)
    )


@register.filter
def kg(value: figures.Amount, style: str = "") -> Shown:
    """`{{ grams|kg }}`: grams written as kilograms with three decimals, which is exact."""
    if value is None:
        return figures.unset()
    return figures.quantity(figures.plain(figures.exact(value, Grams) / figures.GRAMS_PER_KG, 3), "kg", style)


@register.filter
def tonnes(value: figures.Amount, style: str = "") -> Shown:
    """`{{ value|tonnes }}`: units whole; Grams and Decimals with three decimals, cut."""
    if value is None:
        return figures.unset()
    number = figures.exact(value, Tonnes, Grams)
    if isinstance(value, Grams):
        return figures.quantity(figures.plain(number / figures.GRAMS_PER_TONNE, 3), "t", style)
    return figures.quantity(figures.plain(number, 3 if isinstance(value, Decimal) else 0), "t", style)


@register.filter
def points(value: figures.Amount, style: str = "") -> Shown:
    """`{{ value|points }}`: 1,286 分, or 1,286 points."""
    if value is None:
        return figures.unset()
    number = figures.exact(value, Points)
    return figures.quantity(figures.plain(number), figures.points_unit(int(number)), style)


@register.filter
def yuan(value: figures.Amount, style: str = "") -> Shown:
    """`{{ fen|yuan }}`: fen written as yuan with two decimals."""
    if value is None:
        return figures.unset()
    return figures.quantity(
        figures.plain(figures.exact(value, Fen) / figures.FEN_PER_YUAN, 2), gettext("元"), style
    )


@register.filter
def num(value: figures.Amount, places: int = 0) -> Shown:
    """`{{ count|num }}`: a number without unit, with separators; the argument gives its decimals."""
    return (
        figures.unset()
        if value is None
        else figures.number_markup(figures.plain(figures.exact(value), places))
    )


@register.filter
def factor(value: str | Decimal | None) -> Shown:
    """`{{ value|factor }}`: a published factor exactly as published, never padded; None says 未设值."""
    return figures.unset() if value is None else figures.number_markup(str(value).replace("-", figures.MINUS))


@register.filter
def unit(value: str) -> SafeString:
    """`{{ "kg CO2e/(人·km)"|unit }}`: a unit with a drawn middle dot and the right subscripts (CO2, CH4, N2O)."""
    text = re.sub(r"(CO|CH|N)([24])", r"\1<sub>\2</sub>", conditional_escape(value))
    text = text.replace("·", '<i class="mid"></i>')
    return format_html('<span class="unit">{}</span>', mark_safe(text))  # noqa: S308 - escaped above


@register.simple_tag
def co2e() -> SafeString:
    """`{% co2e %}`: CO2e with its subscript."""
    return figures.CO2E


@register.filter
def serial(first: str, last: str = "") -> SafeString:
    """`{{ first|serial:last }}`: a serial number, or a range that repeats only what differs."""
    return format_html('<span class="mono serial">{}</span>', figures.serial_range(first, last))


@register.filter
def hash_short(value: str, group: int = 8) -> SafeString:
    """`{{ digest|hash_short }}`: two groups, an ellipsis, the last group; the whole digest is the title."""
    return format_html('<span class="mono" title="{}">{}</span>', value, figures.short_digest(value, group))


@register.filter
def day(value: dt.date | dt.datetime | None) -> Shown:
    """`{{ date|day }}`: 2026-11-20, for records."""
    return (
        ""
        if value is None
        else format_html('<span class="num">{}</span>', f"{figures.local_day(value):%Y-%m-%d}")
    )


@register.filter
def day_in_sentence(value: dt.date | dt.datetime | None) -> str:
    """`{{ date|day_in_sentence }}`: 11 月 20 日, or 20 Nov."""
    return "" if value is None else figures.day_in_sentence(value)


@register.filter
def day_in_words(value: dt.date | dt.datetime | None) -> str:
    """`{{ date|day_in_words }}`: 2026 年 10 月 28 日, or 28 October 2026."""
    return "" if value is None else figures.full_day_in_words(value)


@register.filter
def moment(value: dt.datetime | None, style: str = "") -> Shown:
    """`{{ when|moment }}`: 2026-11-20 10:42:07; style "short": 11-20 10:42."""
    if value is None:
        return ""
    return format_html('<span class="num">{}</span>', figures.moment(value, seconds=style != "short"))


@register.filter
def tonnes_in_words(value: Tonnes | int) -> str:
    """`{{ tonnes|tonnes_in_words }}`: 一百八十六吨, or 186 tonnes."""
    number = int(value)
    if figures.in_english():
        return f"{number:,} tonne" if number == 1 else f"{number:,} tonnes"
    return f"{figures.chinese_numeral(number)}吨"


@register.simple_tag
def icon(name: str, size: int = 20, label: str = "") -> SafeString:
    """`{% icon "bus" 16 label="公交" %}`: an icon of the sprite at 16, 20 or 24; without label it is decoration."""
    kind = {16: "i i-16", 24: "i i-24"}.get(size, "i")
    address = f"{static('tanpuhui/icons.svg')}#{name}"
    speech = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="{}" viewBox="0 0 24 24" {}><use href="{}"/></svg>', kind, speech, address)


@register.simple_tag
def mark(size: int = 24, one_colour: bool = False) -> SafeString:
    """`{% mark 24 %}`: the drop of mountain, river and sea."""
    return format_html(
        '<svg class="tph-mark{}" width="{}" height="{}" viewBox="0 0 32 32" aria-hidden="true">'
        '<path class="m1" d="{}"/><path class="m2" d="{}"/></svg>',
        " tph-mark-one" if one_colour else "",
        size,
        size,
        drawing.PINE_PATH,
        drawing.SEA_PATH,
    )


@register.inclusion_tag("design/parts/wordmark.html")
def wordmark(height: int = 15) -> dict[str, Any]:
    """`{% wordmark 15 %}`: 碳普惠 as drawn; never typeset it."""
    return {"height": height, "width": round(height * 3.3)}


@register.simple_tag
def state(tone: str, word: str) -> SafeString:
    """`{% state "posted" "已入账" %}`: shape, word and colour. Tones: ok wait info bad, or a record state."""
    kind = STATE_TONES.get(tone, tone)
    return format_html('<span class="state{}">{}</span>', f" state-{kind}" if kind else "", word)


@register.inclusion_tag("design/parts/confluence.html")
def confluence() -> dict[str, Any]:
    """`{% confluence %}`: the 3 px line where ochre meets sea. Once per page at most."""
    return {}


@register.simple_tag
def sep() -> SafeString:
    """`{% sep %}`: the drawn separator dot."""
    return mark_safe('<i class="sep"></i>')
