"""Running a methodology version over a table (批量计算): text to exact decimals, then the engine's SQL."""

from __future__ import annotations

from typing import Any

from tanpuhui.behaviour.activity.adapters.tables import case, quoted, text
from tanpuhui.science.engine.model import Field, MethodologyVersion
from tanpuhui.science.engine.version_sql import sql as version_sql

INTEGER_DIGITS_MAX = 12
NARROW_PLACES_MAX = 6
MICRO = 1_000_000
GRANTED_TYPE = "DECIMAL(18, 6)"
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"
_TOO_LARGE = rf"[+-]?0*[1-9][0-9]{{{INTEGER_DIGITS_MAX},}}(\.[0-9]+)?"

REASON_OF_ENGINE = {
    "FIELD_MISSING": "MISSING_FIELD",
    "TOO_MANY_PLACES": "BAD_NUMBER",
    "NO_CALCULATION": "NO_VARIANT",
}
"""The engine's words for what intake says in its own."""


def from_micro(expression: str) -> str:
    """Return SQL for whole millionths as an exact decimal; a division would go through a binary double."""
    return f"(({expression})::decimal(19, 0) * 0.000001::decimal(7, 6))::{GRANTED_TYPE}"


def decimal_type(item: Field) -> str:
    """Return the exact type of a number field: narrow where 18 digits hold it."""
    return f"DECIMAL({18 if item.places <= NARROW_PLACES_MAX else 38}, {item.places})"


def is_number(cell: str) -> str:
    """Return SQL that says whether a cell is a plain number."""
    return f"regexp_full_match({cell}, {text(_NUMBER)})"


def is_formula(cell: str) -> str:
    """Return SQL that says whether a spreadsheet would take the cell for a formula."""
    return f"(case when {cell}[1] in ('=', '+', '-', '@') then not {is_number(cell)} else false end)"


def typed(item: Field) -> str:
    """Return SQL that turns the cell of a field into its type; an empty cell is a missing value."""
    cell = quoted(item.code)
    if item.kind == "choice":
        return f"nullif({cell}, '')"
    return f"try_cast(nullif({cell}, '') as {decimal_type(item)})"


def fault_of(item: Field) -> str:
    """Return SQL for the reason why a cell cannot stand in the field, null when it can."""
    cell = quoted(item.code)
    branches = [(f"{cell} = ''", "null")]
    if item.kind == "choice":
        branches += [
            (f"{cell} in ({', '.join(text(option) for option in item.options)})", "null"),
            (is_formula(cell), "'FORMULA_CELL'"),
        ]
        return case(branches, "'UNKNOWN_OPTION'")
    places = rf"(\.[0-9]{{1,{item.places}}}0*)?" if item.places else r"(\.0+)?"
    branches += [
        (f"regexp_full_match({cell}, {text(f'[0-9]{{1,{INTEGER_DIGITS_MAX}}}' + places)})", "null"),
        (is_formula(cell), "'FORMULA_CELL'"),
        (f"not {is_number(cell)}", "'BAD_NUMBER'"),
    ]
    if item.code.endswith("_km"):
        branches.append((f"{cell}[1] = '-' and regexp_matches({cell}, '[1-9]')", "'NEGATIVE_DISTANCE'"))
    branches += [
        (f"regexp_full_match({cell}, {text(_TOO_LARGE)})", "'OUT_OF_BOUNDS'"),
        (f"not regexp_full_match({cell}, {text('[+-]?[0-9]+' + places)})", "'BAD_NUMBER'"),
    ]
    return case(branches, "null")


def capped_field(version: MethodologyVersion) -> Field | None:
    """Return the field that the cap limits; None where records are counted, or there is no cap."""
    if version.cap is None or version.cap.quantity == "count":
        return None
    return version.activity_field(version.cap.quantity)


def may_be_negative(version: MethodologyVersion) -> bool:
    """Say whether a record of this version can give less than nothing; unknown digits count as yes."""
    known = [variant.grams_digits for variant in version.variants if not variant.unset]
    return any(digits is None or digits.low < 0 for digits in known)


def calculate(tables: Any, version: MethodologyVersion, *, relation: str, into: str) -> None:
    """Calculate every row of a relation into a new table (row_no, reason, variant, grams, remainder_g).

    The relation has row_no, the fields in their types, and `granted` (DECIMAL(18, 6), null: not clipped): the
    allowance that the cap left, in the unit of the capped quantity. Raises VersionBlocked.
    """
    item = capped_field(version)
    if version.cap is None:
        tables.execute(f"create table {into} as {version_sql(version, 'duckdb', relation)}")
        return
    if item is not None:
        allowed = f"granted::{decimal_type(item)}"
        tables.execute(
            f"create or replace view allowed as select * replace ({allowed} as granted) from {relation}"
        )
        tables.execute(
            f"create table {into} as {version_sql(version, 'duckdb', 'allowed', granted='granted')}"
        )
        return
    tables.execute(f"create table {into} as {version_sql(version, 'duckdb', relation)}")
    tables.execute(
        f"update {into} set grams = 0, remainder_g = 0 from {relation} as r "
        f"where {into}.row_no = r.row_no and r.granted = 0 and {into}.reason is null"
    )
