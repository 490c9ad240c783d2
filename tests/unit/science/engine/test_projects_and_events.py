"""Projects and large events: what the research prints comes out, and what it leaves open stays open."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.science.engine.made_up import LIBRARY, folder

from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.science.engine import MethodologyVersion, load_version
from tanpuhui.science.engine.cases import read_cases
from tanpuhui.science.engine.crediting import credit

PROJECTS = ("b01-pv", "b02-afforestation", "b03-farmland", "b04-wetland", "b05-salt-marsh-seagrass",
            "b06-shellfish-kelp", "b07-clean-heating", "b08-biogas")  # fmt: skip
EVENTS = ("c01-large-events",)
# research/methodologies.md, sections 1 and 6: the number as printed there.
PRINTED = [
    ("b03-farmland", "G10-dry", "table_carbon", "8.208"),
    ("b03-farmland", "G10-dry", "removal", "30.096"),
    ("b03-farmland", "G10-moist", "table_carbon", "39.744"),
    ("b03-farmland", "G10-moist", "removal", "145.728"),
    ("b03-farmland", "G11-2006-ar5", "direct_n2o", "94.285714"),
    ("b03-farmland", "G11-2006-ar5", "volatilised_n2o", "9.428571"),
    ("b03-farmland", "G11-2006-ar5", "leached_n2o", "21.214286"),
    ("b03-farmland", "G11-2006-ar5", "n2o", "124.928571"),
    ("b03-farmland", "G11-2006-ar5", "reduction", "33.106071"),
    ("b03-farmland", "G11-2006-ar6", "reduction", "34.105500"),
    ("b03-farmland", "G11-2019-dry", "n2o", "52.328571"),
    ("b03-farmland", "G11-2019-dry", "reduction", "14.285700"),
    ("b03-farmland", "G11-china-3-direct", "n2o", "53.742857"),
    ("b03-farmland", "G11-china-3-direct", "reduction", "14.671800"),
    ("b04-wetland", "methane-6-3", "methane_emissions", "6.3"),
    ("b05-salt-marsh-seagrass", "G19", "removal", "78.833333"),
    ("b06-shellfish-kelp", "G09-scallop", "carbon", "101.6595"),
    ("b06-shellfish-kelp", "G09-scallop", "tissue_removal", "144.0143"),
    ("b06-shellfish-kelp", "G09-scallop", "shell_removal", "228.7371"),
    ("b06-shellfish-kelp", "G09-scallop", "removal", "372.7514"),
    ("b06-shellfish-kelp", "G09-kelp", "carbon", "624"),
    ("b06-shellfish-kelp", "G09-kelp", "removal", "2288.000"),
    ("b06-shellfish-kelp", "per-1000-t-clam", "removal", "234.706"),
    ("b06-shellfish-kelp", "per-1000-t-oyster", "removal", "351.477"),
    ("b06-shellfish-kelp", "per-1000-t-mussel", "removal", "400.918"),
    ("b06-shellfish-kelp", "per-1000-t-other-shellfish", "removal", "356.457"),
    ("b06-shellfish-kelp", "per-1000-t-kelp", "removal", "228.800"),
    ("b06-shellfish-kelp", "per-1000-t-wakame", "removal", "193.600"),
    ("b06-shellfish-kelp", "per-1000-t-nori", "removal", "200.860"),
    ("b06-shellfish-kelp", "per-1000-t-gracilaria", "removal", "151.067"),
    ("b06-shellfish-kelp", "per-1000-t-other-algae", "removal", "203.573"),
    ("b07-clean-heating", "G16", "gas_emissions", "19.4596992"),
    ("b07-clean-heating", "margin-half", "combined_margin", "0.7119"),
    ("b07-clean-heating", "margin-weights", "combined_margin", "0.8269"),
    ("c01-large-events", "G01-gasoline", "stationary_emissions", "2.925056"),
    ("c01-large-events", "G01-diesel", "stationary_emissions", "3.095910"),
    ("c01-large-events", "G01-natural-gas", "stationary_emissions", "21.621888"),
    ("c01-large-events", "G01-coke", "stationary_emissions", "2.860419"),
    ("c01-large-events", "G01-lpg", "stationary_emissions", "3.101330"),
    ("c01-large-events", "G01-fuel-oil", "stationary_emissions", "3.170461"),
    ("c01-large-events", "G01-lng", "stationary_emissions", "2.831257"),
    ("c01-large-events", "G02", "heat_emissions", "305.47"),
    ("c01-large-events", "G24-ar5", "refrigerant_emissions", "1.9235"),
    ("c01-large-events", "G24-ar6", "refrigerant_emissions", "2.2555"),
    ("c01-large-events", "waste-2011", "incineration_emissions", "0.271700"),
    ("c01-large-events", "waste-2025", "incineration_emissions", "0.557333"),
]


def shipped(name: str) -> MethodologyVersion:
    return load_version(folder(LIBRARY / name / "1.0"))


@pytest.mark.parametrize("name", [*PROJECTS, *EVENTS])
def test_the_research_numbers_stand_in_the_cases_as_printed(name: str) -> None:
    cases = {case.code: case for case in read_cases(folder(LIBRARY / name / "1.0"))}
    printed = [(code, step, number) for found, code, step, number in PRINTED if found == name]
    for code, step, number in printed:
        assert str(cases[code].steps[step].value) == number, f"{code} {step}"


@pytest.mark.parametrize(
    ("code", "grams", "tonnes", "carried"),
    [
        ("G14-average", 6067180, 6, 67180),
        ("G14-margin-half", 6976620, 6, 976620),
        ("G14-margin-wind-solar", 8103620, 8, 103620),
        ("G03", 462000000, 462, 0),
    ],
)
def test_pv_gives_the_printed_grams_issues_the_printed_tonnes_and_carries_the_rest(
    code: str, grams: int, tonnes: int, carried: int
) -> None:
    version = shipped("b01-pv")
    case = next(case for case in read_cases(folder(LIBRARY / "b01-pv/1.0")) if case.code == code)
    assert (case.grams, case.remainder_g) == (grams, Decimal(0))
    assert version.crediting is not None
    issued = credit(version.crediting, period=Grams(case.grams or 0), carried=Grams(0))
    assert (issued.tonnes, issued.remainder) == (Tonnes(tonnes), Grams(carried))


def test_a_marsh_that_loses_must_make_up_for_it_before_it_issues_again() -> None:
    version = shipped("b05-salt-marsh-seagrass")
    cases = {
        case.code: case.grams or 0 for case in read_cases(folder(LIBRARY / "b05-salt-marsh-seagrass/1.0"))
    }
    assert version.crediting is not None
    loss = credit(version.crediting, period=Grams(cases["marsh-fresh"]), carried=Grams(0))
    assert (loss.tonnes, loss.remainder) == (Tonnes(0), Grams(cases["marsh-fresh"]))
    after = credit(version.crediting, period=Grams(cases["G19"]), carried=loss.remainder)
    assert after.tonnes == Tonnes((cases["G19"] + cases["marsh-fresh"]) // 1_000_000)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_waits_for_its_operator_carries_what_is_left_and_says_how_it_is_monitored(
    name: str,
) -> None:
    version = shipped(name)
    assert version.methodology_class == "PROJECT"
    assert version.blocked_by
    assert version.crediting is not None
    assert set(version.crediting.carried) == {"remainder", "negative"}
    assert version.monitoring


def test_an_event_is_rounded_up_to_whole_tonnes_and_issues_nothing() -> None:
    version = shipped("c01-large-events")
    assert version.methodology_class == "EVENT"
    assert version.rounding.rule == "ceiling"
    assert version.crediting is None
    for variant in version.variants:
        assert variant.result.role == "emission"
        assert variant.result.text == "舍入(排放总量, 0, ceiling)"


def test_no_british_value_is_in_use() -> None:
    text = folder(LIBRARY / "c01-large-events/1.0")["methodology.yaml"].decode()
    rows = [line for line in text.splitlines() if "source_set:" in line and line.lstrip().startswith("- {")]
    british = [row for row in rows if "DEFRA" in row]
    assert british
    assert not [row for row in british if "source_set: 采用" in row]
    looked_up = [line for line in text.splitlines() if "formula:" in line and "对照" in line]
    assert looked_up == []


def test_species_parameters_calculate_only_after_somebody_verified_them() -> None:
    version = shipped("b02-afforestation")
    assert version.blocked_by == ("annex_verified",)
    rule = next(rule for rule in version.eligibility if rule.code == "ANNEX_NOT_VERIFIED")
    assert not rule.present


def test_the_three_sets_of_nitrogen_parameters_stand_side_by_side_and_none_is_active() -> None:
    parameter = shipped("b03-farmland").parameter("direct_factor")
    assert parameter.value is None
    assert [(str(e.value), e.confidence) for e in parameter.alternatives] == [
        ("0.010", "GK-H"), ("0.010", "GK-H"), ("0.016", "GK-H"), ("0.006", "GK-H"), ("0.005", "GK-H"), ("0.0057", "GK-M"),
    ]  # fmt: skip


def test_the_default_area_of_a_household_is_a_value_and_not_a_missing_one() -> None:
    version = shipped("b07-clean-heating")
    assert version.parameter("default_area").value == Decimal(60)
    assert version.activity_field("heated_area").nullable
