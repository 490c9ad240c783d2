"""The SQL compiler (编译为 SQL): checked trees to SQL expressions over layers of subqueries, for every dialect.

A number is computed as a whole number of 10^-places, in 63 bits wherever its bounds prove that they suffice: fastest
in every back end, and nothing can be rounded on the way. What several expressions use is a column of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sqlglot import exp

from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Branch, Checked, Guard
from tanpuhui.science.engine.dialects import Dialect
from tanpuhui.science.engine.digits import EXACT, Digits
from tanpuhui.science.engine.model import Field
from tanpuhui.science.engine.pieces import (
    Piece,
    all_of,
    any_of,
    as_type,
    case,
    column,
    counted,
    counts,
    is_null,
    is_wide,
    join,
    paren,
    text,
)

COMPARISONS = {"<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE, "=": exp.EQ, "!=": exp.NEQ}


@dataclass(frozen=True, slots=True)
class GroupRows:
    """The recorded rows of a group as a column (null in a row that has a fault), and how to read their fields."""

    recorded: Piece
    fields: tuple[Field, ...]


@dataclass(slots=True)
class Layers:
    """Columns that must stand in a subquery of their own before others can use them."""

    columns: list[list[tuple[str, exp.Expr]]] = field(default_factory=list)
    counter: int = 0

    def add(self, piece: Piece, name: str = "") -> Piece:
        """Make the piece a column of its layer and return the reference to it, one layer further on.

        A name of the caller's must be unique; without one the column gets a number.
        """
        while len(self.columns) <= piece.layer:
            self.columns.append([])
        self.counter += 1
        name = name or f"n{self.counter}"
        self.columns[piece.layer].append((name, piece.sql))
        return Piece(self.reference(name), piece.layer + 1, piece.digits)

    def reference(self, name: str) -> exp.Expr:
        """Return a column of an inner layer."""
        return column(name)

    def single(self, piece: Piece) -> Piece:
        """Return a piece that may be written several times: itself if short, else a column."""
        return piece if piece.single else self.add(piece)

    def over(self, source: exp.Select, dialect: Dialect) -> exp.Select:
        """Return the source with the columns of every layer, each layer a subquery of the next."""
        for level, added in enumerate(self.columns):
            columns = [exp.alias_(value, name, quoted=True) for name, value in added]
            inner = dialect.fenced(source).subquery(f"s{level}", copy=False)
            source = exp.select(exp.Star(), *columns).from_(inner, copy=False)
        return source


@dataclass(slots=True)
class RowLayers(Layers):
    """The same for the rows of a group, inside a sum or count."""

    dialect: Dialect = field(kw_only=True)

    def reference(self, name: str) -> exp.Expr:
        """Return a column of a level before."""
        return self.dialect.row_column(name)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles checked nodes; `names` maps the code of a symbol to the piece that holds its value."""

    dialect: Dialect
    layers: Layers
    names: dict[str, Piece]
    lookups: dict[int, Piece] = field(default_factory=dict)
    groups: Mapping[str, GroupRows] = field(default_factory=dict)

    def compile(self, checked: Checked) -> Piece:
        """Return the SQL of a number, truth or choice."""
        node = checked.node
        match node:
            case tree.Number():
                return constant(self.dialect, node.value)
            case tree.Text():
                if checked.kind == "date" and checked.digits is not None:
                    return constant(self.dialect, checked.digits.low)
                return Piece(text(node.value))
            case tree.Name():
                return self.names[checked.symbol.code if checked.symbol else ""]
            case tree.Comparison() | tree.Logic() | tree.Not():
                return self._truth(checked, node)
        return self._number(checked)

    def _number(self, checked: Checked) -> Piece:
        node = checked.node
        match node:
            case tree.Negative():
                return self._negated(self.compile(checked.parts[0]))
            case tree.Arithmetic():
                left, right = (self.compile(part) for part in checked.parts)
                return (
                    self._product(left, right)
                    if node.operator == "*"
                    else self._sum(node.operator, left, right)
                )
            case tree.Convert():
                return self._product(
                    self.compile(checked.parts[0]), constant(self.dialect, checked.factor or Decimal(1))
                )
        return self._selected(checked)

    def _selected(self, checked: Checked) -> Piece:
        node = checked.node
        match node:
            case tree.Condition():
                test = self.compile(checked.parts[0])
                then, otherwise = self.aligned([self.compile(part) for part in checked.parts[1:]])
                layer = max(test.layer, then.layer, otherwise.layer)
                digits = then.bounds.union(otherwise.bounds)
                return Piece(case((test.sql, then.sql), otherwise=otherwise.sql), layer, digits)
            case tree.Extreme():
                return self._extreme(node, [self.compile(part) for part in checked.parts])
            case tree.Lookup():
                return self.lookup(checked)
            case tree.Total():
                return self.total(checked, node)
        return self._rounding(checked)

    def _rounding(self, checked: Checked) -> Piece:
        node = checked.node
        match node:
            case tree.Days():
                start, end = (self.compile(part) for part in checked.parts)
                return self._sum("-", end, start)
            case tree.Floor():
                return self.rounded(self.compile(checked.parts[0]), 0, "floor")
            case tree.Round():
                value = self.compile(checked.parts[0])
                divisor = self.compile(checked.parts[1]) if node.divisor is not None else None
                return self.rounded(value, node.places, node.rule, divisor)
        message = f"no SQL for {type(node).__name__}"
        raise TypeError(message)

    def _truth(self, checked: Checked, node: tree.Comparison | tree.Logic | tree.Not) -> Piece:
        parts = [self.compile(part) for part in checked.parts]
        layer = max(part.layer for part in parts)
        match node:
            case tree.Comparison():
                left, right = parts if checked.parts[0].kind == "choice" else self.aligned(parts)
                sql = join(COMPARISONS[node.operator], left.sql, right.sql)
            case tree.Logic():
                sql = join(exp.And if node.operator == "and" else exp.Or, parts[0].sql, parts[1].sql)
            case tree.Not():
                sql = exp.Not(this=paren(parts[0].sql))
        return Piece(exp.Paren(this=sql), layer)

    def lookup(self, checked: Checked) -> Piece:
        """Return the cell of a table as a column, null where there is none; one column however often it is used."""
        known = self.lookups.get(id(checked))
        if known is not None:
            return known
        if not checked.branches:
            return replace(self._constant(0, 0), sql=exp.null(), value=None)
        keys = [self.layers.single(self.compile(key)) for key in checked.parts]
        values = self.aligned([self.compile(branch.value) for branch in checked.branches])
        tests = [self._branch_test(checked, branch, keys) for branch in checked.branches]
        digits = values[0].bounds
        for value in values[1:]:
            digits = digits.union(value.bounds)
        sql = case(*((test, value.sql) for test, value in zip(tests, values, strict=True)))
        piece = self.layers.add(Piece(sql, max(piece.layer for piece in (*keys, *values)), digits))
        self.lookups[id(checked)] = piece
        return piece

    def _branch_test(self, checked: Checked, branch: Branch, keys: list[Piece]) -> exp.Expr:
        """Return whether the record's keys are those of a branch: these choices, and its span of the number."""
        choices = [key for key, part in zip(keys, checked.parts, strict=True) if part.kind == "choice"]
        tests: list[exp.Expr] = [
            exp.EQ(this=key.sql.copy(), expression=text(choice))
            for key, choice in zip(choices, branch.choices, strict=True)
        ]
        for bound, kind in ((branch.low, exp.GTE), (branch.high, exp.LTE if branch.closed else exp.LT)):
            if bound is not None:
                number, limit = self.aligned([keys[-1], constant(self.dialect, bound)])
                tests.append(join(kind, number.sql, limit.sql))
        return all_of(tests)

    def guarded(self, guard: Guard) -> tuple[exp.Expr, int]:
        """Return whether a look-up is needed and finds nothing, and the layer from which that can be said."""
        path = [(self.compile(test), outcome) for test, outcome in guard.path]
        layer = max((test.layer for test, _ in path), default=0)
        if guard.total is None:
            found = self.lookup(guard.lookup)
            return all_of([*_taken(path), is_null(found.sql)]), max(layer, found.layer)
        inner, above = self._inside(guard.total)
        row_path = [(inner.compile(test), outcome) for test, outcome in guard.row_path]
        missing = all_of([*_taken(row_path), is_null(inner.lookup(guard.lookup).sql)])
        none, one = (self.dialect.integer(n, wide=False) for n in (0, 1))
        many = self._summed(guard.total, inner, case((missing, one), otherwise=none), wide=False)
        gaps = self.layers.add(Piece(many, above))
        return all_of([*_taken(path), exp.GT(this=gaps.sql, expression=none)]), max(layer, gaps.layer)

    def total(self, checked: Checked, node: tree.Total) -> Piece:
        """Return a sum or count over the rows of a group that the condition lets through."""
        inner, layer = self._inside(checked)
        value = inner.compile(checked.parts[0]) if node.value is not None else self._constant(1, 0)
        digits = self._total_digits(checked, node, value)
        item = self._widened(value, wide=is_wide(digits))
        if node.where is not None:
            none = self.dialect.integer(0, wide=is_wide(digits))
            item = case((inner.compile(checked.parts[-1]).sql, item), otherwise=none)
        return self.layers.add(Piece(self._summed(checked, inner, item, is_wide(digits)), layer, digits))

    @staticmethod
    def _total_digits(checked: Checked, node: tree.Total, value: Piece) -> Digits:
        rows = checked.symbol.rows if checked.symbol is not None else None
        if rows is None:
            message = "no rows where a group was checked"
            raise TypeError(message)
        least, most = 0 if node.where is not None else rows.min_rows, rows.max_rows
        corners = [bound * many for bound in counts(value.bounds) for many in (least, most)]
        return counted(min(corners), max(corners), value.places)

    def _summed(self, checked: Checked, inner: Compiler, item: exp.Expr, wide: bool) -> exp.Expr:
        recorded = self.groups[checked.symbol.code if checked.symbol else ""].recorded
        return self.dialect.total(recorded.sql, inner.layers.columns, item, self.dialect.storage(wide=wide))

    def _inside(self, checked: Checked) -> tuple[Compiler, int]:
        """Return the compiler of formulas over a group's rows, and the layer from which these can be read."""
        group = self.groups[checked.symbol.code if checked.symbol else ""]
        layers = RowLayers(dialect=self.dialect)
        names: dict[str, Piece] = {}
        layer = group.recorded.layer
        for symbol in checked.symbols():
            if symbol.code in self.names:
                outer = self.layers.single(self.names[symbol.code])
                layer = max(layer, outer.layer)
                names[symbol.code] = replace(outer, layer=0)
        for item in group.fields:
            cell, digits = self.dialect.cell(item.code, item.kind), Digits(item.low, item.high, item.places)
            if item.kind == "choice":
                names[item.code] = layers.add(Piece(cell), f"q_{item.code}")
                continue
            number = self.dialect.ordinal(cell) if item.kind == "date" else self.dialect.count(cell, digits)
            names[item.code] = layers.add(Piece(number, 0, digits), f"q_{item.code}")
        return Compiler(self.dialect, layers, names), layer

    def _stored(self, sql: exp.Expr, layer: int, digits: Digits, *, wide: bool) -> Piece:
        """Return a number that was computed wide or not as its digits say it is held."""
        narrowed = wide and not is_wide(digits)
        return Piece(as_type(sql, self.dialect.storage(wide=False)) if narrowed else sql, layer, digits)

    def _widened(self, piece: Piece, *, wide: bool) -> exp.Expr:
        """Return the piece's SQL in the wide type if the operation is computed in it."""
        if not wide or piece.wide:
            return piece.sql
        if piece.value is not None:
            return self.dialect.integer(piece.value, wide=True)
        return as_type(piece.sql, self.dialect.wide)

    def _constant(self, value: int, places: int) -> Piece:
        digits = counted(value, value, places)
        return Piece(self.dialect.integer(value, wide=is_wide(digits)), 0, digits, value)

    def _negated(self, piece: Piece) -> Piece:
        return self._multiple(piece, -1, piece.places)

    def _multiple(self, piece: Piece, factor: int, places: int) -> Piece:
        """Return the whole number of a piece times a constant, counted in 10^-places."""
        if piece.value is not None:
            return self._constant(piece.value * factor, places)
        base, factor = (piece.of[0], piece.of[1] * factor) if piece.of else (piece, factor)
        low, high = sorted(bound * factor for bound in counts(base.bounds))
        digits = counted(low, high, places)
        if factor == 1:
            return replace(base, digits=digits, of=(base, 1))
        wide = base.wide or is_wide(digits)
        number = self._widened(self._constant(factor, 0), wide=wide)
        sql = join(exp.Mul, self._widened(base, wide=wide), number)
        return replace(self._stored(exp.Paren(this=sql), base.layer, digits, wide=wide), of=(base, factor))

    def _product(self, left: Piece, right: Piece) -> Piece:
        places = left.places + right.places
        if left.value is not None:
            return self._multiple(right, left.value, places)
        if right.value is not None:
            return self._multiple(left, right.value, places)
        digits = left.bounds.times(right.bounds)
        wide = left.wide or right.wide or is_wide(digits)
        sql = join(exp.Mul, self._widened(left, wide=wide), self._widened(right, wide=wide))
        return self._stored(exp.Paren(this=sql), max(left.layer, right.layer), digits, wide=wide)

    def _counted_in(self, piece: Piece, places: int) -> Piece:
        """Return the same number counted in smaller steps."""
        more = places - piece.places
        return self._multiple(piece, 10**more, places) if more else piece

    def _alike(self, pieces: list[Piece]) -> list[Piece]:
        """Count all in the smallest of their steps."""
        places = max(piece.places for piece in pieces)
        return [self._counted_in(piece, places) for piece in pieces]

    def aligned(self, pieces: list[Piece], places: int = 0) -> list[Piece]:
        """Count all in the smallest of their steps, or in smaller ones, and hold them in one type."""
        counted = [self._counted_in(piece, max(piece.places, places)) for piece in self._alike(pieces)]
        wide = any(piece.wide for piece in counted)
        return [replace(piece, sql=self._widened(piece, wide=wide)) for piece in counted]

    def _sum(self, operator: str, left: Piece, right: Piece) -> Piece:
        left, right = self._alike([left, right])
        sign = -1 if operator == "-" else 1
        if left.value is not None and right.value is not None:
            return self._constant(left.value + sign * right.value, left.places)
        if left.of and right.of and left.of[0].sql == right.of[0].sql:
            return self._multiple(left.of[0], left.of[1] + sign * right.of[1], left.places)
        low, high = sorted(sign * bound for bound in counts(right.bounds))
        digits = counted(counts(left.bounds)[0] + low, counts(left.bounds)[1] + high, left.places)
        wide = left.wide or right.wide or is_wide(digits)
        kind = exp.Add if sign > 0 else exp.Sub
        sql = join(kind, self._widened(left, wide=wide), self._widened(right, wide=wide))
        return self._stored(exp.Paren(this=sql), max(left.layer, right.layer), digits, wide=wide)

    def _extreme(self, node: tree.Extreme, pieces: list[Piece]) -> Piece:
        """Return the least or greatest; null of any null, which would else let a value leave its bounds."""
        several = [self.layers.single(piece) for piece in self.aligned(pieces)]
        wide = any(piece.wide for piece in several)
        digits = several[0].bounds
        for piece in several[1:]:
            digits = (digits.lesser if node.kind == "min" else digits.greater)(piece.bounds)
        first, *rest = (piece.sql.copy() for piece in several)
        kind = exp.Least if node.kind == "min" else exp.Greatest
        chosen = kind(this=first, expressions=rest, ignore_nulls=True)
        missing = [is_null(piece.sql) for piece in several if piece.value is None]
        sql = case((any_of(missing), exp.null()), otherwise=chosen) if missing else chosen
        return self._stored(sql, max(piece.layer for piece in several), digits, wide=wide)

    def rounded(self, value: Piece, places: int, rule: tree.Rule, divisor: Piece | None = None) -> Piece:
        """Return round(value / divisor, places, rule), rounded once: a quotient of integers and the rule on the rest."""
        if divisor is None and places >= value.places:
            return value
        under = divisor or self._constant(1, 0)
        digits = value.bounds.divided(under.bounds, places)
        if under.bounds.high < 0:
            value, under = self._negated(value), self._negated(under)
        shift = under.places + places - value.places
        top = self._scaled(value, max(shift, 0))
        bottom = self._scaled(under, max(-shift, 0))
        return self._quotient(self.layers.single(top), self.layers.single(bottom), digits, rule)

    def times_power(self, piece: Piece, power: int) -> Piece:
        """Return piece * 10^power: the same whole number, counted in larger steps, as far as it has places."""
        kept = self._counted_in(piece, max(piece.places, power))
        return replace(kept, digits=counted(*counts(kept.bounds), kept.places - power))

    def rest(self, value: Piece, whole: Piece) -> Piece:
        """Return the value less the whole number under it, counted in the value's places."""
        up = self._constant(10**value.places, 0)
        wide = value.wide
        back = join(exp.Mul, self._widened(whole, wide=wide), self._widened(up, wide=wide))
        sql = join(exp.Sub, self._widened(value, wide=wide), back)
        one = Digits(Decimal(-1), Decimal(1), value.places)
        return self._stored(exp.Paren(this=sql), max(value.layer, whole.layer), one, wide=wide)

    def _scaled(self, piece: Piece, shift: int) -> Piece:
        """Return the whole number of a piece times 10^shift as a plain integer."""
        scaled = self._counted_in(piece, piece.places + shift)
        return replace(scaled, digits=counted(*counts(scaled.bounds)))

    def _quotient(self, top: Piece, bottom: Piece, digits: Digits, rule: tree.Rule) -> Piece:
        """Return top / bottom by the rule; the bottom is above 0."""
        cut = Piece(
            self.dialect.quotient(top, bottom, wide=is_wide(digits)), max(top.layer, bottom.layer), digits
        )
        if rule == "floor" and top.bounds.low >= 0:
            return cut
        quotient = self.layers.add(cut)
        wide = top.wide or bottom.wide
        back = join(exp.Mul, self._widened(quotient, wide=wide), self._widened(bottom, wide=wide))
        most = counts(bottom.bounds)[1] - 1
        rest = self.layers.add(
            self._stored(
                join(exp.Sub, self._widened(top, wide=wide), back),
                quotient.layer,
                counted(-most, most),
                wide=wide,
            )
        )
        step = self._step(rule, rest, bottom, quotient, signed=top.bounds.low < 0)
        sql = exp.Paren(this=exp.Add(this=quotient.sql.copy(), expression=step))
        return Piece(sql, rest.layer, digits)

    def _step(self, rule: tree.Rule, rest: Piece, by: Piece, quotient: Piece, *, signed: bool) -> exp.Expr:
        """Return what the rule adds to a quotient that was cut towards zero; the divisor is positive."""
        zero, plus, minus = (self.dialect.integer(n, wide=quotient.wide) for n in (0, 1, -1))
        nought = self.dialect.integer(0, wide=rest.wide)
        negative = exp.LT(this=rest.sql.copy(), expression=nought.copy())
        if rule == "floor":
            return case((negative, minus), otherwise=zero)
        if rule == "ceiling":
            return case((exp.GT(this=rest.sql.copy(), expression=nought), plus), otherwise=zero)
        size = exp.Abs(this=rest.sql.copy()) if signed else rest.sql.copy()
        other = exp.Paren(this=exp.Sub(this=self._widened(by, wide=rest.wide).copy(), expression=size.copy()))
        far: exp.Expr = exp.GTE(this=size.copy(), expression=other.copy())
        if rule == "half_even":
            two = self.dialect.integer(2, wide=quotient.wide)
            odd = exp.NEQ(this=exp.Mod(this=quotient.sql.copy(), expression=two), expression=zero.copy())
            tie = exp.EQ(this=size.copy(), expression=other.copy())
            far = any_of([exp.GT(this=size, expression=other), exp.Paren(this=all_of([tie, odd]))])
        up = [(all_of([exp.Paren(this=far), negative]), minus)] if signed else []
        return case(*up, (far, plus), otherwise=zero)


def _taken(path: list[tuple[Piece, bool]]) -> list[exp.Expr]:
    """Return the tests of a path, each with the outcome that leads further."""
    return [test.sql if outcome else exp.Not(this=paren(test.sql)) for test, outcome in path]


def constant(dialect: Dialect, value: Decimal) -> Piece:
    """Return a constant as the whole number of its smallest step."""
    digits = Digits.of(value)
    count = int(value.scaleb(digits.places, EXACT))
    return Piece(dialect.integer(count, wide=is_wide(digits)), 0, digits, count)
