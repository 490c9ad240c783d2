"""Rows of a group in the dialects (分组明细的方言): a list of structs in DuckDB and Spark, a JSON array in PostgreSQL.

The rows get columns level by level, as a relation gets layers; a level sees those before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from sqlglot import exp

from tanpuhui.science.engine.pieces import DATE, TEXT, as_type, column, is_present, join, text

Levels = list[list[tuple[str, exp.Expr]]]
ROW = exp.to_identifier("x")
INNER = exp.TableAlias(this=exp.to_identifier("g"))
CELL_TYPES = {"number": exp.DataType.build("DECIMAL"), "date": DATE, "choice": TEXT}


class Rows(ABC):
    """What a dialect does with the rows of a group."""

    @abstractmethod
    def cell(self, code: str, kind: str) -> exp.Expr:
        """Return a field of a row as it was recorded."""

    @abstractmethod
    def row_column(self, name: str) -> exp.Expr:
        """Return a column of a level before."""

    @abstractmethod
    def total(self, group: exp.Expr, levels: Levels, item: exp.Expr, held: exp.DataType) -> exp.Expr:
        """Return the sum of a whole number over the rows, in its type; 0 of no row."""

    @abstractmethod
    def first(self, group: exp.Expr, item: exp.Expr) -> exp.Expr:
        """Return the first item over the recorded rows, in their order, that is not null."""

    @abstractmethod
    def size(self, group: exp.Expr) -> exp.Expr:
        """Return how many rows there are; 0 of a group that is null."""

    @abstractmethod
    def repeats(self, group: exp.Expr, cells: list[exp.Expr]) -> exp.Expr:
        """Return whether two recorded rows are alike in these cells."""


class ListRows(Rows):
    """Rows as a list of structs, which functions transform."""

    transform: ClassVar[str]
    filtered: ClassVar[str]
    distinct: ClassVar[str]
    length: ClassVar[str]
    picked: ClassVar[tuple[str, int]]

    def cell(self, code: str, kind: str) -> exp.Expr:
        """Read a field of the struct, which has its type."""
        return as_type(self.row_column(code), TEXT) if kind == "choice" else self.row_column(code)

    def row_column(self, name: str) -> exp.Expr:
        """Read a field of the struct."""
        return exp.Dot(this=ROW.copy(), expression=exp.to_identifier(name, quoted=True))

    def items(self, group: exp.Expr, levels: Levels, item: exp.Expr) -> exp.Expr:
        """Return the item of every row, one struct after the other for the levels."""
        names: list[str] = []
        for level in levels:
            kept = [(name, self.row_column(name)) for name in names]
            group = self._each(group, self.struct([*kept, *level]))
            names += [name for name, _ in level]
        return self._each(group, item)

    def _each(self, rows: exp.Expr, item: exp.Expr) -> exp.Expr:
        return call(self.transform, rows, with_names(item))

    @abstractmethod
    def struct(self, columns: list[tuple[str, exp.Expr]]) -> exp.Expr:
        """Return a struct of columns."""

    def first(self, group: exp.Expr, item: exp.Expr) -> exp.Expr:
        """Keep what is not null and take the first."""
        kept = call(self.filtered, self._each(group, item), with_names(is_present(ROW)))
        name, place = self.picked
        return call(name, kept, exp.Literal.number(place))

    def size(self, group: exp.Expr) -> exp.Expr:
        """Return the length of the list."""
        return exp.Coalesce(this=call(self.length, group), expressions=[exp.Literal.number(0)])

    def repeats(self, group: exp.Expr, cells: list[exp.Expr]) -> exp.Expr:
        """Compare the lengths with and without repetitions."""
        keys = self._each(group, self.struct([(f"k{n}", cell) for n, cell in enumerate(cells)]))
        return join(exp.LT, self.size(call(self.distinct, keys)), self.size(group))


class JsonRows(Rows):
    """Rows as a JSON array of objects, over which a subquery selects."""

    def cell(self, code: str, kind: str) -> exp.Expr:
        """Read a key of the object as its type; a JSON number is a numeric."""
        value = exp.JSONExtractScalar(this=column("item"), expression=text(code), only_json_types=True)
        return as_type(exp.Paren(this=value), CELL_TYPES[kind])

    def row_column(self, name: str) -> exp.Expr:
        """Name a column of the inner select."""
        return column(name)

    def _rows(self, group: exp.Expr, levels: Levels) -> exp.Subquery:
        names = [exp.to_identifier("item"), exp.to_identifier("place")]
        listed = exp.TableAlias(this=exp.to_identifier("listed"), columns=names)
        elements = call("JSONB_ARRAY_ELEMENTS", group)
        select = exp.select(exp.Star()).from_(exp.Table(this=elements, ordinality=True, alias=listed))
        for level in levels:
            columns = [exp.alias_(value.copy(), name, quoted=True) for name, value in level]
            inner = exp.Subquery(this=select.offset(0), alias=INNER.copy())
            select = exp.select(exp.Star(), *columns).from_(inner)
        return exp.Subquery(this=select, alias=INNER.copy())

    def total(self, group: exp.Expr, levels: Levels, item: exp.Expr, held: exp.DataType) -> exp.Expr:
        """Sum numeric, which has no bound."""
        sum_ = exp.Coalesce(this=exp.Sum(this=item.copy()), expressions=[exp.Literal.number(0)])
        return as_type(exp.Subquery(this=exp.select(sum_).from_(self._rows(group, levels))), held)

    def first(self, group: exp.Expr, item: exp.Expr) -> exp.Expr:
        """Select in the order of the array."""
        found = exp.select(column("given")).from_(self._rows(group, [[("given", item)]]))
        return exp.Subquery(this=found.where(is_present(column("given"))).order_by(column("place")).limit(1))

    def size(self, group: exp.Expr) -> exp.Expr:
        """Return the length of the array."""
        return exp.Coalesce(this=call("JSONB_ARRAY_LENGTH", group), expressions=[exp.Literal.number(0)])

    def repeats(self, group: exp.Expr, cells: list[exp.Expr]) -> exp.Expr:
        """Compare the counts with and without repetitions."""
        several = exp.Count(this=exp.Distinct(expressions=[exp.Tuple(expressions=[c.copy() for c in cells])]))
        fewer = exp.LT(this=several, expression=exp.Count(this=exp.Star()))
        return exp.Subquery(this=exp.select(fewer).from_(self._rows(group, [])))


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return the call of a function of this name."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def with_names(body: exp.Expr, *names: exp.Identifier) -> exp.Expr:
    """Return a lambda over the row, or over the names given."""
    return exp.Lambda(this=body.copy(), expressions=[name.copy() for name in names or (ROW,)])
