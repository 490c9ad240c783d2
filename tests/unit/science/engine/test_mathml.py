"""A formula is set as MathML from the tree that runs: well formed, escaped, the same symbols as the plain text."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test.html import Element, parse_html
from hypothesis import given, settings
from tests.unit.science.engine.made_up import FORMULAS, TRIAL_FIELDS, folder, library, made_up, trial
from tests.unit.science.engine.test_wider_language import RECORD
from tests.unit.science.engine.test_wider_language import version as wider

from tanpuhui.science.engine import MethodologyVersion, explain, formula_text, interpret, load_version, tree
from tanpuhui.science.engine.mathml import (
    condition_mathml,
    formula_mathml,
    symbol_mathml,
    unit_text,
    values_mathml,
)

EVERYTHING = {
    tree.Number: "a * 2",
    tree.Text: "a",
    tree.Name: "a",
    tree.Negative: "-b",
    tree.Arithmetic: "a - (b - c)",
    tree.Comparison: "if a > b then a else b",
    tree.Logic: "if a > b and (a > c or b < c) then a else b",
    tree.Not: "if not (a > b) then a else b",
    tree.Condition: "if a > b then a else if b > c then b else c",
    tree.Extreme: "min(a, b, c)",
    tree.Floor: "floor(a)",
    tree.Round: "round(a / c, 3, half_up)",
    tree.Convert: "a",
}
WIDER = {
    tree.Lookup: ("查表(生长, 3) * 1[tCO2/t]", "tCO2"),
    tree.Total: ("合计(小班, 蓄积 * 查表(密度, 树种), 树种 = '杨树') * 1[tCO2/t]", "tCO2"),
    tree.Series: ("舍入(取值(监测, 碳储量, 期末, 6, half_up) * 44[tCO2/tC] / 12, 9, half_up)", "tCO2"),
    tree.Days: ("天数(期初, 期末) * 2[tCO2/day]", "tCO2"),
    tree.Function: (
        "(exp(1.5, 4, half_up) + ln(2, 4, half_up) + power(3, 0.5, 4, half_up) + sqrt(2, 3, 向下)) * 1[tCO2]",
        "tCO2",
    ),
}
"""A formula with each node of the language; a node without one makes the test below fail."""


def loaded(formula: str) -> MethodologyVersion:
    version = trial(formula)
    assert version is not None
    return version


def set_as(formula: str, locale: str = "zh") -> str:
    version = loaded(formula)
    variant = version.variants[0]
    return formula_mathml(version, variant, variant.result, locale=locale)


def set_wider(formula: str, unit: str = "tCO2", locale: str = "zh") -> str:
    version = wider(formula, unit)
    variant = version.variants[0]
    return formula_mathml(version, variant, variant.result, locale=locale)


def elements(markup: str, name: str) -> list[Any]:
    """Return the elements of a name; the parser refuses what is not well formed."""

    def walk(one: Any) -> list[Any]:
        inner = [found for child in getattr(one, "children", ()) for found in walk(child)]
        return [one, *inner] if isinstance(one, Element) and one.name == name else inner

    return walk(parse_html(markup))


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def test_every_node_of_the_language_can_be_set() -> None:
    kinds = [kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.Node)]
    nodes = set(kinds) - {tree.Node}
    assert nodes == {*EVERYTHING, *WIDER}
    for formula in EVERYTHING.values():
        parse_html(set_as(formula))
    for formula, unit in WIDER.values():
        parse_html(set_wider(formula, unit))


@settings(max_examples=60, deadline=None)
@given(FORMULAS)
def test_any_formula_is_set_well_formed_in_both_languages(formula: str) -> None:
    version = trial(formula)
    if version is None:
        return
    variant = version.variants[0]
    for locale in ("zh", "en"):
        found = parse_html(formula_mathml(version, variant, variant.result, locale=locale))
        assert found.name == "math"


@pytest.mark.parametrize("path", library(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_formula_of_the_library_is_set_with_the_numbers_that_its_text_has(path: Path) -> None:
    version = load_version(folder(path))
    for variant in version.variants:
        for formula, line in zip(variant.formulas, formula_text(version, variant), strict=True):
            markup = formula_mathml(version, variant, formula)
            parse_html(markup)
            # How it is rounded is set in words or by brackets, not as a number of the formula.
            text = re.sub(r"[0-9]+ 位小数", "", line.formula)
            assert sorted(re.findall(r"<mn>([^<]+)", markup)) == sorted(
                re.findall(r"(?<![\w.])[0-9]+(?:\.[0-9]+)?(?![\w.])", text)
            )
            assert "href" not in markup  # inside <math> nothing may be focused


def test_a_division_is_a_fraction_that_says_how_it_is_rounded() -> None:
    markup = set_as("round((a + b) / c, 3, half_up)")
    top, bottom = elements(markup, "mfrac")[0].children
    assert words(str(top)) == "甲 + 乙"
    assert words(str(bottom)) == "丙"
    assert "3 位小数，四舍五入" in words(markup)


def test_rounding_to_whole_numbers_is_set_by_the_usual_brackets() -> None:
    assert words(set_as("round(a / c, 0, floor)")).startswith("结果 = ⌊ 甲 丙 ⌋")
    assert words(set_as("round(a / c, 0, ceiling)")).startswith("结果 = ⌈ 甲 丙 ⌉")
    assert words(set_as("floor(a)")).startswith("结果 = ⌊ 甲 ⌋")


def test_a_chain_of_conditions_is_one_table_of_cases() -> None:
    markup = set_as("if a > b then a else if b > c then b else c")
    assert [words(str(row)) for row in elements(markup, "mtr")] == [
        "甲 若 甲 > 乙",
        "乙 若 乙 > 丙",
        "丙 否则",
    ]
    english = set_as("if a > b then a else c", "en")
    assert [words(str(row)) for row in elements(english, "mtr")] == ["a if a > b", "c else"]


def test_a_sum_over_rows_names_the_rows_and_the_condition() -> None:
    markup = set_wider(*WIDER[tree.Total])
    under = elements(markup, "munder")[0]
    assert words(str(under)) == "∑ 小班 , 仅当 树种 = “杨树”"
    assert words(markup) == "结果 = ( ∑ 小班 , 仅当 树种 = “杨树” 蓄积 × D 树种 ) × 1 t CO₂/t"


def test_a_look_up_has_its_keys_below() -> None:
    assert words(str(elements(set_wider(*WIDER[tree.Lookup]), "msub")[0])) == "生长 3"


def test_roots_and_powers_are_drawn_and_say_how_they_are_rounded() -> None:
    markup = set_wider(*WIDER[tree.Function])
    assert [words(str(one)) for one in elements(markup, "msqrt")] == ["2"]
    assert [words(str(one)) for one in elements(markup, "msup")] == ["e 1.5", "3 0.5"]
    assert "[ ln ( 2 ) ] 4 位小数，四舍五入" in words(markup)
    assert "[ 2 ] 3 位小数，向下" in words(markup)


def test_a_series_says_at_which_day() -> None:
    assert "[ 碳储量 ] 监测 , 在 期末" in words(set_wider(*WIDER[tree.Series]))


def test_in_a_record_a_sum_and_a_series_are_the_numbers_they_come_to() -> None:
    version = wider(*WIDER[tree.Total])
    variant = version.variants[0]
    known: Any = {**RECORD, **explained(version)}
    assert (
        words(values_mathml(version, variant, variant.result, known))
        == "结果 = 41.769 × 1 t CO₂/t = 41.769 t CO₂"
    )


def explained(version: MethodologyVersion) -> dict[str, Any]:
    return dict(interpret(version, RECORD).steps)  # type: ignore[arg-type]


def test_parentheses_stand_where_the_tree_needs_them_and_nowhere_else() -> None:
    assert words(set_as("a - (b - c)")) == "结果 = ( 甲 − ( 乙 − 丙 ) ) × 1 g CO₂e"
    assert words(set_as("(a * b) * c")) == "结果 = 甲 × 乙 × 丙 × 1 g CO₂e"


def test_a_symbol_has_its_letter_and_its_subscript() -> None:
    assert 'class="v">EF</mi><mi class="s" mathvariant="normal">B</mi></msub>' in symbol_mathml("EF_B")
    assert "<mtext>里程</mtext>" in symbol_mathml("", "里程")


def test_what_an_author_wrote_is_escaped() -> None:
    markup = symbol_mathml('<b>_"&')
    parse_html(markup)
    assert "&lt;b&gt;" in markup


def test_the_numbers_of_a_record_take_the_place_of_the_symbols() -> None:
    version = load_version(
        made_up(
            fields=TRIAL_FIELDS,
            formula="(a - b) * f",
            parameters={"f": ("因子", "0.5", "gCO2e")},
        )
    )
    record = {"a": Decimal("3.5"), "b": Decimal(-2), "c": Decimal(1)}
    steps = {step.code: step.value for step in explain(version, record).steps}
    variant = version.variants[0]
    assert (
        words(values_mathml(version, variant, variant.result, steps))
        == "结果 = ( 3.5 − ( − 2 ) ) × 0.5 = 2.75 g CO₂e"
    )


def test_a_rule_is_set_as_a_comparison_with_its_unit() -> None:
    version = load_version(folder(library()[0]))
    assert words(condition_mathml(version, version.eligibility[0].checked)) == "d > 0 人·km"


def test_the_gases_of_a_unit_have_their_subscripts() -> None:
    assert unit_text("kg CO2e/(人·km)") == "kg CO₂e/(人·km)"
    assert unit_text("g N2O") == "g N₂O"
