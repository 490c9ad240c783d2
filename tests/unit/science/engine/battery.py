"""A battery of formulas and rows that shows each way in which a back end could go wrong, and the faults to plant.

`differences` runs it through a back end and names the formulas whose result differs from the interpreter's, or that
fail. A sound back end has none; each planted fault must give one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from sqlglot import exp
from tests.unit.science.engine.made_up import as_rows, field, made_up, trial

from tanpuhui.science.engine import (
    MethodologyVersion,
    compile_sql,
    dialects,
    load_version,
    pieces,
    version_sql,
)
from tanpuhui.science.engine.compile_sql import Compiler
from tanpuhui.science.engine.dialects import Dialect
from tanpuhui.science.engine.pieces import Piece

Rows = list[dict[str, Any]]
BackEnd = Callable[[MethodologyVersion, Rows], list[tuple[Any, ...]]]

ROWS: Rows = [
    {"a": Decimal(a), "b": Decimal(b), "c": Decimal(c)}
    for a, b, c in [
        ("60000", "999.99", "7"),
        ("59999.9999", "0.01", "7"),
        ("2.5", "-2.5", "2"),
        ("3.5", "3.5", "2"),
        ("0.0001", "-0.01", "0.001"),
        ("1", "-1", "3"),
        ("12345.6789", "-999.99", "0.7"),
    ]
] + [
    {"a": None, "b": Decimal(1), "c": Decimal(1)},
    {"a": Decimal(60001), "b": Decimal(1), "c": Decimal(1)},
    {"a": Decimal(1), "b": Decimal("1.001"), "c": Decimal(1)},
]
FORMULAS = [
    "a * 0.104 * 0.73",
    "a * a * 0.104000001 * 0.730000001",
    "a * 0.104 - a * 0.0087",
    "b * b - a + c",
    "round(b / c, 2, floor)",
    "round(b / c, 2, ceiling)",
    "round(b / c, 2, half_up)",
    "round(b / (-c), 6, half_even)",
    "round(b, 0, half_up)",
    "round(b, 0, half_even)",
    "round(a * a / 7, 8, floor)",
    "round(a * a * b / c, 6, half_up)",
    "round(a * a * a * b / (c * 1000000), 4, half_even)",
    "floor(b * 0.3)",
    "min(a, b * 1.001, 15)",
    "max(b, round(b, 0, floor), 0.5)",
    "if b * c > a * 0.001 then a * a * 0.0000001 else b",
]


WIDTHS = [
    ("0", "999999999999", 6),
    ("-99999999999999999999", "99999999999999999999", 18),
    ("0", "99999999999999999999", 0),
    ("-9223372036854775808", "9223372036854775808", 0),
    ("-1000000000", "1000000000", 9),
    ("-1", "1", 18),
    ("0", "99999999", 10),
]
"""Bounds and places of a field, from what fits 64 bits easily to 38 digits."""


def of_width(low: str, high: str, places: int) -> tuple[MethodologyVersion, Rows]:
    """Return a version whose only field has these bounds, and rows at its edges."""
    version = load_version(
        made_up(
            fields=field("a", "甲", low=low, high=high, places=places),
            formula="round(甲 / 100000000000, 6, half_even) * 1[gCO2e]",
        )
    )
    step = Decimal(1).scaleb(-places)
    with localcontext(prec=60):
        inside = [Decimal(low) + step, Decimal(high) - step, Decimal(high) / 8, Decimal(low) / 16, step]
        values = [
            Decimal(low),
            Decimal(high),
            *(value.quantize(step) for value in inside),
            Decimal(high) + step,
        ]
    return version, [{"a": value} for value in values]


def differences(back_end: BackEnd, failure: type[Exception]) -> Iterator[str]:
    """Yield the formulas of the battery in which the back end fails or says something else than the interpreter.

    `failure` is the error of its driver.
    """
    for formula in FORMULAS:
        version = trial(formula)
        assert version is not None, formula
        expected = [tuple(map(str, row)) for row in as_rows(version, ROWS)]
        try:
            said = [tuple(map(str, row)) for row in back_end(version, ROWS)]
        except failure as error:
            said = [(type(error).__name__,)]
        if said != expected:
            yield formula


def _no_rounding(
    _self: Compiler, _rule: str, _rest: Piece, _by: Piece, quotient: Piece, **_: bool
) -> exp.Expr:
    return _self.dialect.integer(0, wide=quotient.wide)


def _half_up_only(self: Compiler, _rule: str, *pieces_: Piece, signed: bool) -> exp.Expr:
    return STEP(self, "half_up", *pieces_, signed=signed)


def _places_lost(_self: Compiler, piece: Piece, places: int) -> Piece:
    return replace(piece, digits=replace(piece.bounds, places=places))


def _fraction_divided(self: Dialect, top: Piece, bottom: Piece, *, wide: bool) -> exp.Expr:
    """Divide as the back end does when nobody takes care: by a double, or rounded at a scale of its own."""
    of = exp.Div(this=top.sql.copy(), expression=bottom.sql.copy(), typed=False, safe=False)
    return pieces.as_type(exp.Paren(this=of), self.storage(wide=wide))


STEP = Compiler._step
FAULTS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "every rounding cuts off": ((Compiler, "_step", _no_rounding),),
    "half_even and ceiling round half up": ((Compiler, "_step", _half_up_only),),
    "operands are not brought to the same places": ((Compiler, "_counted_in", _places_lost),),
    "no number is widened": (
        (compile_sql, "is_wide", lambda _digits: False),
        (pieces, "is_wide", lambda _digits: False),
        (dialects, "is_wide", lambda _digits: False),
    ),
    "the quotient is a fraction that is cast": (
        (dialects.DuckDB, "quotient", _fraction_divided),
        (dialects.Postgres, "quotient", _fraction_divided),
        (dialects.Spark, "quotient", _fraction_divided),
    ),
    "a fault of a field is overlooked": ((version_sql, "_field_tests", lambda *_: []),),
}


@contextmanager
def planted(fault: str) -> Iterator[None]:
    """Break the compiler in the named way."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, broken in FAULTS[fault]:
            patch.setattr(owner, name, broken)
        yield
