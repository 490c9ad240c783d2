"""Worked cases (算例): inputs, expected result or expected refusal, and an SQL check written independently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

import sqlglot
from sqlglot import exp

from tanpuhui.science.engine import bounded_yaml
from tanpuhui.science.engine.bounded_yaml import Scalar
from tanpuhui.science.engine.errors import Source, VersionBlocked
from tanpuhui.science.engine.interpreter import Result, Value, interpret
from tanpuhui.science.engine.load import load_version
from tanpuhui.science.engine.model import MethodologyVersion, ParameterSet, Words
from tanpuhui.science.engine.parameters import inline_parameter_set
from tanpuhui.science.engine.reader import DECIMAL, Reader

CASES_FILE = "cases.yaml"
MAX_CASES = 200
CASE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}\Z")
# A check query computes with literals only: it can read nothing, call nothing else and write nothing.
CHECK_NODES = (
    exp.Select, exp.Alias, exp.Identifier, exp.Literal, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Floor,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Least, exp.Greatest,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkedCase:
    """A worked case. Exactly one of grams, reason and blocked is expected.

    `check_sql` selects grams and remainder_g from literals, for DuckDB; empty for a case that proves a refusal.
    """

    code: str
    name: Words
    origin: str
    parameter_set: ParameterSet | None
    inputs: Mapping[str, Value]
    grams: int | None
    remainder_g: Decimal | None
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
    top = Reader.of(bounded_yaml.read_yaml(files[CASES_FILE], file=CASES_FILE))
    top.choice("schema", ("tanpuhui-cases/1",))
    sets = {
        found.code: found for found in (inline_parameter_set(reader) for reader in top.each("parameter_sets"))
    }
    cases = tuple(_case(reader, sets) for reader in list(top.each("cases"))[:MAX_CASES])
    top.finish()
    return cases


def run_cases(files: Mapping[str, bytes]) -> tuple[CaseOutcome, ...]:
    """Run every worked case of a folder through the interpreter; the folder is loaded once for each parameter set."""
    versions: dict[str, MethodologyVersion] = {}
    outcomes = []
    for case in read_cases(files):
        name = case.parameter_set.code if case.parameter_set else ""
        if name not in versions:
            versions[name] = load_version(files, parameter_set=case.parameter_set)
        outcomes.append(_run(versions[name], case))
    return tuple(outcomes)


def _case(reader: Reader, sets: Mapping[str, ParameterSet]) -> WorkedCase:
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
        inputs=_inputs(reader),
        grams=int(grams) if grams else None,
        remainder_g=expect.decimal("remainder_g") if grams else None,
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


def _inputs(reader: Reader) -> dict[str, Value]:
    inner = reader.reader("inputs")
    found: dict[str, Value] = {}
    for code, value in inner.mapping.entries.items():
        if not isinstance(value, Scalar):
            value.source.refuse("SCHEMA", zh="输入应为一个值。", en="An input is one value.")
        text = value.text
        found[code] = None if text == "" else Decimal(text) if DECIMAL.match(text) else text
    return found


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
        zh="核对查询只能是一条 SELECT，用数字、+ − ×、FLOOR、CAST、LEAST、GREATEST 写出 grams 和 remainder_g。",
        en="A check is one SELECT of grams and remainder_g from numbers with + - *, FLOOR, CAST, LEAST, GREATEST.",
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
    return CaseOutcome(
        case=case, passed=found == expected, expected=expected, found=found, version=version, result=result
    )


def _counted(grams: int, remainder_g: Decimal, variant: str) -> str:
    return f"{grams} g, remainder {remainder_g.normalize():f} g{variant and f', by {variant}'}"
