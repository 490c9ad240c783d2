"""Tags that draw a number: hero numbers, gauges, bars, maps, proofs, codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from tanpuhui.foundation.kernel.quantities import Grams, Quantity, Tonnes
from tanpuhui.interfaces.design import drawing, figures, scales

register = template.Library()
Shown = str | SafeString


@register.inclusion_tag("design/parts/big_number.html")
def big_number(
    value: Quantity | str, caption: str = "", note: Shown = "", unit: str = "", as_unit: str = ""
) -> dict[str, Any]:
    """`{% big_number value "本月减排" note %}`: the hero of a screen. A quantity brings its unit; `as_unit` is kg or t for Grams.

    A text value takes `unit`. Decimals are set in the third ink, never smaller.
    """
    digits, written_unit, carbon = (str(value), unit, False)
    if isinstance(value, Grams) and as_unit in {"kg", "t"}:
        divisor = figures.GRAMS_PER_KG if as_unit == "kg" else figures.GRAMS_PER_TONNE
        digits, written_unit, carbon = figures.plain(figures.exact(value) / divisor, 3), as_unit, True
    elif isinstance(value, Quantity):
        digits, written_unit, carbon = figures.written(value)
    return {
        "number": figures.number_markup(digits, soft_decimals=True),
        "unit": figures.unit_markup(written_unit, co2e=carbon) if written_unit else "",
        "caption": caption,
        "note": note,
    }


@register.inclusion_tag("design/parts/gauge.html")
def gauge(used: int, total: int, tone: str = "", width: int = 120, label: str = "") -> dict[str, Any]:
    """`{% gauge 4 5 tone="warn" width=120 label="用去 4 个工作日，共 5 个" %}`: ticks on a hairline, filled from the left.

    Tones: "" pine · warn · bad · sea · stop. Without a label it is decoration beside words that say the same.
    """
    return scales.gauge_scale(used, total, width) | {"tone": tone, "label": label}


@register.inclusion_tag("design/parts/serial_gauge.html")
def serial_gauge(first: int, last: int, total: int, caption: str = "", text: Shown = "") -> dict[str, Any]:
    """`{% serial_gauge 412 597 1042 "序列号" first_serial|serial:last_serial %}`: where a range lies within its block."""
    return scales.serial_scale(first, last, total) | {"caption": caption, "text": text}


@register.inclusion_tag("design/parts/compare_bars.html")
def compare_bars(bars: Any) -> dict[str, Any]:
    """`{% compare_bars bars %}`: a CompareBars; baseline above, actual below, the saved part in pine, on one scale."""
    return scales.compare_scale(bars) | {"bars": bars}


@register.inclusion_tag("design/parts/spark.html")
def spark(values: Sequence[int], warn: bool = False) -> dict[str, Any]:
    """`{% spark hours warn=True %}`: rows an hour as small bars from zero; the total stands beside it as a number."""
    return {"path": drawing.spark_path(values), "warn": warn}


@register.inclusion_tag("design/parts/balance_bar.html")
def balance_bar(
    total: Tonnes, parts: Sequence[Any], title: str = "", total_label: str = ""
) -> dict[str, Any]:
    """`{% balance_bar issued parts "登记簿" "已签发" %}`: the register as an equation with its bar.

    `parts` are BalancePart. If they do not add up the page says so in brick, with the difference.
    """
    return scales.balance_scale(total, parts) | {
        "title": title,
        "total_label": total_label or gettext("已签发"),
    }


@register.inclusion_tag("design/parts/cartogram.html")
def cartogram(map_: Any) -> dict[str, Any]:
    """`{% cartogram map %}`: the tile map of a Cartogram; put a table with the same values beside or below it."""
    return scales.cartogram_scale(map_)


@register.inclusion_tag("design/parts/merkle.html")
def merkle(sides: Sequence[str]) -> dict[str, Any]:
    """`{% merkle sides %}`: an inclusion path from leaf to head, each sibling on its true side."""
    return {"path": drawing.merkle_path(sides), "levels": len(sides)}


@register.inclusion_tag("design/parts/qr.html")
def qr(content: str, label: str = "") -> dict[str, Any]:
    """`{% qr "https://…" "证书地址" %}`: a QR code as one SVG path."""
    path, size = drawing.qr_path(content)
    return {"path": path, "size": size, "label": label or gettext("二维码")}
