"""Checking a look-up (核对查表): its keys, and for each cell the value that holds there."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Branch, Cell, Checked, Grid, Symbol
from tanpuhui.science.engine.digits import Digits

if TYPE_CHECKING:
    from tanpuhui.science.engine.check import Checker


def check_lookup(checker: Checker, node: tree.Lookup) -> Checked:
    """Return the checked look-up; one branch for every cell (or span of a line) that has a value."""
    symbol = checker.scope.get(node.column)
    grid = symbol.grid if symbol is not None else None
    if symbol is None or grid is None:
        checker.source.refuse(
            "UNKNOWN_NAME",
            at=node.at,
            zh=f"没有名为“{node.column}”的参数表列。",
            en=f"No column of a table is called '{node.column}'.",
        )
    if len(node.keys) != len(grid.keys):
        checker.source.refuse(
            "WRONG_KEYS",
            at=node.at,
            zh=f"“{node.column}”要用 {len(grid.keys)} 个键查找，这里给了 {len(node.keys)} 个。",
            en=f"'{node.column}' is looked up by {len(grid.keys)} keys; {len(node.keys)} are given.",
        )
    parts = tuple(_key(checker, node, number, grid) for number in range(len(grid.keys)))
    branches = tuple(
        branch for cell in grid.cells for branch in [_branch(checker, node, symbol, grid, cell)] if branch
    )
    digits: Digits | None = None
    for branch in branches:
        own = branch.value.digits
        digits = own if digits is None or own is None else digits.union(own)
    return Checked(
        node=node, kind="number", unit=symbol.unit, digits=digits, symbol=symbol, parts=parts, branches=branches
    )  # fmt: skip


def _key(checker: Checker, node: tree.Lookup, number: int, grid: Grid) -> Checked:
    key, given = grid.keys[number], node.keys[number]
    if key.kind != "choice":
        checked = checker.number(given)
        if not checked.unit.same_as(key.unit):
            checker.source.refuse(
                "UNIT_MISMATCH",
                at=given.at,
                zh=f"键“{key.code}”的单位是 {key.unit or '1'}，这里是 {checked.unit or '1'}。",
                en=f"The key '{key.code}' is in {key.unit or '1'}, this is in {checked.unit or '1'}.",
            )
        return checked
    checked = checker.check(given)
    known = {cell.choices[number] for cell in grid.cells}
    text = given.value if isinstance(given, tree.Text) else None
    options = {text} if text is not None else set(checked.symbol.options if checked.symbol else ())
    if checked.kind != "choice":
        checker.source.refuse(
            "WRONG_KIND", at=given.at, zh="这个键应为选项字段。", en="This key takes a choice."
        )
    if known and not options & known:
        checker.source.refuse(
            "UNKNOWN_OPTION",
            at=given.at,
            zh=f"参数表里没有这些选项，表中有：{'、'.join(sorted(known)[:12])}。",
            en=f"The table has none of these options; it has: {', '.join(sorted(known)[:12])}.",
        )
    return checked


def _branch(checker: Checker, node: tree.Lookup, symbol: Symbol, grid: Grid, cell: Cell) -> Branch | None:
    if cell.value is None:
        return None
    last = grid.keys[-1]
    unit = str(symbol.unit)
    constant = tree.Number(at=node.at, value=cell.value, unit=unit)
    if last.kind != "line":
        return Branch(
            choices=cell.choices, low=cell.low, high=cell.high, closed=False,
            value=checker.check(constant), rows=(cell.row,),
        )  # fmt: skip
    following = _following(grid, cell)
    if following is None or following.value is None or cell.low is None or following.low is None:
        return None
    span = _span(node, unit, str(last.unit), (cell.low, cell.value), (following.low, following.value))
    rounded = tree.Round(
        at=node.at, operand=span, divisor=_number(node.at, following.low - cell.low, str(last.unit)),
        places=last.places, rule=last.rule,
    )  # fmt: skip
    return Branch(
        choices=cell.choices, low=cell.low, high=following.low, closed=following.high is None,
        value=checker.check(rounded), rows=(cell.row, following.row),
    )  # fmt: skip


def _following(grid: Grid, cell: Cell) -> Cell | None:
    return next((c for c in grid.cells if c.choices == cell.choices and c.low == cell.high), None)


def _number(at: int, value: Decimal, unit: str) -> tree.Node:
    sign = tree.Number(at=at, value=abs(value), unit=unit)
    return sign if value >= 0 else tree.Negative(at=at, operand=sign)


def _span(
    node: tree.Lookup, unit: str, key_unit: str, start: tuple[Decimal, Decimal], end: tuple[Decimal, Decimal]
) -> tree.Node:
    """Return v0 × (x1 − x) + v1 × (x − x0), which the width of the span divides."""
    at, x = node.at, node.keys[-1]

    def product(value: Decimal, left: tree.Node, right: tree.Node) -> tree.Node:
        width = tree.Arithmetic(at=at, operator="-", left=left, right=right)
        return tree.Arithmetic(at=at, operator="*", left=_number(at, value, unit), right=width)

    first = product(start[1], _number(at, end[0], key_unit), x)
    return tree.Arithmetic(
        at=at, operator="+", left=first, right=product(end[1], x, _number(at, start[0], key_unit))
    )
