"""The dialects (方言): what DuckDB, PostgreSQL and Spark do each in its own way. All else of the SQL is the same.

Numbers are whole numbers of 10^-places (see `Piece`), so no back end rounds, cuts off or divides by rules of its own:
DuckDB's decimal division is a binary double, PostgreSQL's stops at a scale of its choosing, Spark gives up places.
"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import ClassVar, Literal

from sqlglot import exp

from tanpuhui.science.engine.dialect_rows import JsonRows, Levels, ListRows, Rows, call, with_names
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits
from tanpuhui.science.engine.pieces import (
    BIGINT,
    BIGINT_MAX,
    DATE,
    TEXT,
    Piece,
    all_of,
    as_type,
    case,
    decimal,
    decimal_type,
    is_wide,
    join,
    paren,
    text,
)

DialectName = Literal["duckdb", "postgres", "spark"]
# A DECIMAL of so many digits is held in 64 bits by DuckDB, which needs fifty times as long for a wider one.
NARROW_DIGITS = 18


class Dialect(Rows):
    """What a back end does in its own way."""

    name: ClassVar[DialectName]
    wide: ClassVar[exp.DataType]

    def storage(self, *, wide: bool) -> exp.DataType:
        """Return the type that holds a whole number."""
        return self.wide if wide else BIGINT

    def integer(self, value: int, *, wide: bool) -> exp.Expr:
        """Return an integer constant."""
        return as_type(text(str(value)), self.storage(wide=wide))

    @abstractmethod
    def count(self, raw: exp.Expr, digits: Digits) -> exp.Expr:
        """Return how many 10^-places a decimal is; its value lies within its digits."""

    def ordinal(self, raw: exp.Expr) -> exp.Expr:
        """Return the proleptic ordinal of a date: 1 for 0001-01-01."""
        days = as_type(exp.Paren(this=join(exp.Sub, raw, as_type(text("0001-01-01"), DATE))), BIGINT)
        return join(exp.Add, days, self.integer(1, wide=False))

    @abstractmethod
    def quotient(self, top: Piece, bottom: Piece, *, wide: bool) -> exp.Expr:
        """Return the quotient of two single integers, cut towards zero and held as `wide` says."""

    def fraction(self, count: exp.Expr, places: int) -> exp.Expr:
        """Return a count of 10^-places, of magnitude below 1, as DECIMAL(places + 1, places)."""
        total = NARROW_DIGITS if places <= NARROW_DIGITS else MAX_DIGITS
        product = join(exp.Mul, as_type(count, decimal_type(total, 0)), decimal(Decimal(1).scaleb(-places)))
        return as_type(product, decimal_type(places + 1, places))

    def fenced(self, select: exp.Select) -> exp.Select:
        """Return the select so that its columns are computed once, however often they are used further out."""
        return select

    def _split(self, raw: exp.Expr, digits: Digits) -> exp.Expr:
        """Count the whole and the fraction apart, where their product would need more digits than there are."""
        places, wide = digits.places, is_wide(digits)
        floor = exp.Floor(this=raw.copy())
        total = NARROW_DIGITS if 2 * places <= NARROW_DIGITS else 2 * places + 1
        rest = as_type(join(exp.Sub, raw, floor), decimal_type(total, places))
        many = as_type(join(exp.Mul, rest, decimal(Decimal(10) ** places)), self.storage(wide=wide))
        whole = join(exp.Mul, as_type(floor, self.storage(wide=wide)), self.integer(10**places, wide=wide))
        return exp.Paren(this=join(exp.Add, whole, many))


class DuckDB(ListRows, Dialect):
    """DuckDB: quick in 64 bits; the division of a greater HUGEINT takes a hundred times as long."""

    name = "duckdb"
    wide = exp.DataType.build("HUGEINT", dialect="duckdb")
    transform, filtered, distinct, length = "LIST_TRANSFORM", "LIST_FILTER", "LIST_DISTINCT", "LEN"
    picked = ("LIST_EXTRACT", 1)

    def count(self, raw: exp.Expr, digits: Digits) -> exp.Expr:
        """Multiply within DECIMAL(18): the product of two narrow decimals stays in 64 bits and raises beyond."""
        if not digits.places:
            return as_type(raw, self.storage(wide=is_wide(digits)))
        if digits.total + digits.places > NARROW_DIGITS:
            return self._split(raw, digits)
        held = as_type(raw, decimal_type(NARROW_DIGITS, digits.places))
        return as_type(join(exp.Mul, held, decimal(Decimal(10) ** digits.places)), BIGINT)

    def quotient(self, top: Piece, bottom: Piece, *, wide: bool) -> exp.Expr:
        """Divide in 64 bits; of wide integers those rows that happen to fit, the others in 128 bits."""
        long = exp.IntDiv(this=top.sql.copy(), expression=bottom.sql.copy())
        if not top.wide and not bottom.wide:
            return as_type(exp.Paren(this=long), self.wide) if wide else long
        limits = {
            "low": self.integer(-BIGINT_MAX, wide=True),
            "high": self.integer(BIGINT_MAX, wide=True),
        }
        fits = [exp.Between(this=item.sql.copy(), **limits) for item in (top, bottom) if item.wide]
        short = exp.IntDiv(this=as_type(top.sql, BIGINT), expression=as_type(bottom.sql, BIGINT))
        to = self.storage(wide=wide)
        return case(
            (all_of(fits), as_type(exp.Paren(this=short), to)), otherwise=as_type(exp.Paren(this=long), to)
        )

    def struct(self, columns: list[tuple[str, exp.Expr]]) -> exp.Expr:
        """Return {'name': value, …}."""
        named = [(exp.to_identifier(name, quoted=True), value.copy()) for name, value in columns]
        return exp.Struct(expressions=[exp.PropertyEQ(this=name, expression=value) for name, value in named])

    def total(self, group: exp.Expr, levels: Levels, item: exp.Expr, held: exp.DataType) -> exp.Expr:
        """Sum the list, which is null of no row and a HUGEINT otherwise."""
        total = call("LIST_SUM", self.items(group, levels, item))
        return as_type(exp.Coalesce(this=total, expressions=[exp.Literal.number(0)]), held)


class Postgres(JsonRows, Dialect):
    """PostgreSQL: bigint, and numeric without bounds, whose DIV() is exact."""

    name = "postgres"
    wide = exp.DataType.build("DECIMAL")

    def count(self, raw: exp.Expr, digits: Digits) -> exp.Expr:
        """Multiply numeric, which holds every product."""
        product = join(exp.Mul, raw, decimal(Decimal(10) ** digits.places)) if digits.places else raw
        return as_type(product, self.storage(wide=is_wide(digits)))

    def quotient(self, top: Piece, bottom: Piece, *, wide: bool) -> exp.Expr:
        """Cut bigint by `/`, numeric by DIV(): `/` on numeric would round at a scale of its own."""
        if not top.wide and not bottom.wide:
            whole = exp.Div(this=top.sql.copy(), expression=bottom.sql.copy(), typed=True, safe=False)
            return as_type(exp.Paren(this=whole), self.wide) if wide else whole
        long = exp.IntDiv(this=top.sql.copy(), expression=bottom.sql.copy())
        return long if wide else as_type(long, BIGINT)

    def fenced(self, select: exp.Select) -> exp.Select:
        """Keep the planner from writing an inner column out at each of its uses, which grows by powers."""
        return select.offset(0)


class Spark(ListRows, Dialect):
    """Spark in ANSI mode: a product beyond 38 digits or 63 bits is an error, not null."""

    name = "spark"
    wide = decimal_type(MAX_DIGITS, 0)
    transform, filtered, distinct, length = "TRANSFORM", "FILTER", "ARRAY_DISTINCT", "SIZE"
    picked = ("GET", 0)

    def count(self, raw: exp.Expr, digits: Digits) -> exp.Expr:
        """Multiply where the type of the product keeps its places; Spark gives places up beyond 38 digits."""
        if not digits.places:
            return as_type(raw, self.storage(wide=is_wide(digits)))
        held = as_type(raw, decimal_type(digits.total, digits.places))
        if digits.total + digits.places + 2 > MAX_DIGITS:
            return self._split(held, digits)
        return as_type(
            join(exp.Mul, held, decimal(Decimal(10) ** digits.places)), self.storage(wide=is_wide(digits))
        )

    def ordinal(self, raw: exp.Expr) -> exp.Expr:
        """Count days by DATEDIFF: a date less a date is an interval in Spark."""
        days = call("DATEDIFF", raw, as_type(text("0001-01-01"), DATE))
        return join(exp.Add, as_type(days, BIGINT), self.integer(1, wide=False))

    def quotient(self, top: Piece, bottom: Piece, *, wide: bool) -> exp.Expr:
        """DIV gives a bigint; beyond, the division of a multiple, which comes out even, keeps 32 digits."""
        if not wide:
            return exp.IntDiv(this=top.sql.copy(), expression=bottom.sql.copy())
        rest = exp.Paren(this=join(exp.Mod, top.sql, bottom.sql))
        even = as_type(exp.Paren(this=exp.Sub(this=paren(top.sql), expression=rest)), self.wide)
        whole = exp.Div(this=even, expression=as_type(bottom.sql, self.wide), typed=True, safe=False)
        return as_type(exp.Paren(this=whole), self.wide)

    def struct(self, columns: list[tuple[str, exp.Expr]]) -> exp.Expr:
        """Return NAMED_STRUCT('name', value, …)."""
        return call("NAMED_STRUCT", *(part for name, value in columns for part in (text(name), value)))

    def total(self, group: exp.Expr, levels: Levels, item: exp.Expr, held: exp.DataType) -> exp.Expr:
        """Add up from 0, each step in the type of the result."""
        so_far, one = exp.to_identifier("so_far"), exp.to_identifier("one")
        plus = as_type(exp.Paren(this=exp.Add(this=so_far.copy(), expression=one.copy())), held)
        items = self.items(group, levels, as_type(item, held))
        return call("AGGREGATE", items, as_type(text("0"), held), with_names(plus, so_far, one))

    def fraction(self, count: exp.Expr, places: int) -> exp.Expr:
        """Write very long fractions as digits: a product of so many would lose the last ones."""
        if places <= NARROW_DIGITS:
            return super().fraction(count, places)
        size = exp.Abs(this=count.copy())
        digits = exp.Pad(
            this=as_type(size, TEXT),
            expression=exp.Literal.number(places),
            fill_pattern=text("0"),
            is_left=True,
        )
        negative = exp.LT(this=count.copy(), expression=exp.Literal.number(0))
        sign = case((negative, text("-0.")), otherwise=text("0."))
        return as_type(
            exp.Concat(expressions=[sign, digits], safe=False, coalesce=False),
            decimal_type(places + 1, places),
        )


DIALECTS: dict[DialectName, Dialect] = {"duckdb": DuckDB(), "postgres": Postgres(), "spark": Spark()}
SPARK_SETTINGS = {"spark.sql.ansi.enabled": "true", "spark.sql.decimalOperations.allowPrecisionLoss": "true"}
"""What a Spark session must say for the SQL to be exact: errors instead of nulls, and its own default for places."""
