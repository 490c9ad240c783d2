"""How quantities, serials, digests and dates are written (数字的写法). Pure text and markup; no rule of the scheme.

Identity section 4: grams whole, kg and t with three decimals, money with two, the unit after a space, real signs, and
number and unit in one unbroken run. Four quantities have four writers; a wrong kind is a TypeError, not a wrong label.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_DOWN, Decimal
from typing import TypeAlias

from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext

from tanpuhui.foundation.kernel.quantities import Fen, Grams, Points, Quantity, Tonnes

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"
GRAMS_PER_KG = Decimal(1000)
GRAMS_PER_TONNE = Decimal(1_000_000)
FEN_PER_YUAN = Decimal(100)
CO2E: SafeString = mark_safe("CO<sub>2</sub>e")
_ELDER_UNITS = {"g": "克", "kg": "千克", "t": "吨", "km": "公里"}
_DIGITS = "零一二三四五六七八九"

Amount: TypeAlias = Quantity | int | Decimal | str | None


def in_english() -> bool:
    """Say whether the page being written is in English."""
    return (get_language() or "zh").startswith("en")


def exact(value: Amount, *kinds: type[Quantity]) -> Decimal:
    """Return a quantity of one of these kinds, or a plain exact number, as Decimal; floats and other kinds are errors."""
    if isinstance(value, Quantity):
        if kinds and not isinstance(value, kinds):
            message = f"{type(value).__name__} is not {' or '.join(kind.__name__ for kind in kinds)}"
            raise TypeError(message)
        return Decimal(value.value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        message = f"an exact number is needed, not {type(value).__name__}"
        raise TypeError(message)
    return Decimal(value)


def plain(number: Decimal, places: int = 0) -> str:
    """Write a number with thousands separators, so many decimals (cut, never rounded up) and a real minus sign."""
    cut = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN)
    return f"{cut:,f}".replace("-", MINUS)


def number_markup(text: str, *, soft_decimals: bool = False) -> SafeString:
    """Wrap written digits in `.num`; soft decimals are set in the third ink (hero numbers)."""
    whole, point, decimals = text.partition(".")
    if soft_decimals and point:
        return format_html('<span class="num">{}<span class="dec">.{}</span></span>', whole, decimals)
    return format_html('<span class="num">{}</span>', text)


def unit_markup(unit: str, *, co2e: bool = False) -> SafeString:
    """Wrap a unit in `.unit`; in elder mode the style sheet shows the Chinese word of `data-elder` instead."""
    elder = "" if in_english() else _ELDER_UNITS.get(unit, "")
    inside = format_html("{} {}", unit, CO2E) if co2e else conditional_escape(unit)
    if elder:
        return format_html(
            '<span class="unit" data-elder="{}"><span class="u">{}</span></span>', elder, inside
        )
    return format_html('<span class="unit">{}</span>', inside)


def quantity(text: str, unit: str, style: str = "") -> SafeString | str:
    """Join number and unit. Styles: "" markup, "co2e" markup with CO2e, "bare" the number alone, "text" plain text."""
    if style == "text":
        return f"{text} {unit}"
    if style == "bare":
        return number_markup(text)
    return format_html(
        '<span class="q">{} {}</span>', number_markup(text), unit_markup(unit, co2e=style == "co2e")
    )


def unset() -> SafeString:
    """Say that a value is not set, in words at its place (identity section 2.8)."""
    return format_html('<span class="unset">{}</span>', gettext("未设值"))


def written(value: Quantity) -> tuple[str, str, bool]:
    """Return digits, unit and whether CO2e belongs to the unit, for a typed quantity."""
    if isinstance(value, Grams):
        return plain(exact(value)), "g", True
    if isinstance(value, Tonnes):
        return plain(exact(value)), "t", True
    if isinstance(value, Points):
        return plain(exact(value)), points_unit(value.value), False
    return plain(exact(value, Fen) / FEN_PER_YUAN, 2), gettext("元"), False


def points_unit(count: int) -> str:
    """Return the word for points: 分 in Chinese, point or points in English."""
    return ngettext("分", "分", count)


def serial_range(first: str, last: str = "") -> str:
    """Write a serial or a range; the last serial keeps only what differs, on a whole number group."""
    if not last or last == first:
        return first
    head, dash, first_number = first.rpartition("-")
    last_head, _, last_number = last.rpartition("-")
    tail = last_number if dash and head == last_head and first_number != last_number else last
    return f"{first} {EN_DASH} {tail}"


def short_digest(digest: str, group: int = 8) -> str:
    """Shorten a hexadecimal digest to two groups, an ellipsis and the last group."""
    if len(digest) <= group * 3:
        return " ".join(digest[i : i + group] for i in range(0, len(digest), group))
    return f"{digest[:group]} {digest[group : group * 2]} … {digest[-group:]}"


def coupon_code(digits: str) -> str:
    """Write a coupon code in fours, as a shop assistant types it."""
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def face_value(value: Fen) -> SafeString:
    """Write the face value of a ticket in yuan: whole yuan without decimals, as tickets are printed."""
    yuan = exact(value, Fen) / FEN_PER_YUAN
    return number_markup(plain(yuan, 0 if yuan == yuan.to_integral_value() else 2))


def local_day(value: dt.date | dt.datetime) -> dt.date:
    """Return the local calendar day of a date or an aware moment."""
    if isinstance(value, dt.datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return value


def day_in_sentence(value: dt.date | dt.datetime) -> str:
    """Write a day inside a sentence: 11 月 20 日, or 20 Nov."""
    day = local_day(value)
    return f"{day.day} {day:%b}" if in_english() else f"{day.month} 月 {day.day} 日"


def full_day_in_words(value: dt.date | dt.datetime) -> str:
    """Write a day with its year in words: 2026 年 10 月 28 日, or 28 October 2026."""
    day = local_day(value)
    return f"{day.day} {day:%B} {day.year}" if in_english() else f"{day.year} 年 {day.month} 月 {day.day} 日"


def moment(value: dt.datetime, *, seconds: bool = True) -> str:
    """Write a moment of a record: 2026-11-20 10:42:07, in local time."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{local:%Y-%m-%d %H:%M:%S}" if seconds else f"{local:%m-%d %H:%M}"


def chinese_numeral(number: int) -> str:
    """Write a whole number from 0 below 10^16 in Chinese numerals (一百八十六), for certificates."""
    if number < 0 or number >= 10**16:
        message = "a certificate writes whole numbers from 0 below 10^16"
        raise ValueError(message)
    text = _spelled(number) or _DIGITS[0]
    return text.removeprefix("一") if text.startswith("一十") else text


def _spelled(number: int) -> str:
    """Spell a number in groups of ten thousand; a group that begins with zeros takes one 零 before it."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(number, size)
        if high:
            gap = _DIGITS[0] if 0 < low < size // 10 else ""
            return _spelled(high) + name + gap + _spelled(low)
    text = ""
    for size, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            text += _DIGITS[digit] + name
        elif text and number and not text.endswith(_DIGITS[0]):
            text += _DIGITS[0]
    return text
