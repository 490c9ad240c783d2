"""Worked cases (算例): inputs, expected result or expected refusal, and an SQL check written independently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

import sqlglot
from sqlglot import exp

from tanpuhui.science.engine import bounded_yaml, tree
from tanpuhui.science.engine.digits import MAX_PLACES
from tanpuhui.science.engine.errors import Source, VersionBlocked
from tanpuhui.science.engine.evaluation import Scalar
from tanpuhui.science.engine.grammar import RULES
from tanpuhui.science.engine.interpreter import Result, interpret
from tanpuhui.science.engine.load import load_version
from tanpuhui.science.engine.model import Field, MethodologyVersion, ParameterSet, Words
from tanpuhui.science.engine.parameters import inline_parameter_set
from tanpuhui.science.engine.reader import Reader
from tanpuhui.science.engine.record import UnreadableValue, Value, value_of
from tanpuhui.science.engine.rounding import round_quotient

CASES_FILE = "cases.yaml"
MAX_CASES = 200
MAX_SETS = 20
CASE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}\Z")
# A check query computes with literals only: it can read nothing, call nothing else and write nothing.
CHECK_NODES = (
    exp.Select, exp.Alias, exp.Identifier, exp.Literal, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Floor,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Least, exp.Greatest, exp.Div, exp.IntDiv, exp.Ceil, exp.Round,
    exp.Case, exp.If, exp.EQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Exp, exp.Ln, exp.Pow, exp.Sqrt,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """A value as its source prints it: rounded to so many places by this rule."""

    value: Decimal
    places: int
    rule: tree.Rule

    def agrees(self, found: Decimal) -> bool:
        """Return whether a value, rounded as the source rounds, is the printed one."""
        return round_quotient(found, Decimal(1), places=self.places, rule=self.rule) == self.value


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkedCase:
    """A worked case. Exactly one of grams, reason and blocked is expected.

    `steps` are the steps its source prints, each rounded as printed. `check_sql` selects grams and remainder_g,
    or columns named as the steps, from literals, for DuckDB; empty for a case that proves a refusal.
    """

    code: str
    name: Words
    origin: str
    parameter_set: ParameterSet | None
    inputs: Mapping[str, Value]
    grams: int | None
    remainder_g: Decimal | None
    steps: Mapping[str, Printed]
    variant: str
    reason: str
    blocked: tuple[str, ...]
    check_sql: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseOutcome:
    """A worked case with what the engine found, as text, and whether it is what the case expects.

    `version` is the version with the case's parameter set; `result` is None where the whole version is blocked.
    """

    case: WorkedCase
    passed: bool
    expected: str
    found: str
    version: MethodologyVersion
    result: Result | None


def read_cases(files: Mapping[str, bytes]) -> tuple[WorkedCase, ...]:
    """Read cases.yaml; none when the folder has no such file. Raises MethodologyError at the first fault."""
    if CASES_FILE not in files:
        return ()
    version = load_version(files)
    top = Reader.of(bounded_yaml.read_yaml(files[CASES_FILE], file=CASES_FILE))
    top.choice("schema", ("tanpuhui-cases/1",))
    given = list(top.each("parameter_sets"))
    if len(given) > MAX_SETS:
        top.place("parameter_sets").refuse(
            "SCHEMA", zh=f"参数集超过 {MAX_SETS} 个。", en=f"There are more than {MAX_SETS} parameter sets."
        )
    sets = {found.code: found for found in map(inline_parameter_set, given)}
    cases = tuple(_case(reader, sets, version) for reader in list(top.each("cases"))[:MAX_CASES])
    top.finish()
    return cases


def run_cases(files: Mapping[str, bytes]) -> tuple[CaseOutcome, ...]:
    """Run every worked case of a folder through the interpreter."""
    return tuple(each_outcome(files, read_cases(files)))


def each_outcome(files: Mapping[str, bytes], cases: Iterable[WorkedCase]) -> Iterator[CaseOutcome]:
    """Run cases one by one, so that a caller may stop; the folder is loaded once for each parameter set."""
    versions: dict[str, MethodologyVersion] = {}
    for case in cases:
        name = case.parameter_set.code if case.parameter_set else ""
        if name not in versions:
            versions[name] = load_version(files, parameter_set=case.parameter_set)
        yield _run(versions[name], case)


def _case(reader: Reader, sets: Mapping[str, ParameterSet], version: MethodologyVersion) -> WorkedCase:
    name = reader.choice("parameter_set", ("", *sets), default="")
    expect = reader.reader("expect")
    grams = expect.text("grams", default="")
    if grams and not re.match(r"-?[0-9]{1,18}\Z", grams):
        expect.place("grams").refuse("SCHEMA", zh="克数应为整数。", en="grams is a whole number.")
    case = WorkedCase(
        code=reader.matching("code", CASE_CODE, "G07"),
        name=reader.words("name"),
        origin=reader.text("origin"),
        parameter_set=sets.get(name),
        inputs=_inputs(reader.reader("inputs"), version),
        grams=int(grams) if grams else None,
        remainder_g=expect.decimal("remainder_g") if grams else None,
        steps=_steps(expect, version) if grams else {},
        variant=expect.text("variant", default=""),
        reason=expect.text("reason", default=""),
        blocked=expect.texts("blocked"),
        check_sql=_check_sql(reader) if grams else "",
    )
    expect.finish()
    reader.finish()
    if sum((bool(grams), bool(case.reason), bool(case.blocked))) != 1:
        expect.source.refuse(
            "SCHEMA",
            zh="expect 里 grams、reason、blocked 三者必有且只有一个。",
            en="expect has exactly one of grams, reason and blocked.",
        )
    return case


def _inputs(reader: Reader, version: MethodologyVersion) -> dict[str, Value]:
    fields = {item.code: item for item in version.fields}
    groups = {group.code: group for group in version.groups}
    found: dict[str, Value] = {}
    for code in reader.mapping.entries:
        if code in groups:
            inner = {item.code: item for item in groups[code].fields}
            found[code] = [
                {name: _input(row, name, inner) for name in row.mapping.entries} for row in reader.each(code)
            ]
        else:
            found[code] = _input(reader, code, fields)
    return found


def _input(reader: Reader, code: str, fields: Mapping[str, Field]) -> Scalar | None:
    source = reader.scalar(code, default="")
    if code not in fields:
        reader.mapping.keys[code].refuse(
            "UNKNOWN_NAME", zh=f"没有字段“{code}”。", en=f"There is no field '{code}'."
        )
    try:
        return value_of(fields[code], source.text)
    except UnreadableValue:
        source.refuse(
            "SCHEMA",
            zh=f"“{code}”应为{'日期，如 2016-01-31' if fields[code].kind == 'date' else '一个数'}。",
            en=f"'{code}' is {'a date such as 2016-01-31' if fields[code].kind == 'date' else 'a number'}.",
        )


def _steps(expect: Reader, version: MethodologyVersion) -> dict[str, Printed]:
    if expect.value("steps") is None:
        return {}
    reader = expect.reader("steps")
    known = {formula.code for variant in version.variants for formula in variant.formulas}
    found: dict[str, Printed] = {}
    for code in reader.mapping.entries:
        inner = reader.reader(code)
        if code not in known:
            reader.mapping.keys[code].refuse(
                "UNKNOWN_NAME", zh=f"没有步骤“{code}”。", en=f"There is no step '{code}'."
            )
        rule = RULES[inner.choice("rule", tuple(RULES), default="half_up")]
        places = inner.whole("places", limit=MAX_PLACES)
        found[code] = Printed(value=inner.decimal("value"), places=places, rule=rule)
        inner.finish()
    return found


def check_agrees(case: WorkedCase, row: Mapping[str, object]) -> bool:
    """Return whether the row that `check_sql` gave says what the case expects; it must say something."""
    expected: dict[str, Printed] = dict(case.steps)
    if case.grams is not None and case.remainder_g is not None:
        whole = Printed(value=Decimal(case.grams), places=0, rule="floor")
        exact = Printed(value=case.remainder_g, places=MAX_PLACES, rule="half_even")
        expected |= {"grams": whole, "remainder_g": exact}
    return bool(row) and all(
        code in expected and expected[code].agrees(Decimal(str(value))) for code, value in row.items()
    )


def _check_sql(reader: Reader) -> str:
    source = reader.scalar("check_sql")
    try:
        statements = sqlglot.parse(source.text, read="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        _refuse_check(source)
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        _refuse_check(source)
    if not all(isinstance(node, CHECK_NODES) for node in statements[0].walk()):
        _refuse_check(source)
    return source.text


def _refuse_check(source: Source) -> NoReturn:
    source.refuse(
        "CHECK_SQL",
        zh="核对查询只能是一条 SELECT，用数字、四则运算和《方法学语言》第 6 节的函数写出 grams 和 remainder_g，或各步骤。",
        en="A check is one SELECT of grams and remainder_g, or of steps, from numbers with the operators and functions of section 6 of the language.",
    )


def _run(version: MethodologyVersion, case: WorkedCase) -> CaseOutcome:
    result: Result | None = None
    expected = f"blocked: {', '.join(case.blocked)}" if case.blocked else f"reason: {case.reason}"
    if case.grams is not None and case.remainder_g is not None:
        expected = _counted(case.grams, case.remainder_g, case.variant)
    try:
        result = interpret(version, case.inputs)
    except VersionBlocked as blocked:
        found = f"blocked: {', '.join(blocked.names)}"
    else:
        found = f"reason: {result.reason}"
        if result.grams is not None and result.remainder_g is not None:
            variant = result.variant or ""
            found = _counted(result.grams.value, result.remainder_g, variant if case.variant else "")
            expected, found = _with_steps(case, result, expected, found)
    return CaseOutcome(
        case=case, passed=found == expected, expected=expected, found=found, version=version, result=result
    )


def _with_steps(case: WorkedCase, result: Result, expected: str, found: str) -> tuple[str, str]:
    """Add the printed steps to both texts; a step that rounds to the printed value reads as printed."""
    for code, printed in case.steps.items():
        value = result.steps.get(code)
        same = value is not None and printed.agrees(value)
        expected += f", {code} {printed.value:f}"
        found += f", {code} {printed.value if same else value}"
    return expected, found


def _counted(grams: int, remainder_g: Decimal, variant: str) -> str:
    return f"{grams} g, remainder {remainder_g.normalize():f} g{variant and f', by {variant}'}"
