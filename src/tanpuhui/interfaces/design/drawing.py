"""Shapes of the identity as SVG path data (图形). Pure geometry in pixels: no framework, no markup.

Lengths that come from data are SVG attributes, never CSS, because the pages allow no style attribute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import segno

PINE_PATH = (
    "M16 1.20C13.62 4.50 9.81 8.41 7.49 12.81C13.4 12 17.6 21.8 26.49 20.37A10.5 10.5 0 0 0 26.5 20"
    "C26.50 12.60 19.60 6.20 16 1.20Z"
)
SEA_PATH = (
    "M6.25 15.68C5.78 17.08 5.50 18.52 5.5 20A10.5 10.5 0 0 0 22.75 28.04C15.2 25.4 13.4 13.6 6.25 15.68Z"
)
DROP_MIN, DROP_MAX = 50.0, 92.0
_DROP_LOW, _DROP_HIGH = math.sqrt(200), math.sqrt(1024)
_TOP, _BOTTOM, _LEFT, _WIDTH = 1.2, 30.5, 5.5, 21.0
MAX_LINES = 400

Point = tuple[float, float]


def pixel(value: float) -> str:
    """Write a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def drop_width(grams: int) -> float:
    """Width of a drop in pixels, by the square root of its grams, between 50 and 92."""
    share = (math.sqrt(max(grams, 0)) - _DROP_LOW) / (_DROP_HIGH - _DROP_LOW)
    return min(DROP_MAX, max(DROP_MIN, DROP_MIN + share * (DROP_MAX - DROP_MIN)))


def drop_path(width: float) -> str:
    """Path of a drop of this width whose tip is at the top; its height is 1.395 times its width."""
    r, p = width / 2, pixel
    return (
        f"M{p(r)} 0C{p(0.6565 * r)} {p(0.4766 * r)} 0 {p(1.085 * r)} 0 {p(1.7905 * r)}"
        f"A{p(r)} {p(r)} 0 0 0 {p(width)} {p(1.7905 * r)}"
        f"C{p(width)} {p(1.085 * r)} {p(1.3435 * r)} {p(0.4766 * r)} {p(r)} 0Z"
    )


def ticks(width: float, count: int, every: int = 5, *, height: float = 12, baseline: float = 8) -> str:
    """Path of count + 1 ticks over a width; every fifth is longer when there are more than five of them."""
    if count < 1:
        return ""
    long_top, short_top = 0.0, baseline * 0.55
    parts = []
    for index in range(count + 1):
        x = min(max(width * index / count, 0.5), width - 0.5)
        edge = index in {0, count} or index % every == 0
        top = long_top if edge and count > 5 else short_top
        parts.append(f"M{pixel(x)} {pixel(baseline)}V{pixel(max(top, baseline - height))}")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Staff:
    """A tide staff (水尺): tick path, labels as (y, text), and the heights of two readings."""

    ticks: str
    labels: tuple[tuple[str, str], ...]
    now_y: str
    last_y: str


def staff(
    now: Decimal, last: Decimal | None, unit: str, *, width: int = 130, top: int = 18, height: int = 106
) -> Staff:
    """Scale a staff of three long steps around one or two readings; zero is not required, the unit is."""
    low_value = min(now, last) if last is not None else now
    high_value = max(now, last) if last is not None else now
    step = nice_step(max((high_value - low_value) * 4, high_value / 2, Decimal("0.003")))
    low = max(Decimal(0), ((low_value / step).to_integral_value(ROUND_FLOOR) - 1) * step)
    steps = max(3, int(((high_value - low) / step).to_integral_value(ROUND_CEILING)))
    high = low + step * steps

    def y(value: Decimal) -> float:
        return top + height * float((high - value) / (high - low))

    fine = steps * 4
    path = "".join(
        f"M{width} {pixel(top + height * index / fine)}H{width - (20 if index % 4 == 0 else 12)}"
        for index in range(fine + 1)
    )
    values = [low + step * index for index in range(steps + 1)]
    labels = tuple(
        (pixel(y(value) + 3.5), f"{value.normalize():f}" + (f" {unit}" if value == high else ""))
        for value in values
    )
    return Staff(path, labels, pixel(y(now)), pixel(y(last)) if last is not None else "")


def nice_step(span: Decimal) -> Decimal:
    """Return 1, 2, 3, 4 or 5 times a power of ten, at least a third of the span."""
    target = span / 3
    power = Decimal(10) ** target.adjusted() if target > 0 else Decimal(1)
    for factor in (1, 2, 3, 4, 5, 10):
        if power * factor >= target:
            return power * factor
    return power * 10


@dataclass(frozen=True, slots=True)
class MerklePath:
    """Picture of an inclusion proof: the trunk, and per sibling its branch path and the corner of its square."""

    trunk: str
    branches: tuple[tuple[str, str, str], ...]


def merkle_path(sides: Sequence[str], width: int = 498) -> MerklePath:
    """Draw an inclusion proof after RFC 6962; each side is "left" or "right" of the path and is drawn above or below."""
    step = (width - 8) / max(len(sides), 1)
    branches = []
    for index, side in enumerate(sides):
        x = 8 + step * (index + 0.9)
        y = 28 if side == "left" else 84
        square_x, square_y = x - 18, y - 3.5
        branches.append((f"M{pixel(x - 14.5)} {y}L{pixel(x)} 56", pixel(square_x), pixel(square_y)))
    return MerklePath(f"M8 56H{width}", tuple(branches))


def qr_path(content: str) -> tuple[str, int]:
    """Return the path of the dark modules of a QR code (level M, no border) and its number of modules."""
    matrix = [list(row) for row in segno.make(content, error="m", micro=False).matrix]
    parts = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                parts.append(f"M{x} {y}h{run - x}v1h-{run - x}z")
            x = max(run, x + 1)
    return "".join(parts), len(matrix)


def spark_path(values: Sequence[int], step: int = 4, height: int = 20) -> str:
    """Path of small bars from zero, one for each value, for a stroke of 2.5."""
    peak = max([*values, 1])
    return "".join(
        f"M{pixel(index * step + 1.5)} {height + 2}V{pixel(height + 2 - height * max(value, 0) / peak)}"
        for index, value in enumerate(values)
    )


@dataclass(frozen=True, slots=True)
class CountedLines:
    """The mark drawn from n lines (线谱): two paths of bars, the size of the drawing, and what one line stands for."""

    pine: str
    sea: str
    width: float
    height: float
    tonnes_per_line: int
    lines: int
    last_line: int


def counted_lines(tonnes: int, height: float = 372.0) -> CountedLines:
    """Draw the mark as one line for each tonne; above 400 t one line stands for 10, 100, … and the last for the rest."""
    if tonnes < 1:
        message = "a certificate is for at least one tonne"
        raise ValueError(message)
    per_line = 1
    while -(-tonnes // per_line) > MAX_LINES:
        per_line *= 10
    lines = -(-tonnes // per_line)
    scale = height / (_BOTTOM - _TOP)
    thick = min(height / lines * 0.625, 6.0)
    pine, sea = _pine_outline(), _sea_outline()
    pine_path: list[str] = []
    sea_path: list[str] = []
    for index in range(lines):
        y = _TOP + (_BOTTOM - _TOP) * (index + 0.5) / lines
        for outline, parts in ((pine, pine_path), (sea, sea_path)):
            for left, right in _crossings(outline, y):
                x0, x1 = (left - _LEFT) * scale, (right - _LEFT) * scale
                long = max(x1 - x0, 0.4)
                top = (y - _TOP) * scale - thick / 2
                parts.append(f"M{x0:.2f} {top:.2f}h{long:.2f}v{thick:.3f}h-{long:.2f}z")
    rest = tonnes - per_line * (lines - 1)
    return CountedLines("".join(pine_path), "".join(sea_path), _WIDTH * scale, height, per_line, lines, rest)


def _bezier(a: Point, b: Point, c: Point, d: Point, parts: int = 96) -> list[Point]:
    """Points of a cubic curve, its start left out."""
    points = []
    for index in range(1, parts + 1):
        t = index / parts
        weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
        points.append((_weighted(weights, (a, b, c, d), 0), _weighted(weights, (a, b, c, d), 1)))
    return points


def _weighted(
    weights: tuple[float, float, float, float], points: tuple[Point, Point, Point, Point], axis: int
) -> float:
    return sum(weight * point[axis] for weight, point in zip(weights, points, strict=True))


def _pine_outline() -> list[Point]:
    return [
        (16, 1.2),
        *_bezier((16, 1.2), (13.62, 4.5), (9.81, 8.41), (7.49, 12.81)),
        *_bezier((7.49, 12.81), (13.4, 12), (17.6, 21.8), (26.49, 20.37)),
        (26.5, 20),
        *_bezier((26.5, 20), (26.5, 12.6), (19.6, 6.2), (16, 1.2)),
    ]


def _sea_outline() -> list[Point]:
    end = math.atan2(8.04, 6.75)
    arc = [math.pi - (math.pi - end) * index / 128 for index in range(129)]
    return [
        *_bezier((6.25, 15.68), (5.78, 17.08), (5.5, 18.52), (5.5, 20)),
        *((16 + 10.5 * math.cos(angle), 20 + 10.5 * math.sin(angle)) for angle in arc),
        *_bezier((22.75, 28.04), (15.2, 25.4), (13.4, 13.6), (6.25, 15.68)),
    ]


def _crossings(outline: Sequence[Point], y: float) -> list[tuple[float, float]]:
    """Pairs of x where a horizontal line is inside a closed outline."""
    xs = []
    for index, (x0, y0) in enumerate(outline):
        x1, y1 = outline[(index + 1) % len(outline)]
        if (y0 <= y) != (y1 <= y):
            xs.append(x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    xs.sort()
    return list(zip(xs[::2], xs[1::2], strict=True))
