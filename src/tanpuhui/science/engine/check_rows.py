"""Checking what reads rows, dates and functions (核对分组、日期和函数)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked, RowGroup, Symbol
from tanpuhui.science.engine.digits import MAX_PLACES, Digits
from tanpuhui.science.engine.functions import function_digits
from tanpuhui.science.engine.units import parse_unit

if TYPE_CHECKING:
    from tanpuhui.science.engine.check import Checker

EXPONENT_MAX = Decimal(200)


def check_total(checker: Checker, node: tree.Total) -> Checked:
    """Return a checked sum or count over the rows of a group."""
    symbol, group = _group(checker, node)
    inner = checker.within(group)
    where = (inner.truth(node.where),) if node.where is not None else ()
    least = 0 if where else group.min_rows
    rows = Digits(Decimal(least), Decimal(group.max_rows), 0)
    if node.value is None:
        return Checked(node=node, kind="number", digits=rows, symbol=symbol, parts=where)
    value = inner.number(node.value)
    digits = rows.times(value.digits) if value.digits is not None else None
    return Checked(
        node=node, kind="number", unit=value.unit, digits=digits, symbol=symbol, parts=(value, *where)
    )


def check_series(checker: Checker, node: tree.Series) -> Checked:
    """Return a checked value of a group at a date."""
    _functions_allowed(checker, node)
    symbol, group = _group(checker, node)
    if not group.order:
        checker.source.refuse(
            "NO_ORDER",
            at=node.at,
            zh=f"分组“{node.group}”没有写 order（按哪个日期排列）。",
            en=f"The group '{node.group}' has no order (the date field of the series).",
        )
    _places(checker, node.places, node.at)
    value, day = checker.within(group).number(node.value), checker.date(node.date)
    digits = value.digits.rounded(node.places) if value.digits is not None else None
    return Checked(
        node=node, kind="number", unit=value.unit, digits=digits, symbol=symbol, parts=(value, day)
    )


def check_days(checker: Checker, node: tree.Days) -> Checked:
    """Return the checked number of whole days between two dates."""
    start, end = checker.date(node.start), checker.date(node.end)
    digits = end.digits.plus(start.digits.negated()) if start.digits and end.digits else None
    return Checked(node=node, kind="number", unit=parse_unit("day"), digits=digits, parts=(start, end))


def check_function(checker: Checker, node: tree.Function) -> Checked:
    """Return a checked exp, ln, power or sqrt: plain numbers, inside the domain by their bounds."""
    _functions_allowed(checker, node)
    _places(checker, node.places, node.at)
    parts = tuple(checker.number(operand) for operand in node.operands)
    for part in parts:
        if not part.unit.is_plain:
            checker.source.refuse(
                "DIMENSION_MISMATCH",
                at=part.node.at,
                zh=f"{node.name} 只用于没有单位的数，这里是 {part.unit}。请先除以参照值（写在 round 里）。",
                en=f"{node.name} takes a plain number, this is in {part.unit}; divide by a reference first (inside round).",
            )
    operands = tuple(part.digits for part in parts if part.digits is not None)
    if len(operands) < len(parts):
        return Checked(node=node, kind="number", parts=parts)
    _domain(checker, node, operands)
    return Checked(node=node, kind="number", digits=function_digits(node, operands), parts=parts)


def _group(checker: Checker, node: tree.Total | tree.Series) -> tuple[Symbol, RowGroup]:
    if checker.inside is not None:
        checker.source.refuse(
            "NESTED_ROWS",
            at=node.at,
            zh="合计、计数、取值里面不能再写合计、计数、取值；请先写成一步公式。",
            en="sum, count and at do not nest; make the inner one a step of its own.",
        )
    symbol = checker.scope.get(node.group)
    if symbol is None or symbol.rows is None:
        checker.source.refuse(
            "UNKNOWN_NAME",
            at=node.at,
            zh=f"没有名为“{node.group}”的分组。",
            en=f"No group is called '{node.group}'.",
        )
    return symbol, symbol.rows


def _functions_allowed(checker: Checker, node: tree.Node) -> None:
    if not checker.functions:
        checker.source.refuse(
            "FUNCTION_NOT_ALLOWED",
            at=node.at,
            zh="exp、ln、power、sqrt 和 at 只能用在 PROJECT 和 EVENT 两类方法学中。",
            en="exp, ln, power, sqrt and at stand only in methodologies of class PROJECT or EVENT.",
        )


def _places(checker: Checker, places: int, at: int) -> None:
    if not 0 <= places <= MAX_PLACES:
        checker.source.refuse(
            "PLACES",
            at=at,
            zh=f"小数位应为 0 到 {MAX_PLACES} 的整数。",
            en=f"Places are a whole number, 0 to {MAX_PLACES}.",
        )


def _domain(checker: Checker, node: tree.Function, operands: tuple[Digits, ...]) -> None:
    first, last = operands[0], operands[-1]
    inside = {
        "ln": first.low > 0,
        "power": first.low > 0 and last.low >= -EXPONENT_MAX and last.high <= EXPONENT_MAX,
        "sqrt": first.low >= 0,
        "exp": first.low >= -EXPONENT_MAX and first.high <= EXPONENT_MAX,
    }[node.name]
    if not inside:
        checker.source.refuse(
            "OUTSIDE_DOMAIN",
            at=node.at,
            zh=f"{node.name} 的自变量按上下限可能取 {first.low:f} 到 {first.high:f}，超出可算的范围。请收窄上下限。",
            en=f"By its bounds the operand of {node.name} runs from {first.low:f} to {first.high:f}, outside the domain; narrow the bounds.",
        )
