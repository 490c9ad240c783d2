"""The SELECT of a version (方法学的查询): reason, variant, grams and remainder of every row of a relation."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from tanpuhui.science.engine import reasons as rules
from tanpuhui.science.engine.compile_sql import (
    BIGINT,
    NARROW_DIGITS,
    TEXT,
    Compiler,
    Dialect,
    Layers,
    Piece,
    all_of,
    as_type,
    case,
    column,
    constant,
    decimal_type,
)
from tanpuhui.science.engine.digits import MAX_DIGITS, Digits
from tanpuhui.science.engine.model import Field, MethodologyVersion, Predicate, Variant

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")
GRANTED = "__granted"


def sql(
    version: MethodologyVersion,
    dialect: Dialect = "duckdb",
    relation: str = "records",
    *,
    granted: str | None = None,
) -> str:
    """Return the SELECT that calculates every row of a relation, exactly as `interpret` does.

    The relation has `row_no`, a DECIMAL column per number field and a text column per choice field, named by
    field code. Result: row_no, reason (null when it counts), variant, grams (BIGINT, whole g CO2e),
    remainder_g (exact DECIMAL, g CO2e, from 0 to below 1). `granted` names a DECIMAL column with the allowed
    quantity of the capped field (null: not capped). Raises VersionBlocked when nothing can run.
    """
    version.require_runnable()
    for name in (relation, granted or "x"):
        if not IDENTIFIER.match(name):
            message = f"not an identifier: {name!r}"
            raise ValueError(message)
    return _Select(version, dialect, granted).build(relation).sql(dialect=dialect)


class _Select:
    def __init__(self, version: MethodologyVersion, dialect: Dialect, granted: str | None) -> None:
        self.version = version
        self.dialect = dialect
        capped = version.cap.quantity if version.cap else "count"
        self.capped = None if granted is None or capped == "count" else version.activity_field(capped)
        self.granted = granted
        self.layers = Layers()
        self.names: dict[str, Piece] = {}
        for item in version.fields:
            self.names[item.code] = Piece(
                column(f"f_{item.code}"), 0, Digits(item.low, item.high, item.places).total > NARROW_DIGITS
            )
        for parameter in version.parameters:
            if parameter.value is not None:
                digits = Digits.of(parameter.value)
                self.names[parameter.code] = Piece(constant(parameter.value), 0, digits.total > NARROW_DIGITS)

    def build(self, relation: str) -> exp.Expr:
        table = exp.Table(this=exp.to_identifier(relation, quoted=True))
        results = {
            variant.code: self._result(variant) for variant in self.version.variants if not variant.unset
        }
        rules_ = [(predicate, self._rule(predicate)) for predicate in self.version.eligibility]
        wheres = {v.code: self._applies(v) for v in self.version.variants}
        pieces = [*results.values(), *(p for _, p in rules_), *wheres.values()]
        depth = max(piece.layer for piece in pieces)
        source: exp.Select = exp.select(column("row_no"), *self._clean()).from_(table)
        for level in range(depth):
            added = self.layers.columns[level] if level < len(self.layers.columns) else []
            columns = [exp.alias_(value, name, quoted=True) for name, value in added]
            source = exp.select(exp.Star(), *columns).from_(
                source.subquery(f"s{level}", copy=False), copy=False
            )
        judged = exp.select(
            column("row_no"),
            exp.alias_(self._variant_case(wheres), "variant", quoted=True),
            exp.alias_(self._first_reason(rules_), "first_reason", quoted=True),
            *([column("granted_reason")] if self.capped is not None else []),
            *(exp.alias_(piece.sql.copy(), f"g_{code}", quoted=True) for code, piece in results.items()),
        ).from_(source.subquery("computed", copy=False), copy=False)
        return self._booked(judged, list(results))

    def _clean(self) -> list[exp.Expr]:
        """Fields cast to their declared type, null where a value may not stand; and the first reason why."""
        found: list[exp.Expr] = []
        branches: list[tuple[exp.Expr, exp.Expr]] = []
        for item in self.version.fields:
            tests = self._field_tests(item, column(item.code))
            branches += [(test, exp.Literal.string(f"{code}:{item.code}")) for test, code in tests]
            found.append(
                exp.alias_(self._cleaned(item, column(item.code), tests), f"f_{item.code}", quoted=True)
            )
        reason = (
            case(*branches, otherwise=as_type(exp.null(), TEXT)) if branches else as_type(exp.null(), TEXT)
        )
        found.append(exp.alias_(reason, "field_reason", quoted=True))
        if self.capped is not None and self.granted is not None:
            found += self._clean_granted(self.capped, column(self.granted))
        return found

    def _clean_granted(self, item: Field, raw: exp.Expr) -> list[exp.Expr]:
        bounds = exp.or_(
            exp.LT(this=raw.copy(), expression=constant(item.low)),
            exp.GT(this=raw.copy(), expression=column(item.code)),
        )
        places = exp.NEQ(this=raw.copy(), expression=as_type(raw, _type(item)))
        has_value = exp.Not(this=exp.Is(this=column(item.code), expression=exp.null()))
        given = exp.Not(this=exp.Is(this=raw.copy(), expression=exp.null()))
        tests = [(bounds, rules.OUT_OF_BOUNDS), (places, rules.TOO_MANY_PLACES)]
        checked = [
            (exp.and_(has_value, given, test), exp.Literal.string(f"{code}:{rules.GRANTED}"))
            for test, code in tests
        ]
        own = [(test, exp.null()) for test, _ in self._field_tests(item, column(item.code))]
        either = exp.Coalesce(this=raw.copy(), expressions=[column(item.code)])
        use = case(
            *own,
            *((test, exp.null()) for test, _ in checked),
            otherwise=as_type(either, _type(item)),
        )
        return [
            exp.alias_(use, f"f_{item.code}{GRANTED}", quoted=True),
            exp.alias_(
                case(*own, *checked, otherwise=as_type(exp.null(), TEXT)), "granted_reason", quoted=True
            ),
        ]

    def _field_tests(self, item: Field, raw: exp.Expr) -> list[tuple[exp.Expr, str]]:
        missing = exp.Is(this=raw.copy(), expression=exp.null())
        tests: list[tuple[exp.Expr, str]] = [] if item.nullable else [(missing, rules.FIELD_MISSING)]
        if item.kind == "choice":
            options = [exp.Literal.string(option) for option in item.options]
            return [*tests, (exp.Not(this=exp.In(this=raw.copy(), expressions=options)), rules.OUT_OF_BOUNDS)]
        bounds = exp.or_(
            exp.LT(this=raw.copy(), expression=constant(item.low)),
            exp.GT(this=raw.copy(), expression=constant(item.high)),
        )
        places = exp.NEQ(this=raw.copy(), expression=as_type(raw, _type(item)))
        return [*tests, (bounds, rules.OUT_OF_BOUNDS), (places, rules.TOO_MANY_PLACES)]

    def _cleaned(self, item: Field, raw: exp.Expr, tests: list[tuple[exp.Expr, str]]) -> exp.Expr:
        to = TEXT if item.kind == "choice" else _type(item)
        if not tests:
            return as_type(raw, to)
        return case(*((test, exp.null()) for test, _ in tests), otherwise=as_type(raw, to))

    def _result(self, variant: Variant) -> Piece:
        names = dict(self.names)
        if self.capped is not None:
            names[self.capped.code] = replace(
                names[self.capped.code], sql=column(f"f_{self.capped.code}{GRANTED}")
            )
        compiler = Compiler(self.dialect, self.layers, names)
        for formula in variant.formulas:
            piece = compiler.compile(formula.checked)
            names[formula.code] = self.layers.add(piece, f"v_{variant.code}_{formula.code}")
        return names[variant.result.code]

    def _rule(self, predicate: Predicate) -> Piece:
        if predicate.checked.unset:
            return Piece(exp.false())
        return Compiler(self.dialect, self.layers, self.names).compile(predicate.checked)

    def _present(self, codes: tuple[str, ...]) -> list[exp.Expr]:
        return [exp.Not(this=exp.Is(this=column(f"f_{code}"), expression=exp.null())) for code in codes]

    def _applies(self, variant: Variant) -> Piece:
        tests = self._present(variant.present)
        tests += [exp.Is(this=column(f"f_{code}"), expression=exp.null()) for code in variant.absent]
        layer = 0
        if variant.where is not None:
            piece = Compiler(self.dialect, self.layers, self.names).compile(variant.where)
            tests, layer = [*tests, piece.sql], piece.layer
        return Piece(all_of(tests), layer)

    def _variant_case(self, wheres: dict[str, Piece]) -> exp.Expr:
        branches = [(piece.sql, exp.Literal.string(code)) for code, piece in wheres.items()]
        return case(*branches, otherwise=as_type(exp.null(), TEXT))

    def _first_reason(self, judged: list[tuple[Predicate, Piece]]) -> exp.Expr:
        branches: list[tuple[exp.Expr, exp.Expr]] = [
            (exp.Not(this=exp.Is(this=column("field_reason"), expression=exp.null())), column("field_reason"))
        ]
        for predicate, piece in judged:
            applies = self._present(predicate.present)
            unset = predicate.checked.unset
            code = f"{rules.PARAMETER_UNSET}:{unset[0]}" if unset else predicate.code
            fails = exp.Not(this=exp.Paren(this=piece.sql.copy()))
            branches.append((all_of([*applies, fails]), exp.Literal.string(code)))
        return case(*branches, otherwise=as_type(exp.null(), TEXT))

    def _booked(self, judged: exp.Select, results: list[str]) -> exp.Expr:
        """Reason, variant and exact grams of each row, then whole grams (floor) and the remainder."""
        text = as_type(exp.null(), TEXT)
        first, variant = column("first_reason"), column("variant")
        branches = [
            (_present(first), first),
            (exp.Is(this=variant, expression=exp.null()), exp.Literal.string(rules.NO_CALCULATION)),
        ]
        for item in self.version.variants:
            if item.unset:
                test = exp.EQ(this=variant, expression=exp.Literal.string(item.code))
                branches.append((test, exp.Literal.string(f"{rules.PARAMETER_UNSET}:{item.unset[0]}")))
        if self.capped is not None:
            branches.append((_present(column("granted_reason")), column("granted_reason")))
        reasoned = exp.select(
            column("row_no"),
            exp.alias_(case(*branches, otherwise=text), "reason", quoted=True),
            exp.alias_(case((_present(first), text), otherwise=variant), "variant", quoted=True),
            exp.alias_(self._exact_grams(results), "exact_g", quoted=True),
        ).from_(judged.subquery("judged", copy=False), copy=False)
        return self._floored(reasoned)

    def _exact_grams(self, results: list[str]) -> exp.Expr:
        total, places = self.version.grams_type
        branches = []
        for code in results:
            variant = self.version.variant(code)
            digits = variant.result.checked.digits
            value = column(f"g_{code}")
            if digits is not None and digits.total + len(str(variant.grams_factor)) > NARROW_DIGITS:
                value = as_type(value, decimal_type(MAX_DIGITS, digits.places))
            grams = exp.Mul(this=value, expression=constant(variant.grams_factor))
            test = exp.EQ(this=column("variant"), expression=exp.Literal.string(code))
            branches.append((test, as_type(exp.Paren(this=grams), decimal_type(total, places))))
        return case(*branches, otherwise=as_type(exp.null(), decimal_type(total, places)))

    def _floored(self, reasoned: exp.Select) -> exp.Select:
        places = self.version.remainder_places
        counts = exp.Is(this=column("reason"), expression=exp.null())
        exact = column("exact_g")
        whole = exp.Floor(this=exact.copy())
        rest = as_type(
            exp.Paren(this=exp.Sub(this=exact, expression=whole.copy())), decimal_type(places + 1, places)
        )
        grams = case((counts, as_type(whole, BIGINT)), otherwise=as_type(exp.null(), BIGINT))
        remainder = case((counts, rest), otherwise=as_type(exp.null(), decimal_type(places + 1, places)))
        return exp.select(
            column("row_no"),
            column("reason"),
            column("variant"),
            exp.alias_(grams, "grams", quoted=True),
            exp.alias_(remainder, "remainder_g", quoted=True),
        ).from_(reasoned.subquery("reasoned", copy=False), copy=False)


def _type(item: Field) -> exp.DataType:
    digits = Digits(item.low, item.high, item.places)
    return decimal_type(digits.total, digits.places)


def _present(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
