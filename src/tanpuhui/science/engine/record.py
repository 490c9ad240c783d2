"""A record's values (记录的数据): which may stand in a field, and why one may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from tanpuhui.science.engine.digits import places_of
from tanpuhui.science.engine.evaluation import Row, Scalar
from tanpuhui.science.engine.model import Field, Group, MethodologyVersion
from tanpuhui.science.engine.reader import DECIMAL
from tanpuhui.science.engine.reasons import (
    FIELD_MISSING,
    OUT_OF_BOUNDS,
    ROW_REPEATED,
    ROWS_OUT_OF_BOUNDS,
    TOO_MANY_PLACES,
)

Value = Scalar | Sequence[Mapping[str, Scalar | None]] | None


class UnreadableValue(ValueError):
    """A text cannot be read as the field's kind; the argument is the field's code."""


def value_of(item: Field, text: str) -> Scalar | None:
    """Read a text as the field's kind; an empty one is a missing value. Raises UnreadableValue."""
    if text == "":
        return None
    if item.kind == "choice":
        return text
    try:
        return date.fromisoformat(text) if item.kind == "date" else _decimal(text)
    except ValueError:
        raise UnreadableValue(item.code) from None


def _decimal(text: str) -> Decimal:
    if not DECIMAL.match(text):
        raise ValueError(text)
    return Decimal(text)


def take_values(
    version: MethodologyVersion, values: Mapping[str, Value], known: dict[str, Scalar | Sequence[Row]]
) -> str | None:
    """Put every value that may stand into `known`, or return why one may not."""
    for item in version.fields:
        value = values.get(item.code)
        if not (value is None or isinstance(value, Decimal | str | date)):
            message = f"{item.code} takes one value, not rows"
            raise TypeError(message)
        reason = field_reason(item, value)
        if reason is not None:
            return reason
        if value is not None:
            known[item.code] = value
    for group in version.groups:
        rows = values.get(group.code)
        if isinstance(rows, Decimal | str | date):
            message = f"{group.code} takes rows, not one value"
            raise TypeError(message)
        taken: list[Row] = []
        reason = _rows_reason(group, rows or (), taken)
        if reason is not None:
            return reason
        known[group.code] = taken
    return None


def _rows_reason(group: Group, rows: Sequence[Mapping[str, Scalar | None]], taken: list[Row]) -> str | None:
    if not group.min_rows <= len(rows) <= group.max_rows:
        return f"{ROWS_OUT_OF_BOUNDS}:{group.code}"
    seen: set[tuple[str, tuple[Scalar, ...]]] = set()
    for row in rows:
        unknown = set(row) - {item.code for item in group.fields}
        if unknown:
            message = f"no such field in {group.code}: {', '.join(sorted(unknown))}"
            raise ValueError(message)
    for item in group.fields:
        for row in rows:
            reason = field_reason(item, row.get(item.code))
            if reason is not None:
                code, _, about = reason.partition(":")
                return f"{code}:{group.code}.{about}"
    for row in rows:
        whole = {code: value for code, value in row.items() if value is not None}
        taken.append(whole)
        marks: list[tuple[str, tuple[Scalar, ...]]] = []
        if group.unique:
            marks.append(("unique", tuple(whole[code] for code in group.unique)))
        if group.order:
            marks.append(("order", (whole[group.order],)))
        if any(mark in seen for mark in marks):
            return f"{ROW_REPEATED}:{group.code}"
        seen.update(marks)
    return None


def field_reason(item: Field, value: Scalar | None) -> str | None:
    """Return why a value cannot stand in a field, or None."""
    if value is None:
        return None if item.nullable else f"{FIELD_MISSING}:{item.code}"
    if item.kind == "choice":
        return None if value in item.options else f"{OUT_OF_BOUNDS}:{item.code}"
    if item.kind == "date":
        if not isinstance(value, date):
            message = f"{item.code} takes a date, not {type(value).__name__}"
            raise TypeError(message)
        return None if item.low <= value.toordinal() <= item.high else f"{OUT_OF_BOUNDS}:{item.code}"
    if not isinstance(value, Decimal):
        message = f"{item.code} takes a Decimal, not {type(value).__name__}"
        raise TypeError(message)
    if not value.is_finite() or not item.low <= value <= item.high:
        return f"{OUT_OF_BOUNDS}:{item.code}"
    return f"{TOO_MANY_PLACES}:{item.code}" if places_of(value) > item.places else None
