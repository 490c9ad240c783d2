"""The SELECT of a version (方法学的查询): reason, variant, grams and remainder of every row of a relation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlglot import exp

from tanpuhui.science.engine import reasons as rules
from tanpuhui.science.engine import tree
from tanpuhui.science.engine.checked import Checked
from tanpuhui.science.engine.compile_sql import Compiler, GroupRows, Layers, constant
from tanpuhui.science.engine.dialects import DIALECTS, DialectName
from tanpuhui.science.engine.digits import Digits
from tanpuhui.science.engine.model import Field, Group, MethodologyVersion, Variant
from tanpuhui.science.engine.pieces import (
    BIGINT,
    DATE,
    TEXT,
    Piece,
    all_of,
    as_type,
    case,
    column,
    decimal,
    is_null,
    is_present,
    join,
    text,
)

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")
NO_TEXT = as_type(exp.null(), TEXT)
NO_NUMBER = as_type(exp.null(), exp.DataType.build("INT"))
RAW_GRANTED = "r__granted"
"""A column of the first layer has the prefix r_ and the code of its field, whose letters end the name of no other."""


def sql(
    version: MethodologyVersion,
    dialect: DialectName = "duckdb",
    relation: str = "records",
    *,
    granted: str | None = None,
) -> str:
    """Return the SELECT that calculates every row of a relation, exactly as `interpret` does.

    The relation has `row_no`, and named by field code a DECIMAL column per number field, a text column per choice,
    a DATE column per date; by group code its rows, a list of structs (PostgreSQL: jsonb). Result: row_no, reason (null when it counts), variant, grams (BIGINT, whole g CO2e),
    remainder_g (exact DECIMAL, g CO2e: exact grams minus whole ones). `granted` names a DECIMAL column with the
    allowed quantity of the capped field (null: not capped). Raises VersionBlocked when nothing can run, ValueError
    for a version that only the interpreter can calculate.
    """
    version.require_runnable()
    if version.interpreter_only:
        message = (
            f"{version.code} {version.version} uses functions or series: only the interpreter calculates it"
        )
        raise ValueError(message)
    for name in (relation, granted or "x"):
        if not IDENTIFIER.match(name):
            message = f"not an identifier: {name!r}"
            raise ValueError(message)
    asked = (dialect, relation, granted)
    if asked not in version.compiled:
        version.compiled[asked] = _Select(version, dialect, granted).build(relation).sql(dialect=dialect)
    return version.compiled[asked]


class _Outcomes:
    """Numbers for what may become of a row: above 0 for a variant that calculates, below 0 for a reason."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.variants: dict[int, str] = {}

    def reason(self, reason: str) -> exp.Expr:
        """Return the number of a reason."""
        self.reasons.append(reason)
        return _number(-len(self.reasons))

    def variant(self, variant: Variant) -> exp.Expr:
        """Return the number of a variant, which is a reason if a parameter of it has no value."""
        if variant.unset:
            number = self.reason(f"{rules.PARAMETER_UNSET}:{variant.unset[0]}")
            self.variants[-len(self.reasons)] = variant.code
            return number
        place = 1 + sum(1 for n in self.variants if n > 0)
        self.variants[place] = variant.code
        return _number(place)

    def reason_of(self, outcome: Piece) -> exp.Expr:
        """Return the text of the reason; null first, which is what most rows have."""
        counts = exp.GT(this=outcome.sql.copy(), expression=_number(0))
        texts = [(_equals(outcome, -n), text(reason)) for n, reason in enumerate(self.reasons, 1)]
        return case((counts, NO_TEXT), *texts, otherwise=NO_TEXT)

    def variant_of(self, outcome: Piece) -> exp.Expr:
        """Return the code of the variant."""
        codes = [(_equals(outcome, n), text(code)) for n, code in self.variants.items()]
        return case(*codes, otherwise=NO_TEXT)


class _Select:
    """Builds the layers: raw columns, faults of fields, fields, steps, the outcome, grams."""

    def __init__(self, version: MethodologyVersion, dialect: DialectName, granted: str | None) -> None:
        self.version = version
        self.dialect = DIALECTS[dialect]
        capped = version.cap.quantity if version.cap else "count"
        self.capped = None if granted is None or capped == "count" else version.activity_field(capped)
        self.granted = granted
        self.layers = Layers()
        self.outcomes = _Outcomes()
        self.lookups: dict[int, Piece] = {}
        self.groups: dict[str, GroupRows] = {}
        self.gaps: list[tuple[Variant, exp.Expr, int, str]] = []
        self.names = {
            parameter.code: constant(self.dialect, parameter.value)
            for parameter in version.parameters
            if parameter.value is not None
        }

    def build(self, relation: str) -> exp.Expr:
        """Return the SELECT over the relation."""
        codes = [item.code for item in self.version.fields] + [group.code for group in self.version.groups]
        columns = [exp.alias_(column(code), f"r_{code}", quoted=True) for code in codes]
        if self.capped is not None and self.granted is not None:
            columns.append(exp.alias_(column(self.granted), RAW_GRANTED, quoted=True))
        table = exp.Table(this=exp.to_identifier(relation, quoted=True))
        base = exp.select(column("row_no"), *columns).from_(table)
        fault = self._fault()
        self._fields(fault)
        outcome = self._outcome(fault)
        wrong = self._granted(self.capped, fault) if self.capped is not None else None
        results = {variant.code: self._steps(variant) for variant in self._runnable}
        final = self._final(outcome, wrong)
        grams, remainder = self._booked(self._exact(final, results))
        found = {
            "reason": self.outcomes.reason_of(final),
            "variant": self.outcomes.variant_of(outcome),
            "grams": grams.sql,
            "remainder_g": remainder.sql,
        }
        named = [exp.alias_(value, name, quoted=True) for name, value in found.items()]
        source = self.layers.over(base, self.dialect).subquery("computed", copy=False)
        return exp.select(column("row_no"), *named).from_(source, copy=False)

    @property
    def _runnable(self) -> list[Variant]:
        return [variant for variant in self.version.variants if not variant.unset]

    def _compiler(self, names: dict[str, Piece] | None = None) -> Compiler:
        return Compiler(
            self.dialect, self.layers, self.names if names is None else names, self.lookups, self.groups
        )

    def _fault(self) -> Piece:
        """The first reason why a field of the row cannot stand, as a number; null if they all can."""
        tests = [
            (test, self.outcomes.reason(f"{code}:{item.code}"))
            for item in self.version.fields
            for test, code in _field_tests(item, _raw(item.code))
        ]
        own = case(*tests, otherwise=NO_NUMBER)
        further = [found for group in self.version.groups for found in self._rows_faults(group)]
        sql = exp.Coalesce(this=own, expressions=further) if further else own
        return self.layers.add(Piece(sql), "fault")

    def _rows_faults(self, group: Group) -> Iterator[exp.Expr]:
        """Yield the number of each reason why the rows of a group cannot stand, null where they can."""
        raw, size = _raw(group.code), self.dialect.size(_raw(group.code))
        inside = exp.Between(this=size, low=_number(group.min_rows), high=_number(group.max_rows))
        outside = self.outcomes.reason(f"{rules.ROWS_OUT_OF_BOUNDS}:{group.code}")
        yield case((exp.Not(this=inside), outside))
        cells = {item.code: self.dialect.cell(item.code, item.kind) for item in group.fields}
        for item in group.fields:
            tests = [
                (test, self.outcomes.reason(f"{code}:{group.code}.{item.code}"))
                for test, code in _field_tests(item, cells[item.code])
            ]
            yield self.dialect.first(raw, case(*tests, otherwise=NO_NUMBER))
        repeated = self.outcomes.reason(f"{rules.ROW_REPEATED}:{group.code}")
        for codes in (group.unique, (group.order,) if group.order else ()):
            if codes:
                yield case((self.dialect.repeats(raw, [cells[code] for code in codes]), repeated))

    def _fields(self, fault: Piece) -> None:
        """Name the fields: numbers are null in a row that has a fault, so that every value keeps its bounds."""
        for item in self.version.fields:
            if item.kind == "choice":
                self.names[item.code] = Piece(as_type(_raw(item.code), TEXT))
                continue
            raw, digits = _raw(item.code), _digits(item)
            value = self.dialect.ordinal(raw) if item.kind == "date" else self.dialect.count(raw, digits)
            count = case((is_null(fault.sql), value))
            self.names[item.code] = self.layers.add(Piece(count, fault.layer, digits), f"f_{item.code}")
        for group in self.version.groups:
            rows = case((is_null(fault.sql), _raw(group.code)))
            recorded = self.layers.add(Piece(rows, fault.layer), f"f_{group.code}")
            self.groups[group.code] = GroupRows(recorded, group.fields)

    def _outcome(self, fault: Piece) -> Piece:
        """The number of the fault, of the first rule that the row breaks, or of the first variant that fits."""
        branches, layer = [(is_present(fault.sql), fault.sql)], fault.layer
        for predicate in self.version.eligibility:
            applies, unset = _present(predicate.present), predicate.checked.unset
            if unset:
                reason = self.outcomes.reason(f"{rules.PARAMETER_UNSET}:{unset[0]}")
                branches.append((all_of(applies), reason))
                continue
            for guard in predicate.guards:
                missing, above = self._compiler().guarded(guard)
                layer = max(layer, above)
                branches.append((all_of([*applies, missing]), self.outcomes.reason(guard.reason)))
            holds = self._compiler().compile(predicate.checked)
            layer = max(layer, holds.layer)
            broken = all_of([*applies, exp.Not(this=holds.sql)])
            branches.append((broken, self.outcomes.reason(predicate.code)))
        for variant in self.version.variants:
            tests = _present(variant.present) + [is_null(_raw(code)) for code in variant.absent]
            if variant.where is not None:
                where = self._compiler().compile(variant.where)
                tests, layer = [*tests, where.sql], max(layer, where.layer)
            branches.append((all_of(tests), self.outcomes.variant(variant)))
        points = self.version.methodology_class == "POINTS"
        none = self.outcomes.reason(rules.POINTS_ONLY if points else rules.NO_CALCULATION)
        return self.layers.add(Piece(case(*branches, otherwise=none), layer), "outcome")

    def _granted(self, item: Field, fault: Piece) -> Piece:
        """Let the granted quantity stand for the capped field in the formulas; return why it cannot, as a number."""
        raw, own = column(RAW_GRANTED), _raw(item.code)
        given = all_of([is_null(fault.sql), is_present(own), is_present(raw)])
        inside = exp.Between(this=raw, low=decimal(item.low), high=own)
        tests = [
            (exp.Not(this=inside), rules.OUT_OF_BOUNDS),
            (_too_many_places(raw, item), rules.TOO_MANY_PLACES),
        ]
        found = [(test, self.outcomes.reason(f"{code}:{rules.GRANTED}")) for test, code in tests]
        wrong = self.layers.add(Piece(case((given, case(*found)), otherwise=NO_NUMBER), fault.layer), "wrong")
        usable = all_of([given, is_null(wrong.sql)])
        digits = _digits(item)
        count = case((usable, self.dialect.count(raw, digits)), otherwise=self.names[item.code].sql)
        self.names[item.code] = self.layers.add(Piece(count, wrong.layer, digits), f"g_{item.code}")
        return wrong

    def _steps(self, variant: Variant) -> Piece:
        """Compile the steps of a variant; one that others use several times is a column."""
        uses = Counter(code for formula in variant.formulas for code in _names_used(formula.checked))
        names = dict(self.names)
        for formula in variant.formulas:
            compiler = self._compiler(names)
            for guard in formula.guards:
                missing, layer = compiler.guarded(guard)
                self.gaps.append((variant, missing, layer, guard.reason))
            piece = compiler.compile(formula.checked)
            names[formula.code] = self.layers.single(piece) if uses[formula.code] > 1 else piece
        return names[variant.result.code]

    def _final(self, outcome: Piece, wrong: Piece | None) -> Piece:
        """The outcome after the granted quantity was judged and every look-up of the variant found its value."""
        branches, layer = [], outcome.layer
        if wrong is not None:
            counts = exp.GT(this=outcome.sql.copy(), expression=_number(0))
            branches.append((all_of([counts, is_present(wrong.sql)]), wrong.sql))
            layer = max(layer, wrong.layer)
        numbers = {code: number for number, code in self.outcomes.variants.items()}
        for variant, missing, above, reason in self.gaps:
            chosen = _equals(outcome, numbers[variant.code])
            branches.append((all_of([chosen, missing]), self.outcomes.reason(reason)))
            layer = max(layer, above)
        if not branches:
            return outcome
        return self.layers.add(Piece(case(*branches, otherwise=outcome.sql), layer), "final")

    def _exact(self, final: Piece, results: dict[str, Piece]) -> Piece:
        """The exact result in the smallest step of a gram that any variant needs; null where no gram counts."""
        compiler = self._compiler()
        if not results:
            return replace(constant(self.dialect, Decimal(0)), sql=as_type(exp.null(), BIGINT), value=None)
        powers = {variant.code: len(str(variant.grams_factor)) - 1 for variant in self._runnable}
        in_grams = [compiler.times_power(piece, powers[code]) for code, piece in results.items()]
        pieces = compiler.aligned(in_grams, self.version.remainder_places)
        digits = pieces[0].bounds
        for piece in pieces[1:]:
            digits = digits.union(piece.bounds)
        sql = case(*((_equals(final, n), piece.sql) for n, piece in enumerate(pieces, 1)))
        return self.layers.add(Piece(sql, max(final.layer, *(p.layer for p in pieces)), digits), "exact")

    def _booked(self, exact: Piece) -> tuple[Piece, Piece]:
        """Whole grams by the version's rounding, and what is left over."""
        compiler = self._compiler()
        grams = self.layers.single(compiler.rounded(exact, 0, self.version.rounding.rule))
        rest = compiler.rest(exact, grams)
        sql = as_type(grams.sql, BIGINT) if grams.wide else grams.sql
        return Piece(sql, grams.layer), Piece(self.dialect.fraction(rest.sql, exact.places), rest.layer)


def _field_tests(item: Field, raw: exp.Expr) -> list[tuple[exp.Expr, str]]:
    tests: list[tuple[exp.Expr, str]] = [] if item.nullable else [(is_null(raw), rules.FIELD_MISSING)]
    if item.kind == "choice":
        options = [text(option) for option in item.options]
        return [*tests, (exp.Not(this=exp.In(this=raw, expressions=options)), rules.OUT_OF_BOUNDS)]
    if item.kind == "date":
        low, high = (_day(bound) for bound in (item.low, item.high))
        return [*tests, (exp.Not(this=exp.Between(this=raw, low=low, high=high)), rules.OUT_OF_BOUNDS)]
    inside = exp.Between(this=raw, low=decimal(item.low), high=decimal(item.high))
    places = (_too_many_places(raw, item), rules.TOO_MANY_PLACES)
    return [*tests, (exp.Not(this=inside), rules.OUT_OF_BOUNDS), places]


def _day(ordinal: Decimal) -> exp.Expr:
    return as_type(text(date.fromordinal(int(ordinal)).isoformat()), DATE)


def _present(codes: tuple[str, ...]) -> list[exp.Expr]:
    return [is_present(_raw(code)) for code in codes]


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _raw(code: str) -> exp.Expr:
    return column(f"r_{code}")


def _digits(item: Field) -> Digits:
    return Digits(item.low, item.high, item.places)


def _too_many_places(raw: exp.Expr, item: Field) -> exp.Expr:
    step = Decimal(1).scaleb(-item.places)
    return exp.NEQ(this=join(exp.Mod, raw, decimal(step)), expression=_number(0))


def _equals(outcome: Piece, number: int) -> exp.Expr:
    return exp.EQ(this=outcome.sql.copy(), expression=_number(number))


def _names_used(checked: Checked) -> Iterator[str]:
    if isinstance(checked.node, tree.Name) and checked.symbol is not None:
        yield checked.symbol.code
    for part in checked.parts:
        yield from _names_used(part)
