"""Made-up methodology folders for the engine's tests, and formulas that Hypothesis makes up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tanpuhui.science.engine import MethodologyError, MethodologyVersion, ParameterSet, load_version

ROOT = Path(__file__).parents[4]
LIBRARY = ROOT / "methodologies"
MAIN = "methodology.yaml"

HEAD = """schema: tanpuhui-methodology/1
code: X01
version: "1.0"
name: {zh: 试验, en: Trial}
class: SCENARIO
scenario: trial
status: DESIGN
scope: {zh: 试验, en: Trial}
beneficiary: {zh: 无, en: Nobody}
rounding: {unit: gCO2e, places: 0, rule: floor, remainder: stored}
"""
FIELD = """  - code: {code}
    name: {{zh: {zh}, en: {code}}}
    unit: {unit}
    min: {low}
    max: {high}
    places: {places}
    nullable: {nullable}
    privacy: amount
"""
PARAMETER = """  - code: {code}
    name: {{zh: {zh}, en: {code}}}
    unit: {unit}
    state: {state}
    factor: {factor}
"""
FACTOR = """  - code: {code}
    name: {{zh: 因子, en: factor}}
    value: {value}
    unit: {unit}
    source: {{zh: 试验, en: trial}}
    confidence: {confidence}
"""


def folder(path: Path) -> dict[str, bytes]:
    """Read a methodology version's folder from disk."""
    return {
        item.relative_to(path).as_posix(): item.read_bytes() for item in path.rglob("*") if item.is_file()
    }


def library() -> list[Path]:
    """List the shipped versions."""
    return sorted(path.parent for path in LIBRARY.glob("*/*/methodology.yaml"))


def field(
    code: str,
    zh: str,
    *,
    low: str = "0",
    high: str = "100",
    places: int = 3,
    unit: str = "",
    nullable: str = "no",
) -> str:
    return FIELD.format(
        code=code, zh=zh, low=low, high=high, places=places, unit=unit or "1", nullable=nullable
    )


def made_up(
    *,
    fields: str,
    formula: str,
    unit: str = "gCO2e",
    parameters: Mapping[str, tuple[str, str, str]] | None = None,
    more: str = "",
    present: str = "",
) -> dict[str, bytes]:
    """Build a folder with one variant of one formula; parameters are code: (Chinese name, value, unit)."""
    text = HEAD + "fields:\n" + fields
    factors = "schema: tanpuhui-factors/1\nfactors:\n"
    for code, (zh, value, its_unit) in (parameters or {}).items():
        state, factor = ("SET", f"{code}_row") if value else ("OP", "")
        text += "parameters:\n" if "parameters:\n" not in text else ""
        text += PARAMETER.format(code=code, zh=zh, unit=its_unit or "1", state=state, factor=factor)
        if value:
            factors += FACTOR.format(code=factor, value=value, unit=its_unit or "1", confidence="M")
    quoted = formula.replace("'", "''")
    text += "calculations:\n  - code: only\n    name: {zh: 唯一, en: Only}\n"
    text += f"    when: {{present: [{present}]}}\n" if present else ""
    text += f"    formulas:\n      - code: result\n        name: {{zh: 结果, en: Result}}\n        unit: {unit}\n        formula: '{quoted}'\n"
    files = {MAIN: (text + more).encode()}
    return files | ({"factors/all.yaml": factors.encode()} if "value:" in factors else {})


def fault(files: Mapping[str, bytes], parameter_set: ParameterSet | None = None) -> MethodologyError:
    """Load what must be refused and return the refusal."""
    try:
        load_version(files, parameter_set=parameter_set)
    except MethodologyError as error:
        return error
    message = "it was not refused"
    raise AssertionError(message)


# Three dimensionless fields: one with many places, one that can be negative, one that never is 0.
TRIAL_FIELDS = (
    field("a", "甲", low="0", high="60000", places=4)
    + field("b", "乙", low="-999.99", high="999.99", places=2)
    + field("c", "丙", low="0.001", high="7", places=3)
)
RULES = ["floor", "ceiling", "half_up", "half_even", "向下", "四舍五入"]


def _grow(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(children, children)
    places = st.integers(0, 6)
    divisors = st.sampled_from(["c", "丙", "(c * 0.07)", "3", "0.7", "(-c)", "(乙 * 乙 + 0.0001)"])
    tests = st.tuples(children, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), children).map(" ".join)
    joined = st.tuples(tests, st.sampled_from(["and", "or", "且", "或 not"]), tests)
    joined = joined.map(lambda t: f"({t[0]}) {t[1].replace('或 not', '或 非')} ({t[2]})")
    return st.one_of(
        st.tuples(children, st.sampled_from(["+", "-", "*"]), children).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
        children.map(lambda t: f"-({t})"),
        pair.map(lambda t: f"min({t[0]}, {t[1]})"),
        pair.map(lambda t: f"最大({t[0]}, {t[1]}, 0.5)"),
        children.map(lambda t: f"floor({t})"),
        st.tuples(children, divisors, places, st.sampled_from(RULES)).map(
            lambda t: f"round(({t[0]}) / {t[1]}, {t[2]}, {t[3]})"
        ),
        st.tuples(children, places, st.sampled_from(RULES)).map(lambda t: f"round({t[0]}, {t[1]}, {t[2]})"),
        st.tuples(st.one_of(tests, joined), children, children).map(
            lambda t: f"(if {t[0]} then {t[1]} else {t[2]})"
        ),
    )


NUMBERS = st.decimals(min_value=0, max_value=200, places=4).map(lambda value: f"{value:f}")
FORMULAS = st.recursive(
    st.one_of(st.sampled_from(["a", "b", "c", "甲", "乙", "丙"]), NUMBERS), _grow, max_leaves=6
)


def values(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    """Values of a field: edges often, some outside, some with too many places."""
    inside = st.decimals(min_value=Decimal(low), max_value=Decimal(high), places=places)
    edges = st.sampled_from(
        [Decimal(low), Decimal(high), Decimal(high) + 1, Decimal(low) - 1, Decimal("1.00001")]
    )
    return st.one_of(inside, inside, inside, edges)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.one_of(values("0", "60000", 4), st.none()),
            "b": values("-999.99", "999.99", 2),
            "c": values("0.001", "7", 3),
        }
    ),
    min_size=1,
    max_size=8,
)


def trial(formula: str) -> MethodologyVersion | None:
    """Load a trial version with a formula, or None when it is lawfully refused for its digits or its divisor."""
    try:
        return load_version(made_up(fields=TRIAL_FIELDS, formula=f"({formula}) * 1[gCO2e]"))
    except MethodologyError as error:
        if error.problem in {"TOO_MANY_DIGITS", "DIVISOR_MAY_BE_ZERO", "FORMULA_TOO_DEEP"}:
            return None
        raise


def as_rows(version: MethodologyVersion, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what the interpreter says of the rows, in the shape of the SQL's result."""
    from tanpuhui.science.engine import interpret

    found = []
    for number, row in enumerate(rows):
        result = interpret(version, row)
        grams = result.grams.value if result.grams is not None else None
        found.append((number, result.reason, result.variant, grams, result.remainder_g))
    return found
