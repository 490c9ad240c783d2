"""The SQL compiler (编译为 SQL): the checked tree to a SELECT for DuckDB or PostgreSQL, through sqlglot.

Only syntax nodes are built; no text of an author is ever joined into SQL. DuckDB needs care that PostgreSQL
`numeric` does not: its products stay within the operands' machine width unless one is widened, a CASE over two
scales cuts digits off, and every decimal division is a binary double. So operands are widened where the
derived digits ask for it, branches are cast to one type, and division is integer division of scaled HUGEINTs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Literal

from sqlglot import exp

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits, aligned

Dialect = Literal["duckdb", "postgres"]
# DuckDB computes DECIMAL up to 18 digits in 64-bit integers and raises an overflow instead of widening.
NARROW_DIGITS = 18
HUGEINT = exp.DataType.build("HUGEINT", dialect="duckdb")
TEXT = exp.DataType.build("TEXT")
BIGINT = exp.DataType.build("BIGINT")
COMPARISONS = {"<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE, "=": exp.EQ, "!=": exp.NEQ}


@dataclass(frozen=True, slots=True)
class Piece:
    """An SQL expression, the layer from which it can be computed, and whether DuckDB holds it in 128 bits."""

    sql: exp.Expr
    layer: int = 0
    wide: bool = False


@dataclass(slots=True)
class Layers:
    """Columns that must stand in a subquery of their own before others can use them."""

    columns: list[list[tuple[str, exp.Expr]]] = field(default_factory=list)
    counter: int = 0

    def add(self, piece: Piece, name: str = "") -> Piece:
        """Make the piece a column of its layer and return the reference to it, one layer further on."""
        while len(self.columns) <= piece.layer:
            self.columns.append([])
        self.counter += 1
        name = name or f"n{self.counter}"
        self.columns[piece.layer].append((name, piece.sql))
        return Piece(column(name), piece.layer + 1, piece.wide)


def column(name: str) -> exp.Expr:
    """Return a quoted column."""
    return exp.column(exp.to_identifier(name, quoted=True))


def decimal_type(total: int, places: int) -> exp.DataType:
    """Return DECIMAL(total, places)."""
    return exp.DataType.build(f"DECIMAL({total}, {places})")


def as_type(sql: exp.Expr, to: exp.DataType) -> exp.Expr:
    """Return CAST(sql AS to), always: sqlglot's own `cast` drops a cast between two DECIMALs of unlike digits."""
    return exp.Cast(this=sql.copy(), to=to.copy())


def constant(value: Decimal, *, digits: Digits | None = None) -> exp.Expr:
    """Return an exact DECIMAL constant; as text in a cast, so that no back end reads it as a double."""
    digits = digits or Digits.of(value)
    return as_type(exp.Literal.string(f"{value:f}"), decimal_type(digits.total, digits.places))


def case(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr) -> exp.Expr:
    """Return CASE WHEN … THEN … ELSE … END."""
    ifs = [exp.If(this=test.copy(), true=value.copy()) for test, value in branches]
    return exp.Case(ifs=ifs, default=otherwise.copy())


def paren(piece: exp.Expr) -> exp.Expr:
    """Return the expression in parentheses."""
    return exp.Paren(this=piece.copy())


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles checked nodes; `names` maps the code of a symbol to the piece that holds its value."""

    dialect: Dialect
    layers: Layers
    names: dict[str, Piece]

    def compile(self, checked: Checked) -> Piece:  # noqa: PLR0911 - one case per node type
        """Return the SQL of a number, truth or choice."""
        node = checked.node
        match node:
            case tree.Number():
                return Piece(constant(node.value), 0, self._digits(checked).total > NARROW_DIGITS)
            case tree.Text():
                return Piece(exp.Literal.string(node.value))
            case tree.Name():
                return self.names[checked.symbol.code if checked.symbol else ""]
            case tree.Negative():
                part = self.compile(checked.parts[0])
                return Piece(exp.Neg(this=paren(part.sql)), part.layer, part.wide)
            case tree.Arithmetic():
                return self._arithmetic(checked, node.operator)
            case tree.Convert():
                factor = Piece(constant(checked.factor or Decimal(1)))
                return self._product(checked, self.compile(checked.parts[0]), factor)
            case tree.Floor():
                part = self.compile(checked.parts[0])
                return Piece(exp.Floor(this=part.sql.copy()), part.layer, part.wide)
            case tree.Round():
                return self._round(checked, node)
        return self._choice_of_values(checked)

    def _choice_of_values(self, checked: Checked) -> Piece:
        node = checked.node
        match node:
            case tree.Condition():
                test = self.compile(checked.parts[0])
                (then, otherwise), wide = self._aligned(checked.parts[1:])
                sql = case((test.sql, then.sql), otherwise=otherwise.sql)
                return Piece(sql, max(test.layer, then.layer, otherwise.layer), wide)
            case tree.Extreme():
                several, wide = self._aligned(checked.parts)
                first, *rest = (piece.sql.copy() for piece in several)
                kind = exp.Least if node.kind == "min" else exp.Greatest
                return Piece(
                    kind(this=first, expressions=rest, ignore_nulls=False),
                    max(p.layer for p in several),
                    wide,
                )
            case tree.Comparison():
                if checked.parts[0].kind == "number":
                    (left, right), _ = self._aligned(checked.parts)
                else:
                    left, right = (self.compile(part) for part in checked.parts)
                sql = COMPARISONS[node.operator](this=left.sql.copy(), expression=right.sql.copy())
                return Piece(exp.Paren(this=sql), max(left.layer, right.layer))
            case tree.Logic():
                left, right = (self.compile(part) for part in checked.parts)
                join = exp.And if node.operator == "and" else exp.Or
                sql = join(this=left.sql.copy(), expression=right.sql.copy())
                return Piece(exp.Paren(this=sql), max(left.layer, right.layer))
            case tree.Not():
                part = self.compile(checked.parts[0])
                return Piece(exp.Not(this=paren(part.sql)), part.layer)
        message = f"no SQL for {type(node).__name__}"
        raise TypeError(message)

    @staticmethod
    def _digits(checked: Checked) -> Digits:
        if checked.digits is None:
            message = "an unset parameter has no SQL"
            raise ValueError(message)
        return checked.digits

    def _aligned(self, parts: tuple[Checked, ...]) -> tuple[list[Piece], bool]:
        """Compile parts and cast them to the one DECIMAL type that holds all of them exactly."""
        total, places = aligned(*(self._digits(part) for part in parts))
        wide = total > NARROW_DIGITS
        cast_to = decimal_type(total, places)
        pieces = [self.compile(part) for part in parts]
        return [Piece(as_type(piece.sql, cast_to), piece.layer, wide) for piece in pieces], wide

    def _arithmetic(self, checked: Checked, operator: str) -> Piece:
        if operator == "*":
            left, right = (self.compile(part) for part in checked.parts)
            return self._product(checked, left, right)
        (left, right), wide = self._aligned(checked.parts)
        left_sql = left.sql
        if not wide and self._digits(checked).total > NARROW_DIGITS:
            places = self._digits(checked.parts[0]).places
            left_sql, wide = as_type(left_sql, decimal_type(MAX_DIGITS, places)), True
        join = exp.Add if operator == "+" else exp.Sub
        sql = join(this=paren(left_sql), expression=paren(right.sql))
        return Piece(exp.Paren(this=sql), max(left.layer, right.layer), wide)

    def _product(self, checked: Checked, left: Piece, right: Piece) -> Piece:
        wide = left.wide or right.wide
        left_sql = left.sql
        if self.dialect == "duckdb" and not wide and self._digits(checked).total > NARROW_DIGITS:
            places = self._digits(checked.parts[0]).places
            left_sql, wide = as_type(left.sql, decimal_type(MAX_DIGITS, places)), True
        sql = exp.Mul(this=paren(left_sql), expression=paren(right.sql))
        return Piece(exp.Paren(this=sql), max(left.layer, right.layer), wide)

    def _integer(self, piece: Piece, digits: Digits, shift: int) -> exp.Expr:
        """Return the value times 10^shift (shift ≥ its places) as an exact integer."""
        if self.dialect == "postgres":
            return exp.Mul(this=paren(piece.sql), expression=constant(Decimal(10) ** shift))

        def whole(sql: exp.Expr, power: int) -> exp.Expr:
            count = as_type(sql, HUGEINT)
            return exp.Mul(this=count, expression=hugeint(10**power)) if power else count

        if not digits.places:
            return whole(piece.sql.copy(), shift)
        floor = exp.Floor(this=piece.sql.copy())
        fraction = as_type(
            exp.Paren(this=exp.Sub(this=paren(piece.sql), expression=floor.copy())),
            decimal_type(digits.places + 1, digits.places),
        )
        up = as_type(exp.Literal.string(str(10**digits.places)), decimal_type(NARROW_DIGITS + 1, 0))
        scaled = exp.Mul(
            this=as_type(fraction, decimal_type(NARROW_DIGITS + 1, digits.places)), expression=up
        )
        return exp.Paren(
            this=exp.Add(
                this=whole(floor, shift), expression=whole(exp.Paren(this=scaled), shift - digits.places)
            )
        )

    def _round(self, checked: Checked, node: tree.Round) -> Piece:
        """Round once: integer quotient and rest of scaled integers, then the rule on the rest."""
        part = checked.parts[0]
        above, places = self._digits(part), node.places
        value = self.compile(part)
        under = self._digits(checked.parts[1]) if node.divisor is not None else Digits.of(Decimal(1))
        divisor = self.compile(checked.parts[1]) if node.divisor is not None else Piece(constant(Decimal(1)))
        if node.divisor is None and places >= above.places:
            return value
        sign = 1 if under.low > 0 else -1
        top = self._integer(value, above, max(above.places, under.places + places))
        bottom = self._integer(divisor, under, max(under.places, above.places - places))
        if sign < 0:
            top, bottom = exp.Neg(this=exp.Paren(this=top)), exp.Neg(this=exp.Paren(this=bottom))
        layer = max(value.layer, divisor.layer)
        top_ref = self.layers.add(Piece(top, layer, wide=True))
        bottom_ref = self.layers.add(Piece(bottom, layer, wide=True))
        quotient = self.layers.add(Piece(self._int_div(top_ref.sql, bottom_ref.sql), layer + 1, wide=True))
        product = exp.Mul(this=quotient.sql.copy(), expression=bottom_ref.sql.copy())
        rest = self.layers.add(
            Piece(exp.Sub(this=top_ref.sql.copy(), expression=product), layer + 2, wide=True)
        )
        step = self._step(node.rule, rest.sql, bottom_ref.sql, quotient.sql)
        counted: exp.Expr = exp.Paren(this=exp.Add(this=quotient.sql.copy(), expression=step))
        if self.dialect == "duckdb":
            counted = as_type(counted, decimal_type(MAX_DIGITS, 0))
        one = as_type(exp.Literal.string(f"{Decimal(1).scaleb(-places):f}"), decimal_type(places + 1, places))
        sql = exp.Paren(this=exp.Mul(this=counted, expression=one)) if places else counted
        return Piece(sql, layer + 3, wide=True)

    def _int_div(self, top: exp.Expr, bottom: exp.Expr) -> exp.Expr:
        """Return the quotient cut towards zero: DuckDB `//` on HUGEINT, PostgreSQL DIV() on numeric."""
        return exp.IntDiv(this=top.copy(), expression=bottom.copy())

    def _number(self, value: int) -> exp.Expr:
        return hugeint(value) if self.dialect == "duckdb" else constant(Decimal(value))

    def _step(self, rule: tree.Rule, rest: exp.Expr, by: exp.Expr, quotient: exp.Expr) -> exp.Expr:
        """Return what the rule adds to a quotient that was cut towards zero; the divisor is positive."""
        zero, plus, minus = self._number(0), self._number(1), self._number(-1)
        negative, positive = (
            exp.LT(this=rest.copy(), expression=zero),
            exp.GT(this=rest.copy(), expression=zero),
        )
        if rule == "floor":
            return exp.Paren(this=case((negative, minus), otherwise=zero))
        if rule == "ceiling":
            return exp.Paren(this=case((positive, plus), otherwise=zero))
        size = exp.Abs(this=rest.copy())
        other = exp.Paren(this=exp.Sub(this=by.copy(), expression=size.copy()))
        far: exp.Expr = exp.GTE(this=size.copy(), expression=other.copy())
        if rule == "half_even":
            half = self._int_div(quotient, self._number(2))
            odd = exp.NEQ(this=exp.Mul(this=half, expression=self._number(2)), expression=quotient.copy())
            tie = exp.And(
                this=exp.EQ(this=size.copy(), expression=other.copy()), expression=exp.Paren(this=odd)
            )
            far = exp.Or(
                this=exp.GT(this=size.copy(), expression=other.copy()), expression=exp.Paren(this=tie)
            )
        negative_far = exp.And(this=exp.Paren(this=far.copy()), expression=negative)
        return exp.Paren(this=case((negative_far, minus), (far, plus), otherwise=zero))


def hugeint(value: int) -> exp.Expr:
    """Return a HUGEINT constant."""
    return as_type(exp.Literal.string(str(value)), HUGEINT)


def all_of(tests: list[exp.Expr]) -> exp.Expr:
    """Return the conjunction; TRUE of none."""
    first, *rest = [test.copy() for test in tests] or [exp.true()]
    return reduce(lambda a, b: exp.And(this=a, expression=b), rest, first)
