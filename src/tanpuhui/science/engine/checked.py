"""What checking yields (核对的结果): nodes with kind, unit and digits, and the look-ups a value depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.digits import Digits
from tanpuhui.science.engine.reasons import SERIES_GAP, TABLE_VALUE_UNSET
from tanpuhui.science.engine.units import Unit

Kind = Literal["number", "truth", "choice", "date", "rows"]
NO_UNIT = Unit()


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key of a table. `band`: from a bound up to the next one; `line`: straight between two knots."""

    code: str
    kind: Literal["choice", "band", "line"]
    unit: Unit = NO_UNIT
    places: int = 0  # of a line: where its values are rounded, and how
    rule: tree.Rule = "half_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A value of a column and where it holds: these choices, and low ≤ numeric key < high (None: no bound).

    Of a line it is the knot at `low`, and `high` is the next knot, None for the last one.
    """

    choices: tuple[str, ...]
    low: Decimal | None
    high: Decimal | None
    value: Decimal | None
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The cells of one column over the keys of its table; choice keys come first."""

    keys: tuple[Key, ...]
    cells: tuple[Cell, ...]

    @property
    def digits(self) -> Digits | None:
        """The digits of every value; None when no cell has one."""
        total: Digits | None = None
        for cell in self.cells:
            if cell.value is not None:
                own = Digits.of(cell.value)
                total = own if total is None else total.union(own)
        return total


@dataclass(frozen=True, kw_only=True, slots=True)
class RowGroup:
    """What a formula may know of a group: how many rows, its fields by every name, the field that orders it."""

    code: str
    min_rows: int
    max_rows: int
    order: str
    scope: Mapping[str, Symbol]


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """What a name in a formula stands for. A `row` is a field of a group's rows; a `column` is one of a table."""

    code: str
    role: Literal["field", "parameter", "result", "row", "column", "group"]
    kind: Kind = "number"
    unit: Unit = NO_UNIT
    digits: Digits | None = None  # None: no value; of a date: its proleptic ordinals
    options: tuple[str, ...] = ()
    may_be_absent: bool = False
    grid: Grid | None = None
    rows: RowGroup | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One way a look-up can go: these choices, and low ≤ numeric key < high (≤ when closed; None: no bound)."""

    choices: tuple[str, ...]
    low: Decimal | None
    high: Decimal | None
    closed: bool
    value: Checked
    rows: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A node with kind, unit and digits; digits are None when something under it has no value.

    `parts` of a look-up are its keys, of a Total its value and its condition as far as the node has them, of a
    Series value and date.
    """

    node: tree.Node
    kind: Kind
    unit: Unit = NO_UNIT
    digits: Digits | None = None
    symbol: Symbol | None = None
    factor: Decimal | None = None  # of a Convert node
    parts: tuple[Checked, ...] = ()
    branches: tuple[Branch, ...] = ()  # of a Lookup node; empty when no cell has a value

    def symbols(self) -> tuple[Symbol, ...]:
        """Return the symbols used, in the order of reading, each once."""
        found: dict[str, Symbol] = {self.symbol.code: self.symbol} if self.symbol else {}
        for part in self.parts:
            for symbol in part.symbols():
                found.setdefault(symbol.code, symbol)
        return tuple(found.values())

    @property
    def unset(self) -> tuple[str, ...]:
        """Return the codes of the parameters and columns used that have no value at all."""
        return tuple(s.code for s in self.symbols() if s.role in {"parameter", "column"} and s.digits is None)

    def walk(self) -> Iterator[Checked]:
        """Yield the node and all under it; the values of a look-up's branches are not under it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """A look-up (or series) that must find its value before a formula is calculated.

    `path` are the conditions, with their outcome, under which the formula comes to it. Inside a Total, `total` is
    that node, `path` leads to it, and the look-up is made in each row that `row_path` leads to.
    """

    lookup: Checked
    path: tuple[tuple[Checked, bool], ...] = ()
    total: Checked | None = None
    row_path: tuple[tuple[Checked, bool], ...] = ()

    @property
    def reason(self) -> str:
        """The reason of a record for which nothing is found."""
        code = SERIES_GAP if isinstance(self.lookup.node, tree.Series) else TABLE_VALUE_UNSET
        return f"{code}:{self.lookup.symbol.code if self.lookup.symbol else ''}"


def guards(
    checked: Checked,
    path: tuple[tuple[Checked, bool], ...] = (),
    total: Checked | None = None,
    row_path: tuple[tuple[Checked, bool], ...] = (),
) -> tuple[Guard, ...]:
    """Return the look-ups and series under a node, in the order in which they are needed."""
    found: list[Guard] = []
    node, parts = checked.node, checked.parts

    def under(part: Checked, more: tuple[tuple[Checked, bool], ...] = ()) -> None:
        here = (path, total, (*row_path, *more)) if total else ((*path, *more), total, row_path)
        found.extend(guards(part, *here))

    if isinstance(node, tree.Condition):
        under(parts[0])
        under(parts[1], ((parts[0], True),))
        under(parts[2], ((parts[0], False),))
    elif isinstance(node, tree.Total):
        where = parts[-1] if node.where is not None else None
        if where is not None:
            found.extend(guards(where, path, checked))
        if node.value is not None:
            found.extend(guards(parts[0], path, checked, ((where, True),) if where is not None else ()))
    else:
        for part in parts:
            under(part)
    if isinstance(node, tree.Lookup | tree.Series):
        found.append(Guard(lookup=checked, path=path, total=total, row_path=row_path))
    return tuple(found)
