"""From cells to values (单元格到数值): whole columns at once where every cell is plain, else cell by cell, always exact.

A row is *plain* when each of its numbers is written as digits that the field's decimal type holds and no cell looks
like a formula. Whatever else may still be lawful (a space around it, more digits) is left to the cell-by-cell way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tanpuhui.science.engine import Field, MethodologyVersion
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits
from tanpuhui.science.engine.interpreter import Value

NOT_A_NUMBER = "NOT_A_NUMBER"
FORMULA_CELL = "FORMULA_CELL"
NARROW_DIGITS = 18
CELL_DIGITS_MAX = 100
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\Z")
_WITH_EXPONENT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]{1,3}\Z")
_FORMULA_SIGNS = ("=", "+", "-", "@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """A block's rows: the plain ones with the version's types, ready for its SQL, and the places of the others."""

    plain: pa.Table
    odd: tuple[int, ...]


def sort_rows(rows: pa.Table, version: MethodologyVersion) -> Sorted:
    """Type the plain rows (row_no, and a column per field by its code) and say which rows are not plain."""
    plain = pa.chunked_array([pa.array([True] * len(rows))])
    for item in version.fields:
        if item.code in rows.column_names:
            plain = pc.and_(plain, _is_plain(rows[item.code], item))
    odd = tuple(pc.indices_nonzero(pc.invert(plain)).to_pylist())
    kept = rows.filter(plain) if odd else rows
    columns = {"row_no": kept["row_number"]}
    for item in version.fields:
        columns[item.code] = _typed(kept, item)
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
    else:
        exact = _exact_type(item)
        fraction = rf"(\.[0-9]{{1,{exact.scale}}})?" if exact.scale else ""
        pattern = rf"^-?[0-9]{{1,{exact.precision - exact.scale}}}{fraction}$"
        fine = pc.match_substring_regex(column, pattern)
    return pc.or_kleene(pc.is_null(column), fine)


def _fits(column: pa.ChunkedArray, item: Field) -> pa.ChunkedArray:
    """Say of an exact column whether its values fit the field's type: all of them, or it is for the other way."""
    try:
        pc.cast(column, _exact_type(item)) if item.kind == "number" else pc.cast(column, pa.string())
    except pa.ArrowInvalid:
        return pc.is_null(column)
    return pa.chunked_array([pa.array([True] * len(column))])


def _typed(rows: pa.Table, item: Field) -> pa.ChunkedArray:
    kind = pa.string() if item.kind == "choice" else _exact_type(item)
    if item.code not in rows.column_names:
        return pa.chunked_array([pa.nulls(len(rows), kind)])
    return pc.cast(rows[item.code], kind)


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def values_of(
    cells: Mapping[str, Any], version: MethodologyVersion, *, exponents: bool
) -> tuple[dict[str, Value], str | None]:
    """Return one row's values by field code, and the reason why a cell holds none, if one does not.

    The reason is that of the first field whose cell is no value; what the value may be is for the engine to say.
    """
    values: dict[str, Value] = {}
    for item in version.fields:
        cell = cells.get(item.code)
        text = "" if cell is None else str(cell).strip()
        if text == "":
            values[item.code] = None
        elif item.kind == "choice":
            if text not in item.options and text.startswith(_FORMULA_SIGNS):
                return values, f"{FORMULA_CELL}:{item.code}"
            values[item.code] = text
        else:
            number = number_of(text, exponents=exponents)
            if number is None:
                formula = text.startswith(_FORMULA_SIGNS)
                return values, f"{FORMULA_CELL if formula else NOT_A_NUMBER}:{item.code}"
            values[item.code] = number
    return values, None


def number_of(text: str, *, exponents: bool) -> Decimal | None:
    """Read a number exactly; None for anything else. `exponents`: 1e3 is a number here."""
    if len(text) > CELL_DIGITS_MAX:
        return None
    if _NUMBER.match(text) or (exponents and _WITH_EXPONENT.match(text)):
        return Decimal(text)
    return None
