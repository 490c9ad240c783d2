"""The pieces of an SQL text (SQL 片段): syntax nodes only, so that no text of an author is ever joined into SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from sqlglot import exp

from tanpuhui.science.engine.digits import EXACT, Digits

BIGINT_MAX = 2**63 - 1
BIGINT = exp.DataType.build("BIGINT")
TEXT = exp.DataType.build("TEXT")
DATE = exp.DataType.build("DATE")


@dataclass(frozen=True, slots=True)
class Piece:
    """An SQL expression and the layer from which it can be computed.

    A number has digits, and its SQL is a whole number of 10^-places: BIGINT where the bounds prove that 63 bits
    hold it, the wide type of the dialect otherwise. `value` is that whole number if it is a constant; `of` says
    that it is a constant multiple of another whole number, so that a·x - b·x can become (a - b)·x.
    """

    sql: exp.Expr
    layer: int = 0
    digits: Digits | None = None
    value: int | None = None
    of: tuple[Piece, int] | None = None

    @property
    def bounds(self) -> Digits:
        """The digits of a number."""
        if self.digits is None:
            message = "not a number"
            raise TypeError(message)
        return self.digits

    @property
    def places(self) -> int:
        """The decimal places that its whole number counts."""
        return self.bounds.places

    @property
    def wide(self) -> bool:
        """Whether it needs the wide type."""
        return is_wide(self.bounds)

    @property
    def single(self) -> bool:
        """Whether it may be written several times at no cost: a column or a constant."""
        return self.value is not None or isinstance(self.sql, exp.Column | exp.Dot)


def counts(digits: Digits) -> tuple[int, int]:
    """Return the least and the greatest whole number of 10^-places."""
    return int(digits.low.scaleb(digits.places, EXACT)), int(digits.high.scaleb(digits.places, EXACT))


def is_wide(digits: Digits) -> bool:
    """Return whether the whole number may need more than 63 bits."""
    return max(map(abs, counts(digits))) > BIGINT_MAX


def counted(low: int, high: int, places: int = 0) -> Digits:
    """Return the digits of a whole number of 10^-places between two others."""
    return Digits(Decimal(low).scaleb(-places, EXACT), Decimal(high).scaleb(-places, EXACT), places)


def column(name: str) -> exp.Expr:
    """Return a quoted column."""
    return exp.column(exp.to_identifier(name, quoted=True))


def text(value: str) -> exp.Expr:
    """Return a text constant."""
    return exp.Literal.string(value)


def decimal_type(total: int, places: int) -> exp.DataType:
    """Return DECIMAL(total, places)."""
    return exp.DataType.build(f"DECIMAL({total}, {places})")


def as_type(sql: exp.Expr, to: exp.DataType) -> exp.Expr:
    """Return CAST(sql AS to), always: sqlglot's own `cast` drops a cast between two DECIMALs of unlike digits."""
    return exp.Cast(this=sql.copy(), to=to.copy())


def decimal(value: Decimal) -> exp.Expr:
    """Return an exact DECIMAL constant; as text in a cast, so that no back end reads it as a double."""
    digits = Digits.of(value)
    return as_type(text(f"{value:f}"), decimal_type(digits.total, digits.places))


def case(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Expr:
    """Return CASE WHEN … THEN … ELSE … END; null without ELSE; the ELSE alone when there is no branch."""
    if not branches:
        return otherwise.copy() if otherwise is not None else exp.null()
    ifs = [exp.If(this=test.copy(), true=value.copy()) for test, value in branches]
    return exp.Case(ifs=ifs, default=otherwise.copy() if otherwise is not None else None)


def paren(sql: exp.Expr) -> exp.Expr:
    """Return the expression as an operand: in parentheses, unless it stands alone anyway."""
    alone = isinstance(sql, exp.Column | exp.Dot | exp.Cast | exp.Paren | exp.Case | exp.Func | exp.Subquery)
    return sql.copy() if alone else exp.Paren(this=sql.copy())


def join(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Return two expressions joined by an operator."""
    return kind(this=paren(left), expression=paren(right))


def is_null(sql: exp.Expr) -> exp.Expr:
    """Return sql IS NULL."""
    return exp.Is(this=sql.copy(), expression=exp.null())


def is_present(sql: exp.Expr) -> exp.Expr:
    """Return NOT sql IS NULL."""
    return exp.Not(this=is_null(sql))


def all_of(tests: Sequence[exp.Expr]) -> exp.Expr:
    """Return the conjunction; TRUE of none."""
    first, *rest = [test.copy() for test in tests] or [exp.true()]
    return reduce(lambda a, b: exp.And(this=a, expression=b), rest, first)


def any_of(tests: Sequence[exp.Expr]) -> exp.Expr:
    """Return the disjunction; FALSE of none."""
    first, *rest = [test.copy() for test in tests] or [exp.false()]
    return reduce(lambda a, b: exp.Or(this=a, expression=b), rest, first)
