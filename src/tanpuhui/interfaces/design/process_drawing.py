"""The diagram of a process (流程图) as geometry: states down a column, ways as lines beside it, numbered.

Pure: rows in, shapes out. A column is legible on a phone; what a way is called stands in the table under its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 360
_BOX_X, _BOX_WIDTH, _BOX_HEIGHT, _GAP = 90, 180, 36, 30
_LANE, _BADGE = 13, 9


@dataclass(frozen=True, slots=True)
class Box:
    """One state: `kind` is now, past, final or empty."""

    x: int
    y: int
    width: int
    height: int
    label: str
    kind: str

    @property
    def middle(self) -> tuple[int, int]:
        """Return the middle of the box, for its label."""
        return self.x + self.width // 2, self.y + self.height // 2 + 5


@dataclass(frozen=True, slots=True)
class Arrow:
    """One line from state to state with its number; several ways between the same two states share it."""

    path: str
    numbers: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole diagram and its size."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def draw(labels: Sequence[tuple[str, str, str]], ways: Sequence[tuple[str, str]]) -> Drawing:
    """Draw states (code, label, kind) in their order, and ways (source, target) numbered from 1 in theirs.

    A way to the next state is a straight arrow, one further down runs on the right, one back up on the left.
    """
    place = {code: number for number, (code, _, _) in enumerate(labels)}
    boxes = tuple(
        Box(_BOX_X, _top(number), _BOX_WIDTH, _BOX_HEIGHT, label, kind)
        for number, (_, label, kind) in enumerate(labels)
    )
    numbers: dict[tuple[int, int], list[int]] = {}
    for number, (source, target) in enumerate(ways, start=1):
        numbers.setdefault((place[source], place[target]), []).append(number)
    lanes = _lanes(numbers)
    arrows = tuple(
        _arrow(source, target, _said(found), lanes.get((source, target), 0))
        for (source, target), found in numbers.items()
    )
    return Drawing(WIDTH, _top(len(labels)) - _GAP + 10, boxes, arrows)


def _top(number: int) -> int:
    return 8 + number * (_BOX_HEIGHT + _GAP)


def _lanes(pairs: Sequence[tuple[int, int]] | dict[tuple[int, int], list[int]]) -> dict[tuple[int, int], int]:
    """Give each line that runs beside the column a lane in which it meets no other; short ones run inside."""
    lanes: dict[tuple[int, int], int] = {}
    for side in (False, True):
        taken: list[list[tuple[int, int]]] = []
        own = [(s, t) for s, t in pairs if t != s + 1 and (t <= s) == side]
        for source, target in sorted(own, key=lambda pair: (abs(pair[0] - pair[1]), pair)):
            span = (min(source, target), max(source, target))
            lane = next(
                (n for n, held in enumerate(taken) if all(span[1] < a or b < span[0] for a, b in held)),
                len(taken),
            )
            if lane == len(taken):
                taken.append([])
            taken[lane].append(span)
            lanes[source, target] = lane
    return lanes


def _arrow(source: int, target: int, numbers: str, lane: int) -> Arrow:
    start, end = _top(source) + _BOX_HEIGHT, _top(target)
    if target == source + 1:
        x = _BOX_X + _BOX_WIDTH // 2
        return Arrow(f"M{x} {start}V{end - 1}", numbers, x + 14, (start + end) // 2)
    backward = target <= source
    from_y = _top(source) + _BOX_HEIGHT // 2 + (6 if not backward else -6)
    to_y = _top(target) + _BOX_HEIGHT // 2 + (-6 if not backward else 6)
    edge = _BOX_X if backward else _BOX_X + _BOX_WIDTH
    out = edge + (-1 if backward else 1) * (16 + lane * _LANE)
    tip = edge + (-1 if backward else 1)
    return Arrow(f"M{edge} {from_y}H{out}V{to_y}H{tip}", numbers, out, (from_y + to_y) // 2)


def _said(numbers: Sequence[int]) -> str:
    return ",".join(str(number) for number in numbers)
