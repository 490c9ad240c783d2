"""Evaluation (求值): the exact value of a checked node over what is known of one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal, localcontext

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Branch, Checked
from tanpuhui.science.engine.digits import EXACT
from tanpuhui.science.engine.functions import evaluate_function
from tanpuhui.science.engine.rounding import round_quotient

Scalar = Decimal | str | date
Row = Mapping[str, Scalar]
Known = Mapping[str, Scalar | Sequence[Row]]


def holds(checked: Checked, known: Known) -> bool:
    """Return whether a truth value is true."""
    node, parts = checked.node, checked.parts
    match node:
        case tree.Logic():
            left = holds(parts[0], known)
            return (
                (left and holds(parts[1], known))
                if node.operator == "and"
                else (left or holds(parts[1], known))
            )
        case tree.Not():
            return not holds(parts[0], known)
        case tree.Comparison():
            return _compare(node.operator, _operand(parts[0], known), _operand(parts[1], known))
    message = f"no truth in {type(node).__name__}"
    raise TypeError(message)


def _operand(checked: Checked, known: Known) -> Decimal | str:
    if checked.kind == "number":
        return evaluate(checked, known)
    if checked.kind == "date":
        return _ordinal(checked, known)
    return _text(checked, known)


def _text(checked: Checked, known: Known) -> str:
    if isinstance(checked.node, tree.Text):
        return checked.node.value
    return str(known[checked.symbol.code if checked.symbol else ""])


def _ordinal(checked: Checked, known: Known) -> Decimal:
    """Return the number of a day, so that dates compare and subtract as numbers do."""
    if isinstance(checked.node, tree.Text):
        return Decimal(date.fromisoformat(checked.node.value).toordinal())
    value = known[checked.symbol.code if checked.symbol else ""]
    if not isinstance(value, date):
        message = "no date where one was checked"
        raise TypeError(message)
    return Decimal(value.toordinal())


def _compare(operator: str, left: Decimal | str, right: Decimal | str) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return (left == right) == (operator == "=")
    order = (left > right) - (left < right)
    return {
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
        "=": order == 0,
        "!=": order != 0,
    }[operator]


def evaluate(checked: Checked, known: Known) -> Decimal:
    """Return the exact value of a number; nothing is rounded but in Floor and Round nodes."""
    with localcontext(EXACT):
        return _value(checked, known)


def _value(checked: Checked, known: Known) -> Decimal:  # noqa: PLR0911 - one case per node type
    node, parts = checked.node, checked.parts
    match node:
        case tree.Number():
            return node.value
        case tree.Name():
            value = known[checked.symbol.code if checked.symbol else ""]
            if isinstance(value, Decimal):
                return value
        case tree.Negative():
            return -_value(parts[0], known)
        case tree.Arithmetic():
            left, right = _value(parts[0], known), _value(parts[1], known)
            return (
                left * right
                if node.operator == "*"
                else left + right
                if node.operator == "+"
                else left - right
            )
        case tree.Condition():
            return _value(parts[1] if holds(parts[0], known) else parts[2], known)
        case tree.Extreme():
            several = [_value(part, known) for part in parts]
            return min(several) if node.kind == "min" else max(several)
        case tree.Floor():
            return _value(parts[0], known).to_integral_value(rounding=ROUND_FLOOR)
        case tree.Round():
            divisor = _value(parts[1], known) if node.divisor is not None else Decimal(1)
            return round_quotient(_value(parts[0], known), divisor, places=node.places, rule=node.rule)
        case tree.Convert():
            return _value(parts[0], known) * (checked.factor or Decimal(1))
    return _wider_value(checked, known)


def _wider_value(checked: Checked, known: Known) -> Decimal:
    node, parts = checked.node, checked.parts
    match node:
        case tree.Days():
            return _ordinal(parts[1], known) - _ordinal(parts[0], known)
        case tree.Total():
            if node.value is None:
                return Decimal(sum(1 for _ in rows_of(checked, known)))
            return sum((_value(parts[0], {**known, **row}) for row in rows_of(checked, known)), Decimal(0))
        case tree.Lookup():
            branch = find_branch(checked, known)
            if branch is not None:
                return _value(branch.value, known)
        case tree.Series():
            around = rows_around(checked, known)
            if around is not None:
                return _between(checked, node, known, around)
        case tree.Function():
            return evaluate_function(node, tuple(_value(part, known) for part in parts))
    message = f"no number in {type(node).__name__}"
    raise TypeError(message)


def all_rows(checked: Checked, known: Known) -> Sequence[Row]:
    """Return every row of the group that a sum, count or series reads, in their order."""
    group = known[checked.symbol.code if checked.symbol else ""]
    if isinstance(group, Decimal | str | date):
        message = "no rows where a group was checked"
        raise TypeError(message)
    return group


def rows_of(checked: Checked, known: Known) -> Iterator[Row]:
    """Yield the rows of a sum or count that its condition lets through, in their order."""
    conditional = isinstance(checked.node, tree.Total) and checked.node.where is not None
    for row in all_rows(checked, known):
        if not conditional or holds(checked.parts[-1], {**known, **row}):
            yield row


def find_branch(checked: Checked, known: Known) -> Branch | None:
    """Return the branch of a look-up that holds for the record, or None."""
    keys = checked.parts
    texts = tuple(_text(key, known) for key in keys if key.kind == "choice")
    number = evaluate(keys[-1], known) if keys[-1].kind == "number" else None
    for branch in checked.branches:
        if branch.choices == texts and (number is None or _within(branch, number)):
            return branch
    return None


def _within(branch: Branch, number: Decimal) -> bool:
    above = branch.low is None or number >= branch.low
    return above and (
        branch.high is None or number < branch.high or (branch.closed and number == branch.high)
    )


def rows_around(checked: Checked, known: Known) -> tuple[Row, Row, Decimal] | None:
    """Return the rows before and after the day of a series, and the day; None outside the measurements."""
    rows = known[checked.symbol.code if checked.symbol else ""]
    order = checked.symbol.rows.order if checked.symbol and checked.symbol.rows else ""
    day = _ordinal(checked.parts[1], known)
    if isinstance(rows, Decimal | str | date):
        return None
    before = [row for row in rows if _row_day(row, order) <= day]
    after = [row for row in rows if _row_day(row, order) >= day]
    if not before or not after:
        return None
    first = max(before, key=lambda row: _row_day(row, order))
    return first, min(after, key=lambda row: _row_day(row, order)), day


def _between(checked: Checked, node: tree.Series, known: Known, around: tuple[Row, Row, Decimal]) -> Decimal:
    first, last, day = around
    order = checked.symbol.rows.order if checked.symbol and checked.symbol.rows else ""
    start, end = _row_day(first, order), _row_day(last, order)
    value = _value(checked.parts[0], {**known, **first})
    if end == start:
        return round_quotient(value, Decimal(1), places=node.places, rule=node.rule)
    rise = _value(checked.parts[0], {**known, **last}) - value
    whole = value * (end - start) + rise * (day - start)
    return round_quotient(whole, end - start, places=node.places, rule=node.rule)


def _row_day(row: Row, order: str) -> Decimal:
    value = row[order]
    return Decimal(value.toordinal()) if isinstance(value, date) else Decimal(0)
