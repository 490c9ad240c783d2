"""From cells to values (单元格到数值): whole columns at once where every cell is plain, else cell by cell, always exact.

A row is *plain* when each of its numbers is written as digits that the field's decimal type holds and no cell looks
like a formula. Whatever else may still be lawful (a space around it, more digits) is left to the cell-by-cell way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.interfaces.commands.methodology.columns import names_of
from tanpuhui.science.engine import Field, MethodologyVersion
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits
from tanpuhui.science.engine.model import Group
from tanpuhui.science.engine.record import Value, field_reason

NOT_A_NUMBER = "NOT_A_NUMBER"
NOT_A_DATE = "NOT_A_DATE"
NOT_ROWS = "NOT_ROWS"
FORMULA_CELL = "FORMULA_CELL"
NARROW_DIGITS = 18
WHOLE_DIGITS = 20
"""The digits of the widest whole number that Parquet holds."""
CELL_DIGITS_MAX = 100
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\Z")
_WITH_EXPONENT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]{1,3}\Z")
# A date, or a moment that is midnight, as tools that know no dates write it.
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([ T]00:00:00(\.0+)?)?\Z")
_FORMULA_SIGNS = ("=", "+", "-", "@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """A block's rows: the plain ones with the version's types, ready for its SQL, and the places of the others."""

    plain: pa.Table
    odd: tuple[int, ...]


def sort_rows(rows: pa.Table, version: MethodologyVersion) -> Sorted:
    """Type the plain rows (row_no, a column per field, a list per group) and say which rows are not plain."""
    plain = _all_true(len(rows))
    for item in version.fields:
        if item.code in rows.column_names:
            plain = pc.and_(plain, _is_plain(rows[item.code], item))
    groups: dict[str, pa.Array] = {}
    for group in version.groups:
        groups[group.code], sound = _typed_rows(rows, group)
        plain = pc.and_(plain, sound)
    odd = tuple(pc.indices_nonzero(pc.invert(plain)).to_pylist())
    kept = rows.filter(plain) if odd else rows
    columns = {"row_no": kept["row_number"]}
    for item in version.fields:
        columns[item.code] = _typed(kept, item)
    for code, lists in groups.items():
        columns[code] = lists.filter(plain.combine_chunks()) if odd else lists
    return Sorted(plain=pa.table(columns), odd=odd)


def _exact_type(item: Field) -> pa.DataType:
    """Return the decimal type of a number field: narrow where it holds every value within the bounds."""
    digits = Digits(item.low, item.high, item.places).total
    return pa.decimal128(NARROW_DIGITS if digits <= NARROW_DIGITS else MAX_DIGITS, item.places)


def _is_plain(column: pa.ChunkedArray, item: Field) -> pa.ChunkedArray:
    if not _is_text(column):
        return _fits(column, item)
    if item.kind == "choice":
        fine = pc.is_in(column, value_set=pa.array(item.options, pa.string()))
    elif item.kind == "date":
        seen = [text for text in pc.unique(column).to_pylist() if text and _date(text)]
        fine = pc.is_in(column, value_set=pa.array(seen, pa.string()))
    else:
        exact = _exact_type(item)
        fraction = rf"(\.[0-9]{{1,{exact.scale}}})?" if exact.scale else ""
        pattern = rf"^-?[0-9]{{1,{exact.precision - exact.scale}}}{fraction}$"
        fine = pc.match_substring_regex(column, pattern)
    return pc.or_kleene(pc.is_null(column), fine)


def _fits(column: pa.ChunkedArray, item: Field) -> pa.ChunkedArray:
    """Say of an exact column which of its values the field's type holds: most often all, which is quick to see."""
    kind = _type_of(item)
    try:
        _cast(column, kind)
    except pa.ArrowInvalid:
        if not (pa.types.is_decimal(kind) and pa.types.is_decimal128(column.type)):
            return pc.is_null(column)
        whole = pc.equal(pc.round(column, ndigits=kind.scale, round_mode="towards_zero"), column)
        small = pc.less(pc.abs(column), pa.scalar(Decimal(10) ** (kind.precision - kind.scale)))
        return pc.fill_null(pc.and_(whole, small), fill_value=True)
    return _all_true(len(column))


def _all_true(size: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([True] * size, pa.bool_())])


def _typed(rows: pa.Table, item: Field) -> pa.ChunkedArray:
    kind = _type_of(item)
    if item.code not in rows.column_names:
        return pa.chunked_array([pa.nulls(len(rows), kind)])
    column = rows[item.code]
    if item.kind == "date" and _is_text(column):
        column = pc.utf8_slice_codeunits(column, 0, len("2016-01-31"))
    return _cast(column, kind)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Cast safely: what would lose a digit raises ArrowInvalid."""
    if pa.types.is_integer(column.type) and pa.types.is_decimal(kind):
        # Arrow wants room for every value of the type; only then it looks at those that are there.
        column = pc.cast(column, pa.decimal128(WHOLE_DIGITS, 0))
    return pc.cast(column, kind)


def _typed_rows(rows: pa.Table, group: Group) -> tuple[pa.Array, pa.Array]:
    """Return the rows of a group as lists of structs, and which records' rows can all stand as they are."""
    struct = pa.struct([(item.code, _type_of(item)) for item in group.fields])
    cells = rows[group.code].to_pylist() if group.code in rows.column_names else [None] * len(rows)
    lists: list[list[dict[str, Any]]] = []
    sound: list[bool] = []
    for cell in cells:
        found, fault = _rows(group, cell)
        fine = fault is None and all(
            field_reason(item, row.get(item.code)) is None for row in found for item in group.fields
        )
        lists.append(found if fine else [])
        sound.append(fine)
    return pa.array(lists, pa.list_(struct)), pa.array(sound, pa.bool_())


def _type_of(item: Field) -> pa.DataType:
    if item.kind == "number":
        return _exact_type(item)
    return pa.date32() if item.kind == "date" else pa.string()


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def values_of(
    cells: Mapping[str, Any], version: MethodologyVersion, *, exponents: bool
) -> tuple[dict[str, Value], str | None]:
    """Return one row's values by field code, and the reason why a cell holds none, if one does not.

    The reason is that of the first field that is no value or may not stand; all else is for the engine to say.
    """
    values: dict[str, Value] = {}
    for item in version.fields:
        value, fault = _value(item, cells.get(item.code), exponents=exponents)
        if fault is None:
            fault = field_reason(item, value)
        if fault is not None:
            return values, fault
        values[item.code] = value
    for group in version.groups:
        rows, fault = _rows(group, cells.get(group.code))
        if fault is not None:
            return values, fault
        values[group.code] = rows
    return values, None


def _value(item: Field, cell: Any, *, exponents: bool) -> tuple[Decimal | str | date | None, str | None]:
    """Return what a cell holds, or the reason why it holds no value of the field's kind."""
    text = "" if cell is None else str(cell).strip()
    if text == "":
        return None, None
    formula = f"{FORMULA_CELL}:{item.code}" if text.startswith(_FORMULA_SIGNS) else None
    if item.kind == "choice":
        return text, None if text in item.options else formula
    if item.kind == "date":
        day = _date(text)
        return day, None if day is not None else formula or f"{NOT_A_DATE}:{item.code}"
    number = number_of(text, exponents=exponents)
    return number, None if number is not None else formula or f"{NOT_A_NUMBER}:{item.code}"


def _rows(group: Group, cell: Any) -> tuple[list[dict[str, Any]], str | None]:
    """Return the rows that a cell holds as a JSON list of objects, or the reason why it does not."""
    if cell is None or str(cell).strip() == "":
        return [], None
    try:
        found = json.loads(str(cell), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        return [], f"{NOT_ROWS}:{group.code}"
    names = {name.casefold(): item for item in group.fields for name in names_of(item)}
    rows: list[dict[str, Any]] = []
    for row in found:
        values: dict[str, Any] = {}
        for name, inner in row.items():
            item = names.get(name.casefold())
            if item is None:
                continue
            value, fault = _value(item, inner, exponents=True)
            if fault is not None:
                code, _, about = fault.partition(":")
                return [], f"{code}:{group.code}.{about}"
            values[item.code] = value
        rows.append(values)
    return rows, None


def number_of(text: str, *, exponents: bool) -> Decimal | None:
    """Read a number exactly; None for anything else. `exponents`: 1e3 is a number here."""
    if len(text) > CELL_DIGITS_MAX:
        return None
    if _NUMBER.match(text) or (exponents and _WITH_EXPONENT.match(text)):
        return Decimal(text)
    return None


def _date(text: str) -> date | None:
    match = _DATE.match(text)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
