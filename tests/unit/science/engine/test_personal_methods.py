"""The personal methods (group A) say what the research says: status, caps, golden results, what waits for the operator."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from tests.unit.science.engine.made_up import LIBRARY, folder, library
from tests.unit.science.engine.test_common_factors import common

from tanpuhui.science.engine import MethodologyVersion, interpret, load_version
from tanpuhui.science.engine.cases import read_cases
from tanpuhui.science.engine.record import Value

PERSONAL = [path for path in library() if path.parent.name.startswith("a")]
# Status and class as the research prints them; A19's scenarios have no published formula.
STATUSES = {
    "A01": "FORM", "A02": "FORM", "A03": "FORM", "A04": "FORM", "A05": "FORM", "A06": "FORM", "A07": "FORM",
    "A08": "FORM", "A09": "FORM", "A10": "FORM", "A11": "DESIGN", "A12": "FORM", "A13": "FORM", "A14": "FORM",
    "A15": "DESIGN", "A16": "FORM", "A17": "POINTS", "A18": "DESIGN", "A19-DRIVING": "DESIGN", "A19-MEETING": "DESIGN",
    "A19-SORTING": "DESIGN", "A19-WATER": "DESIGN", "A19-POINTS": "POINTS",
}  # fmt: skip
POINTS = {"A17", "A18", "A19-POINTS"}
# Scope, period, what is counted, and the proposal that nobody confirmed (research, table A20).
CAPS = {
    "A01": ("account", "day", "count", 6), "A02": ("account", "day", "count", 6),
    "A03": ("account", "day", "distance_km", 30), "A05": ("vehicle", "day", "charge_kwh", None),
    "A06": ("account", "day", "count", 4), "A07": ("account", "month", "duration_min", None),
    "A08": ("account", "day", "count", 10), "A09": ("account", "year", "count", None),
    "A10": ("household", "month", "mass_kg", None), "A11": ("account", "day", "documents_n", None),
    "A12": ("account", "day", "count", 3), "A13": ("device", "year", "count", 1),
    "A15": ("account", "day", "uses_n", None), "A16": ("account", "day", "meals_n", 3),
}  # fmt: skip
GOLDEN = {
    ("a01-bus", "G07"): 436, ("a02-metro", "G08-metro"): 864, ("a03-bike", "G08-bike"): 223,
    ("a04-walk", "G05"): 2348, ("a04-walk", "G08-walk"): 332, ("a05-electric-car", "G13"): 67926,
    ("a05-electric-car", "G13-shortcut"): 183600, ("a14-home-electricity", "G22"): 1052,
    ("a16-clean-plate", "G06"): 191,
}  # fmt: skip
PRINTED = {
    ("a04-walk", "G05"): {"full_reduction": "2.34804", "counted_reduction": "2.35"},
    ("a05-electric-car", "G13"): {
        "baseline_emissions": "179.364434", "actual_emissions": "111.438", "reduction": "67.926434",
    },
    ("a07-no-drive", "G17"): {"whole_days": "3"},
    ("a14-home-electricity", "G22"): {"saved_electricity": "1.7", "reduction": "1.05247"},
    ("a16-clean-plate", "G06"): {"reduction": "0.19"},
}  # fmt: skip


def named(path: object) -> str:
    return path.parent.name if isinstance(path, Path) else str(path)


@cache
def shipped(path: Path) -> MethodologyVersion:
    return load_version(folder(path))


def by_code() -> dict[str, MethodologyVersion]:
    return {shipped(path).code: shipped(path) for path in PERSONAL}


def test_every_personal_method_is_there_with_the_status_the_research_prints() -> None:
    assert {code: version.status for code, version in by_code().items()} == STATUSES
    assert {code for code, v in by_code().items() if v.methodology_class == "POINTS"} == POINTS
    assert {v.methodology_class for v in by_code().values()} == {"SCENARIO", "POINTS"}


def test_caps_are_those_of_the_research_and_never_in_effect_by_themselves() -> None:
    found = {}
    for code, version in by_code().items():
        if version.cap is not None:
            parameter = version.parameter(version.cap.parameter)
            proposal = int(parameter.suggestion.value) if parameter.suggestion else None
            found[code] = (version.cap.scope, version.cap.period, version.cap.quantity, proposal)
            assert version.cap.limit is None
    assert found == CAPS


@pytest.mark.parametrize("path", PERSONAL, ids=named)
def test_nothing_calculates_before_the_operator_has_decided(path: Path) -> None:
    version = shipped(path)
    assert bool(version.blocked_by) == (version.methodology_class != "POINTS")


@pytest.mark.parametrize("path", PERSONAL, ids=named)
def test_every_value_that_is_missing_has_a_case_that_names_it(path: Path) -> None:
    version = shipped(path)
    missing = {p.code for p in version.parameters if p.value is None}
    missing |= {c.code for t in version.tables for c in t.columns if not c.evidence}
    if version.methodology_class == "POINTS":
        missing = set()  # A18 keeps the factor it would need for the day it is approved; nothing uses it
    cases = read_cases(folder(path))
    told = {code for case in cases for code in case.blocked} | {c.reason.partition(":")[2] for c in cases}
    unused = {"published_net_factor"}  # shown beside each other, no formula uses them
    assert missing - told - unused == set()


@pytest.mark.parametrize("path", PERSONAL, ids=named)
def test_every_formula_is_proven_by_a_case_with_a_query_of_its_own(path: Path) -> None:
    proven = {case.variant for case in read_cases(folder(path)) if case.check_sql}
    several = {v.code for v in shipped(path).variants} if len(shipped(path).variants) > 1 else set()
    assert several - proven == set()
    assert bool(proven) == (shipped(path).methodology_class != "POINTS")


@pytest.mark.parametrize(("place", "grams"), GOLDEN.items(), ids=str)
def test_the_golden_results_come_out_in_grams(place: tuple[str, str], grams: int) -> None:
    cases = {case.code: case for case in read_cases(folder(LIBRARY / place[0] / "1.0"))}
    assert cases[place[1]].grams == grams


@pytest.mark.parametrize(("place", "steps"), PRINTED.items(), ids=str)
def test_the_golden_results_come_out_as_printed(place: tuple[str, str], steps: dict[str, str]) -> None:
    cases = {case.code: case for case in read_cases(folder(LIBRARY / place[0] / "1.0"))}
    assert {code: f"{step.value:f}" for code, step in cases[place[1]].steps.items()} == steps


def test_trips_and_the_day_without_a_car_exclude_each_other_on_one_side_each() -> None:
    sides = {
        code: (exclusion.side, exclusion.scope, exclusion.period, exclusion.keep)
        for code, version in by_code().items()
        for exclusion in version.exclusions
        if exclusion.group == "car_baseline"
    }
    trips = ("trips", "account", "day", "greatest")
    assert sides == {
        **dict.fromkeys(("A01", "A02", "A03", "A04"), trips),
        "A07": ("no_drive", "account", "day", "greatest"),
    }


def test_a_points_method_never_gives_a_gram() -> None:
    records: dict[str, dict[str, Value]] = {
        "A17": {"payment_yuan": Decimal(1)},
        "A18": {
            "certificate_mwh": Decimal(1),
            "metered_mwh": Decimal(2),
            "certificate_cancelled": "yes",
        },
        "A19-POINTS": {"act": "walking", "check_ins_n": Decimal(1)},
    }
    assert set(records) == POINTS
    for code, record in records.items():
        result = interpret(by_code()[code], record)
        assert (result.grams, result.reason) == (None, "POINTS_ONLY")


def test_conflicting_values_stand_side_by_side_and_none_calculates() -> None:
    versions = by_code()
    beside = {
        ("A04", "substitution_share"): ["1"],
        ("A04", "stride"): ["0.6", "0.7"],
        ("A04", "daily_reduction_max"): ["0.296"],
        ("A05", "ev_consumption"): ["0.12", "0.16"],
        ("A05", "shortcut_factor"): ["0.153"],
        ("A06", "car_factor"): ["0.19567", "0.250"],
        ("A18", "residual_factor"): ["0.6191", "0.6096"],
    }
    for (code, name), values in beside.items():
        parameter = versions[code].parameter(name)
        assert parameter.value is None
        assert [f"{evidence.value:f}" for evidence in parameter.alternatives] == values
    seen = versions["A10"].column("published_net_factor")
    assert sorted(f"{e.value:f}" for e in [*seen.evidence.values(), *seen.suggestions.values()]) == [
        "0.2197", "0.3208", "22.1578", "3.6", "3.6", "8.1208",
    ]  # fmt: skip
    used = {s.code for v in versions["A10"].variants for f in v.formulas for s in f.checked.symbols()}
    assert "published_net_factor" not in used


@pytest.mark.parametrize(
    ("code", "column", "rows"),
    [
        ("A13", "grid_of_year", ["shandong_grid_2021", "shandong_grid_2022", "shandong_grid_2023"]),
        ("A13", "gwp", ["hcfc_22_gwp_ar6", "r_410a_gwp_ar6", "hfc_32_gwp_ar6"]),
        ("A10", "published_net_factor", [
            "recycling_net_clothing_defra_2025", "recycling_net_clothing_recycler_claims", "recycling_net_pet_cpcd",
            "recycling_net_paper_defra_2025", "recycling_net_aluminium_defra_2025", "recycling_net_mixed_plastic_app",
        ]),
    ],
)  # fmt: skip
def test_a_table_says_what_the_common_factors_say(code: str, column: str, rows: list[str]) -> None:
    found = by_code()[code].column(column)
    cells = {**found.evidence, **found.suggestions}
    told = [(cells[n].value, cells[n].confidence, cells[n].source) for n in sorted(cells)]
    assert told == [(common()[r].value, common()[r].confidence, common()[r].source) for r in rows]


@pytest.mark.parametrize("path", PERSONAL, ids=named)
def test_readers_get_the_same_page_in_both_languages(path: Path) -> None:
    files = folder(path)
    pages = [files[f"text.{language}.md"].decode() for language in ("zh", "en")]
    shape = [[line[:2] for line in page.splitlines() if line[:2] in {"# ", "##", "- "}] for page in pages]
    assert shape[0] == shape[1]
    assert len(shape[0]) > 4
    assert all("[S" not in page for page in pages)
