"""Tables, rows, dates, series and functions: what they give, what they refuse, how they are explained."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.science.engine.made_up import MAIN

from tanpuhui.science.engine import (
    MethodologyError,
    MethodologyVersion,
    explain,
    formula_text,
    interpret,
    load_parameter_set,
    load_version,
    tree,
)
from tanpuhui.science.engine.digits import Digits
from tanpuhui.science.engine.functions import evaluate_function
from tanpuhui.science.engine.record import Value

HEAD = """schema: tanpuhui-methodology/1
code: X02
version: "1.0"
name: {zh: 试验林, en: Trial forest}
class: PROJECT
scenario: trial
status: DESIGN
scope: {zh: 试验, en: Trial}
beneficiary: {zh: 无, en: Nobody}
rounding: {unit: gCO2e, places: 0, rule: floor, remainder: stored}
crediting: {unit: tCO2e, rule: floor, carried: [remainder, negative], length: {zh: 一期, en: One period}}
fields:
  - {code: start_date, name: {zh: 期初, en: Start}, kind: date, min: "2000-01-01", max: "2100-01-01", privacy: amount}
  - {code: end_date, name: {zh: 期末, en: End}, kind: date, min: "2000-01-01", max: "2100-01-01", privacy: amount}
groups:
  - code: strata
    name: {zh: 小班, en: Strata}
    min_rows: 1
    max_rows: 50
    unique: [stratum]
    fields:
      - {code: stratum, name: {zh: 小班号, en: Stratum}, kind: choice, options: [甲, 乙, 丙], privacy: amount}
      - {code: species, name: {zh: 树种, en: Species}, kind: choice, options: [杨树, 刺槐, 油松], privacy: amount}
      - {code: volume, name: {zh: 蓄积, en: Volume}, unit: m3, min: 0, max: 100000, places: 2, privacy: amount}
  - code: plots
    name: {zh: 监测, en: Monitoring}
    min_rows: 0
    max_rows: 20
    order: measured_on
    fields:
      - {code: measured_on, name: {zh: 监测日, en: Measured}, kind: date, min: "2000-01-01", max: "2100-01-01", privacy: amount}
      - {code: carbon, name: {zh: 碳储量, en: Carbon}, unit: tC, min: 0, max: 1000000, places: 3, privacy: amount}
tables:
  - code: species_table
    name: {zh: 树种表, en: Species table}
    keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice}]
    columns:
      - {code: density, name: {zh: 密度, en: Density}, symbol: D, unit: t/m3}
      - {code: fraction, name: {zh: 含碳率, en: Carbon fraction}, unit: tC/t}
    source: {zh: 试验, en: trial}
    confidence: M
    rows:
      - {species: 杨树, density: 0.378, fraction: 0.496}
      - {species: 刺槐, density: 0.598, fraction: ""}
      - {species: 油松, density: 0.360, fraction: 0.521, confidence: GK-L}
  - code: deduction_table
    name: {zh: 扣减表, en: Deductions}
    keys: [{code: u, name: {zh: 不确定性, en: Uncertainty}, kind: band, unit: "", until: 0.3}]
    columns: [{code: deduction, name: {zh: 扣减率, en: Deduction}, unit: ""}]
    source: {zh: 试验, en: trial}
    confidence: M
    rows: [{u: 0, deduction: 0}, {u: 0.1, deduction: 0.06}, {u: 0.2, deduction: 0.11}]
  - code: curve_table
    name: {zh: 曲线, en: Curve}
    keys: [{code: age, name: {zh: 林龄, en: Age}, kind: line, unit: "", places: 4, rule: half_up}]
    columns: [{code: growth, name: {zh: 生长, en: Growth}, unit: t}]
    source: {zh: 试验, en: trial}
    confidence: M
    rows: [{age: 0, growth: 0}, {age: 3, growth: 10}, {age: 10, growth: 24}]
"""
CALCULATION = """calculations:
  - code: only
    name: {{zh: 唯一, en: Only}}
    formulas:
      - code: result
        name: {{zh: 结果, en: Result}}
        unit: {unit}
        formula: {formula}
"""
VOLUMES = [
    {"stratum": "甲", "species": "杨树", "volume": Decimal("100.50")},
    {"stratum": "乙", "species": "杨树", "volume": Decimal(10)},
]
PLOTS = [
    {"measured_on": date(2020, 1, 1), "carbon": Decimal(100)},
    {"measured_on": date(2020, 1, 11), "carbon": Decimal(103)},
    {"measured_on": date(2020, 1, 31), "carbon": Decimal(101)},
]
RECORD = {"start_date": date(2020, 1, 1), "end_date": date(2020, 1, 31), "strata": VOLUMES, "plots": PLOTS}
CO2 = "44[tCO2/tC] / 12"


def version(formula: str, unit: str = "tCO2", **changes: str) -> MethodologyVersion:
    text = HEAD + CALCULATION.format(formula=formula, unit=unit)
    for old, new in changes.items():
        text = text.replace(old, new)
    return load_version({MAIN: text.encode()})


def value(formula: str, **record: Value) -> Decimal | str | None:
    """What a formula in tCO2 gives for the record, or the reason."""
    result = interpret(version(formula), {**RECORD, **record})
    return result.reason or result.steps["result"]


def test_a_sum_looks_each_row_up() -> None:
    formula = f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * {CO2}, 9, half_up)"
    carbon = Fraction("110.50") * Fraction("0.378") * Fraction("0.496")
    assert value(formula) == round(Decimal((carbon * 44 / 12).numerator) / (carbon * 44 / 12).denominator, 9)


@pytest.mark.parametrize("species", ["刺槐", "油松"])
def test_a_row_whose_cell_waits_for_the_operator_or_is_too_uncertain_is_refused_by_name(species: str) -> None:
    rows = [*VOLUMES, {"stratum": "丙", "species": species, "volume": Decimal(1)}]
    formula = f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * {CO2}, 9, half_up)"
    expected = {"刺槐": "TABLE_VALUE_UNSET:fraction", "油松": "TABLE_VALUE_UNSET:density"}
    assert value(formula, strata=rows) == expected[species]


def test_a_cell_that_the_rows_condition_keeps_out_is_not_asked_for() -> None:
    rows = [*VOLUMES, {"stratum": "丙", "species": "刺槐", "volume": Decimal(1)}]
    formula = (
        f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种), 树种 = '杨树') * {CO2}, 9, half_up)"
    )
    assert value(formula, strata=rows) == value(formula)


@pytest.mark.parametrize(
    ("at", "expected"),
    [("0", "0"), ("0.0999", "0"), ("0.1", "0.06"), ("0.2", "0.11"), ("0.2999", "0.11"), ("0.3", None)],
)
def test_a_band_holds_from_its_bound_up_to_the_next(at: str, expected: str | None) -> None:
    found = value(f"1[tCO2] * 查表(扣减率, {at})")
    assert found == (Decimal(expected) if expected else "TABLE_VALUE_UNSET:deduction")


@pytest.mark.parametrize(
    ("age", "expected"),
    [("0", "0"), ("1", "3.3333"), ("3", "10"), ("5", "14"), ("10", "24"), ("10.1", None)],
)
def test_a_line_runs_straight_between_its_knots(age: str, expected: str | None) -> None:
    found = value(f"查表(生长, {age}) * 1[tCO2/t]")
    assert found == (Decimal(expected) if expected else "TABLE_VALUE_UNSET:growth")


def test_a_series_lies_straight_between_its_measurements_and_ends_with_the_last() -> None:
    formula = f"舍入((取值(监测, 碳储量, 期末, 6, half_up) - 取值(监测, 碳储量, 期初, 6, half_up)) * {CO2}, 6, half_up)"
    assert value(formula, end_date=date(2020, 1, 6)) == Decimal("5.5")
    assert value(formula) == Decimal("3.666667")
    assert value(formula, end_date=date(2020, 2, 1)) == "SERIES_GAP:plots"


def test_days_and_counts_are_whole_numbers() -> None:
    assert value("天数(期初, 期末) * 1[tCO2/day]") == 30
    assert value("天数(期末, '2020-01-01') * 1[tCO2/day]") == -30
    assert value("计数(监测, 监测日 > '2020-01-05') * 1[tCO2]") == 2


def test_rows_are_bounded_and_not_repeated() -> None:
    assert value("计数(小班) * 1[tCO2]", strata=[]) == "ROWS_OUT_OF_BOUNDS:strata"
    assert value("计数(小班) * 1[tCO2]", strata=[VOLUMES[0]] * 2) == "ROW_REPEATED:strata"
    assert (
        value("计数(小班) * 1[tCO2]", strata=[{**VOLUMES[0], "volume": None}])
        == "FIELD_MISSING:strata.volume"
    )
    assert value("计数(监测) * 1[tCO2]", plots=[PLOTS[0]] * 2) == "ROW_REPEATED:plots"


def test_a_parameter_set_fills_a_cell() -> None:
    given = load_parameter_set(
        """schema: tanpuhui-parameter-set/1
code: filled
purpose: test
label: {zh: 试验, en: trial}
tables:
  X02:
    species_table:
      - {species: 刺槐, density: 0.598, fraction: 0.5, confidence: TEST, source: {zh: 试验, en: trial}}
""".encode()
    )
    text = HEAD + CALCULATION.format(
        formula=f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * {CO2}, 3, half_up)",
        unit="tCO2",
    )
    filled = load_version({MAIN: text.encode()}, parameter_set=given)
    rows = [{"stratum": "甲", "species": "刺槐", "volume": Decimal(12)}]
    assert interpret(filled, {**RECORD, "strata": rows}).steps["result"] == Decimal("13.156")


def test_an_entry_without_a_row_takes_its_parents_only_where_it_says_so() -> None:
    plain = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice}]"
    fallback = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice, within: {刺槐: 杨树}}]"
    rows = [{"stratum": "甲", "species": "刺槐", "volume": Decimal(1)}]
    formula = "合计(小班, 蓄积 * 查表(含碳率, 树种)) * 1[t*tCO2/(m3*tC)]"
    assert value(formula, strata=rows) == "TABLE_VALUE_UNSET:fraction"
    taken = interpret(version(formula, **{plain: fallback}), {**RECORD, "strata": rows})
    assert taken.steps["result"] == Decimal("0.496")


def test_an_entry_whose_parent_still_waits_waits_with_it() -> None:
    plain = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice}]"
    fallback = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice, within: {柏木: 刺槐}}]"
    formula = "查表(含碳率, '柏木') * 1[t*tCO2/tC]"
    with pytest.raises(MethodologyError) as refused:
        version(formula)
    assert refused.value.problem == "UNKNOWN_OPTION"
    waiting = interpret(version(formula, **{plain: fallback}), RECORD)
    assert waiting.reason == "TABLE_VALUE_UNSET:fraction"


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        ("合计(小班, 蓄积)", "DIMENSION_MISMATCH"),
        ("蓄积 * 1[tCO2/m3]", "UNKNOWN_NAME"),
        ("合计(无此组, 1) * 1[tCO2]", "UNKNOWN_NAME"),
        ("合计(小班, 合计(监测, 碳储量)) * 1[tCO2/tC]", "NESTED_ROWS"),
        ("查表(无此列, '杨树') * 1[tCO2]", "UNKNOWN_NAME"),
        ("查表(密度, '柏木') * 1[tCO2*m3/t]", "UNKNOWN_OPTION"),
        ("查表(扣减率, 0.1, 0.2) * 1[tCO2]", "WRONG_KEYS"),
        ("查表(扣减率, 1[km]) * 1[tCO2]", "UNIT_MISMATCH"),
        ("取值(小班, 蓄积, 期末, 2, half_up) * 1[tCO2/m3]", "NO_ORDER"),
        ("密度 * 1[tCO2*m3/t]", "WRONG_KIND"),
        ("exp(1[km], 4, half_up) * 1[tCO2]", "DIMENSION_MISMATCH"),
        ("ln(计数(监测), 4, half_up) * 1[tCO2]", "OUTSIDE_DOMAIN"),
        ("exp(100, 4, half_up) * 1[tCO2]", "TOO_MANY_DIGITS"),
        ("期初 * 1[tCO2]", "WRONG_KIND"),
        ("若 期初 > '昨天' 则 1[tCO2] 否则 2[tCO2]", "WRONG_KIND"),
        ("若 期初 > '2020-01-01' 且 查表(扣减率, 0.1) > 0 则 1[tCO2] 否则 2[tCO2]", "LOOKUP_IN_LOGIC"),
    ],
)
def test_what_cannot_be_meant_is_refused(formula: str, problem: str) -> None:
    with pytest.raises(MethodologyError) as refused:
        version(formula)
    assert refused.value.problem == problem


def test_functions_and_series_belong_to_projects_and_events() -> None:
    text = HEAD.replace("class: PROJECT", "class: SCENARIO").replace("crediting:", "#")
    with pytest.raises(MethodologyError) as refused:
        load_version(
            {MAIN: (text + CALCULATION.format(formula="exp(1, 2, floor) * 1[tCO2]", unit="tCO2")).encode()}
        )
    assert refused.value.problem == "FUNCTION_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("name", "operands", "places", "rule", "expected"),
    [
        ("exp", ("1",), 10, "half_up", "2.7182818285"),
        ("exp", ("0",), 3, "ceiling", "1"),
        ("ln", ("2",), 12, "floor", "0.693147180559"),
        ("ln", ("1",), 4, "ceiling", "0"),
        ("ln", ("0.5",), 4, "floor", "-0.6932"),
        ("power", ("4", "0.5"), 0, "floor", "2"),
        ("power", ("4", "0.5"), 0, "ceiling", "2"),
        ("power", ("2", "10"), 0, "floor", "1024"),
        ("power", ("2", "-2"), 1, "half_up", "0.3"),
        ("power", ("12.5", "2.413"), 6, "half_up", "443.449185"),
        ("sqrt", ("2",), 3, "ceiling", "1.415"),
        ("sqrt", ("6.25",), 0, "half_even", "2"),
        ("sqrt", ("6.25",), 0, "half_up", "3"),
    ],
)
def test_functions_are_rounded_correctly(
    name: Literal["exp", "ln", "power", "sqrt"],
    operands: tuple[str, ...],
    places: int,
    rule: tree.Rule,
    expected: str,
) -> None:
    node = tree.Function(at=0, name=name, operands=(), places=places, rule=rule)
    assert evaluate_function(node, tuple(Decimal(text) for text in operands)) == Decimal(expected)


@given(st.integers(1, 10**12), st.integers(0, 6), st.sampled_from(["floor", "ceiling", "half_up"]))
def test_a_square_root_lies_on_the_side_its_rule_says(number: int, places: int, rule: tree.Rule) -> None:
    node = tree.Function(at=0, name="sqrt", operands=(), places=places, rule=rule)
    found = Fraction(evaluate_function(node, (Decimal(number),)))
    step = Fraction(1, 10**places)
    if rule == "floor":
        assert found**2 <= number < (found + step) ** 2
    elif rule == "ceiling":
        assert (found - step) ** 2 < number <= found**2
    else:
        assert (found - step / 2) ** 2 <= number < (found + step / 2) ** 2


def test_the_explanation_shows_the_rows_and_the_cells_with_their_sources() -> None:
    formula = f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * {CO2}, 3, half_up)"
    told = explain(version(formula), RECORD)
    kinds = [step.kind for step in told.steps]
    assert kinds.count("row") == 2
    cell = next(step for step in told.steps if step.code == "density[杨树]")
    assert (cell.value, cell.confidence, cell.source) == (Decimal("0.378"), "M", "试验")
    row = next(step for step in told.steps if step.kind == "row")
    assert row.value == Decimal("100.50") * Decimal("0.378") * Decimal("0.496")
    assert "蓄积 100.5 m³" in row.note
    assert "Σ" not in told.steps[-2].substituted
    assert told.as_json()
    assert "Σ小班(蓄积 × 密度(树种) × 含碳率(树种))" in formula_text(version(formula), "only")[0].formula


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("exp(-3, 6, half_up)", "0.049787"), ("ln(2, 4, half_up)", "0.6931"), ("power(3, 0.5, 4, half_up)", "1.7321")],
)  # fmt: skip
def test_a_function_inside_a_formula_is_calculated_where_inexact_steps_are_trapped(
    formula: str, expected: str
) -> None:
    assert value(f"{formula} * 1[tCO2]") == Decimal(expected)


def test_an_entry_whose_parents_have_no_value_either_waits_by_name() -> None:
    plain = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice}]"
    fallback = "keys: [{code: species, name: {zh: 树种, en: Species}, kind: choice, within: {银杏: 刺槐}}]"
    options = "options: [杨树, 刺槐, 油松]"
    changes = {plain: fallback, options: "options: [银杏]"}
    rows = [{"stratum": "甲", "species": "银杏", "volume": Decimal(1)}]
    found = interpret(
        version("合计(小班, 蓄积 * 查表(含碳率, 树种)) * 1[t*tCO2/(m3*tC)]", **changes),
        {**RECORD, "strata": rows},
    )
    assert found.reason == "TABLE_VALUE_UNSET:fraction"


def test_a_group_may_have_as_many_rows_as_the_reference_says() -> None:
    assert (
        version("计数(小班) * 1[tCO2]", **{"max_rows: 50\n": "max_rows: 10000\n"}).groups[0].max_rows
        == 10_000
    )


def test_a_look_up_in_the_condition_of_a_sum_is_guarded_row_by_row() -> None:
    formula = "合计(小班, 蓄积, 查表(密度, 树种) > 0.3[t/m3]) * 1[tCO2/m3]"
    assert value(formula) == Decimal("110.50")
    waiting = [*VOLUMES, {"stratum": "丙", "species": "油松", "volume": Decimal(1)}]
    assert value(formula, strata=waiting) == "TABLE_VALUE_UNSET:density"


def test_a_field_that_is_unique_and_one_that_orders_are_told_apart() -> None:
    changes = {"    order: measured_on\n": "    order: measured_on\n    unique: [carbon]\n"}
    counted = version("计数(监测) * 1[tCO2]", **changes)
    assert interpret(counted, RECORD).steps["result"] == 3
    again = [*PLOTS, {"measured_on": date(2020, 3, 1), "carbon": Decimal(100)}]
    assert interpret(counted, {**RECORD, "plots": again}).reason == "ROW_REPEATED:plots"


def test_a_bound_of_thirty_digits_keeps_its_last_one_when_it_is_negated() -> None:
    wide = Digits(Decimal(0), Decimal(123456789012345678901234567891), 0)
    assert str(wide.negated().low) == "-123456789012345678901234567891"


@pytest.mark.parametrize(
    "formula",
    [
        "若 计数(小班) > 5 则 1[tCO2] * 查表(扣减率, 0.9) 否则 2[tCO2]",
        "若 计数(小班) > 5 则 合计(小班, 蓄积 * 查表(含碳率, '刺槐')) * 1[tCO2*t/(m3*tC)] 否则 2[tCO2]",
        "合计(小班, 若 蓄积 > 50000[m3] 则 1 * 查表(扣减率, 0.9) 否则 1) * 1[tCO2]",
    ],
)
def test_a_branch_that_was_not_taken_is_explained_without_what_it_lacks(formula: str) -> None:
    assert explain(version(formula), RECORD).grams is not None
