"""From the numbers of a part to its drawing (刻度). What the tags of `tanpuhui` hand to their templates."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.utils.translation import gettext, ngettext

from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.interfaces.design import drawing
from tanpuhui.interfaces.design.drawing import pixel

TILE, GAP = 88, 4
WARN_FROM_DAYS = 1
_BAR_WIDTH = 1248
_COMPARE_WIDTH = 342
_CENTRE_DROP = drawing.drop_path(9)


def gauge_scale(used: int, total: int, width: int) -> dict[str, Any]:
    """Ticks and fill of a gauge; more than twenty units are drawn in tens, at most twenty-one ticks."""
    total = max(total, 1)
    share = min(max(used, 0), total) / total
    count = min(total, 20)
    return {
        "width": width,
        "ticks": drawing.ticks(width, count),
        "fill": pixel(width * share),
        "marker": pixel(width * share),
    }


def serial_scale(first: int, last: int, total: int, width: int = 548) -> dict[str, Any]:
    """Place of a range within a block of `total` serials; labels that would touch give way to the range."""
    span = max(total, 1)
    left = width * (first - 1) / span
    size = max(width * (last - first + 1) / span, 2.0)
    right = min(left + size, float(width))
    ticks = "".join(
        f"M{pixel(min(max(width * index / 20, 0.5), width - 0.5))} 16V{3 if index % 5 == 0 else 8}"
        for index in range(21)
    )
    return {
        "width": width,
        "ticks": ticks,
        "left": pixel(left),
        "size": pixel(right - left),
        "right": pixel(right),
        "first": first,
        "last": last,
        "total": total,
        "show_start": left > 24,
        "show_end": width - right > 36,
        "together": right - left < 40,
        "middle": pixel(min(max((left + right) / 2, 8 if first == last else 40), width - 40)),
    }


def compare_scale(bars: Any) -> dict[str, Any]:
    """Widths of baseline, actual and saved part on a scale that ends on a round number."""
    width = _COMPARE_WIDTH
    baseline, actual = Decimal(bars.baseline), Decimal(bars.actual)
    top = max(baseline, actual, Decimal("0.001"))
    step = drawing.nice_step(top)
    end = (top / step).to_integral_value(ROUND_CEILING) * step
    ratio = Decimal(width) / end
    saved = baseline - actual
    steps = int(end / step)
    labels = [
        {
            "x": pixel(width * index / steps),
            "text": f"{(step * index).normalize():f}" + (f" {bars.unit}" if index == steps else ""),
            "anchor": "start" if index == 0 else "end" if index == steps else "middle",
        }
        for index in range(steps + 1)
    ]
    ticks = "".join(
        f"M{pixel(min(max(width * index / (steps * 3), 0.5), width - 0.5))} 66V{56 if index % 3 == 0 else 60}"
        for index in range(steps * 3 + 1)
    )
    actual_width, saved_width = float(actual * ratio), float(max(saved, Decimal(0)) * ratio)
    return {
        "width": width,
        "baseline_width": pixel(float(baseline * ratio)),
        "actual_width": pixel(actual_width),
        "saved_x": pixel(actual_width + 0.5),
        "saved_width": pixel(max(saved_width - 1, 0)),
        "saved_end": pixel(actual_width + saved_width),
        "saved_middle": pixel(actual_width + saved_width / 2),
        "saved": f"{saved.normalize():f}",
        "is_saved": saved > 0,
        "actual_fits": actual_width >= 92,
        "saved_fits": saved_width >= 84,
        "labels": labels,
        "ticks": ticks,
    }


def drop_scale(item: Any) -> dict[str, Any]:
    """Outline of a drop, and the size and place of its number."""
    grams = item.grams.value
    width = drawing.drop_width(grams)
    size = 16 if width >= 62 else 14 if width >= 54 else 13
    if len(f"{grams:,}") > 5:
        size -= 2
    return {
        "item": item,
        "width": pixel(width),
        "height": pixel(width * 1.3953 + 1),
        "view_width": pixel(width + 1),
        "path": drawing.drop_path(width),
        "number": f"{grams:,}",
        "number_x": pixel(width / 2),
        "number_y": pixel(width * 0.92 + 5),
        "size": size,
        "unit_size": pixel(size * 0.68),
    }


def countdown_scale(seconds_left: int, seconds_total: int) -> dict[str, Any]:
    """One tick for each second (at most sixty), in 256 px; the script redraws the second path."""
    count = min(max(seconds_total, 1), 60)
    left = min(max(seconds_left, 0), seconds_total)
    lit = round(count * left / max(seconds_total, 1))
    marks = [f"M{2 + 252 * index / count:.1f} 0V{10 if index % 10 == 0 else 6}" for index in range(count + 1)]
    return {
        "all_ticks": "".join(marks),
        "left_ticks": "".join(marks[: lit + 1] if lit else []),
        "tick_count": count,
    }


def balance_scale(total: Tonnes, parts: Sequence[Any]) -> dict[str, Any]:
    """Widths of the summands with 2 px between them, and the difference where they do not add up."""
    summed = sum(part.tonnes.value for part in parts)
    shown = [part for part in parts if part.tonnes.value > 0]
    room = _BAR_WIDTH - 2 * max(len(shown) - 1, 0)
    x, drawn = 0.0, []
    for part in shown:
        width = max(room * part.tonnes.value / max(summed, 1), 2.0)
        drawn.append({"kind": part.kind, "x": pixel(x), "width": pixel(width)})
        x += width + 2
    return {
        "total": total,
        "parts": parts,
        "bars": drawn,
        "bar_width": _BAR_WIDTH,
        "balanced": summed == total.value,
        "difference": Tonnes(abs(total.value - summed)),
        "short": summed < total.value,
    }


def deadline_scale(days_left: int | None, days_total: int | None, *, stopped: bool = False) -> dict[str, Any]:
    """Words, tone and used working days of a deadline."""
    if stopped:
        words, tone = gettext("时钟已停"), "stop"
    elif days_left is None:
        words, tone = gettext("没有时限"), "none"
    elif days_left < 0:
        words, tone = (
            ngettext("逾期 %(days)s 日", "逾期 %(days)s 日", -days_left) % {"days": -days_left},
            "bad",
        )
    elif days_left == 0:
        words, tone = gettext("今天到期"), "bad"
    else:
        words = ngettext("剩 %(days)s 日", "剩 %(days)s 日", days_left) % {"days": days_left}
        tone = "warn" if days_left <= WARN_FROM_DAYS else ""
    used = (days_total or 0) - (days_left if days_left is not None else (days_total or 0))
    return {
        "deadline_words": words,
        "deadline_tone": tone,
        "days_used": max(used, 0),
        "days_total": days_total,
    }


def inbox_scale(row: Any) -> dict[str, Any]:
    """A row of the inbox with its deadline."""
    return {"row": row} | deadline_scale(row.days_left, row.days_total, stopped=row.stopped)


def cartogram_scale(map_: Any) -> dict[str, Any]:
    """Squares, waves and legend of a tile cartogram in pixels; the legend stands right of the last row's tiles."""
    pitch = TILE + GAP
    tiles = [
        {
            "tile": tile,
            "x": tile.column * pitch,
            "y": tile.row * pitch,
            "drop_x": tile.column * pitch + TILE - 19,
            "drop_y": tile.row * pitch + 10,
        }
        for tile in map_.tiles
    ]
    columns = max(tile.column for tile in map_.tiles) + 1
    rows = max(tile.row for tile in map_.tiles) + 1
    last_row_end = max(tile.column for tile in map_.tiles if tile.row == rows - 1) + 1
    seas = []
    for sea in map_.seas:
        x, y, waves = sea.column * pitch + 11, sea.row * pitch + 51, max(int(sea.width * pitch - 22) // 22, 1)
        path = "".join(
            f"M{pixel(x)} {pixel(y + 11 * line)}" + "q5.5 -4 11 0t11 0" * waves for line in range(3)
        )
        seas.append(
            {"path": path, "name": sea.name, "text_x": pixel(x + waves * 11), "text_y": pixel(y - 16)}
        )
    width, height = columns * pitch - GAP, rows * pitch - GAP
    legend_right = width - (last_row_end * pitch) >= 290
    legend_x = last_row_end * pitch if legend_right else 0
    legend_y = height - 46 if legend_right else height + 28
    return {
        "map": map_,
        "tiles": tiles,
        "seas": seas,
        "width": width,
        "height": height if legend_right else height + 74,
        "legend_x": legend_x,
        "legend_y": legend_y,
        "swatches": [{"step": step, "x": (step - 1) * 46} for step in range(1, 7)],
        "bounds": [{"x": (index + 1) * 46, "text": text} for index, text in enumerate(map_.bounds)],
        "drop_path": _CENTRE_DROP,
    }
