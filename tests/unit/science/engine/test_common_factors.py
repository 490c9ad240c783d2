"""The common factor tables have one home: what a folder copies from them is equal to them, to the last word."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.unit.science.engine.made_up import LIBRARY, library

from tanpuhui.science.engine.bounded_yaml import Mapping, Scalar, Value, read_yaml
from tanpuhui.science.engine.model import Evidence
from tanpuhui.science.engine.parameters import read_factors

COMMON = LIBRARY / "factors"
FUELS = ["gasoline", "diesel", "kerosene", "fuel_oil", "lpg", "lng", "natural_gas", "bituminous_coal", "lignite",
         "coke", "crude"]  # fmt: skip
GRIDS = ["north_china", "northeast", "east_china", "central_china", "northwest", "south_china"]


@cache
def common() -> dict[str, Evidence]:
    return read_factors({f"factors/{path.name}": path.read_bytes() for path in COMMON.glob("*.yaml")})


def plain(value: Value) -> Any:
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.entries.items()}
    return [plain(item) for item in value.items]


@cache
def written(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a folder's factors as they are written, by code."""
    texts = [plain(read_yaml(path.read_bytes(), file=path.name)) for path in sorted(folder.glob("*.yaml"))]
    return {row["code"]: row for text in texts for row in text["factors"]}


def differing(own: dict[str, dict[str, Any]], home: dict[str, dict[str, Any]]) -> list[str]:
    return [code for code, row in own.items() if code in home and home[code] != row]


def half_up(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def test_the_common_tables_can_be_read_and_are_no_methodology() -> None:
    rows = common()
    assert len(rows) > 150
    assert rows["shandong_grid_2023"].value == Decimal("0.6191")
    assert COMMON not in [path.parent for path in library()]


@pytest.mark.parametrize("path", library(), ids=lambda path: path.parent.name)
def test_a_row_copied_into_a_folder_is_equal_to_its_home(path: Path) -> None:
    assert differing(written(path / "factors"), written(COMMON)) == []


def test_a_copy_that_was_changed_is_found() -> None:
    home = written(COMMON)
    changed = {"jjj_bus": {**home["jjj_bus"], "confidence": "H"}, "of_its_own": home["jjj_bus"]}
    assert differing(changed, home) == ["jjj_bus"]


def test_every_row_that_one_document_gives_for_three_years_is_there() -> None:
    years: dict[str, set[str]] = {}
    for code, row in common().items():
        if row.unit.same_as(common_unit()) and row.publication.startswith("公告"):
            years.setdefault(code.rsplit("_", 1)[0], set()).add(row.data_year)
    assert len(years) == 25
    assert {frozenset(found) for found in years.values()} == {frozenset({"2021", "2022", "2023"})}


def common_unit() -> Any:
    return common()["shandong_grid_2023"].unit


@pytest.mark.parametrize("fuel", FUELS)
def test_a_fuels_factor_is_its_heating_value_times_carbon_times_oxidation(fuel: str) -> None:
    rows = common()
    parts = [rows[f"{fuel}_{part}"].value for part in ("heating_value", "carbon_content", "oxidation")]
    factor = rows[f"{fuel}_factor"].value
    # t/t for liquids and solids; kg/m3 for natural gas, where 7 places are the 6 of the printed t/10^4 Nm3.
    scale, places = (1, 7) if fuel == "natural_gas" else (1000, 6)
    assert half_up(parts[0] * parts[1] * parts[2] * 44 / 12 / scale, places) == factor


@pytest.mark.parametrize(("fuel", "density"), [("gasoline", "0.73"), ("diesel", "0.84")])
def test_the_factor_per_litre_is_the_density_times_the_factor_per_tonne(fuel: str, density: str) -> None:
    rows = common()
    assert rows[f"{fuel}_density"].value == Decimal(density)
    product = rows[f"{fuel}_density"].value * rows[f"{fuel}_factor"].value
    assert half_up(product, 5) == rows[f"{fuel}_factor_per_litre"].value


def test_the_combined_margins_are_the_weighted_operating_and_build_margins() -> None:
    rows = common()
    assert all({f"{grid}_om_2019", f"{grid}_bm_2019"} <= rows.keys() for grid in GRIDS)
    om, bm = rows["north_china_om_2019"].value, rows["north_china_bm_2019"].value
    assert half_up((om + bm) / 2, 4) == rows["north_china_cm_2019_50_50"].value == Decimal("0.7119")
    weighted = om * Decimal("0.75") + bm * Decimal("0.25")
    assert half_up(weighted, 4) == rows["north_china_cm_2019_75_25"].value == Decimal("0.8269")


@pytest.mark.parametrize(
    ("blend", "parts"),
    [
        ("r_410a", {"hfc_32": 50, "hfc_125": 50}),
        ("r_404a", {"hfc_125": 44, "hfc_143a": 52, "hfc_134a": 4}),
        ("r_407c", {"hfc_32": 23, "hfc_125": 25, "hfc_134a": 52}),
    ],
)
@pytest.mark.parametrize("report", ["ar5", "ar6"])
def test_the_warming_of_a_blend_is_that_of_its_parts_by_mass(
    blend: str, parts: dict[str, int], report: str
) -> None:
    rows = common()
    expected = sum(rows[f"{part}_gwp_{report}"].value * share for part, share in parts.items()) / 100
    found = rows[f"{blend}_gwp_{report}"].value
    assert half_up(Decimal(expected), 1 if blend == "r_404a" else 2) == found


@pytest.mark.parametrize(("year", "printed"), [("2011", Decimal("0.271700")), ("2025", Decimal("0.557333"))])
def test_the_incineration_factors_of_both_guidelines_stand_side_by_side(year: str, printed: Decimal) -> None:
    rows = common()
    parts = [
        rows[f"waste_incineration_{part}_{year}"].value
        for part in ("carbon_share", "fossil_share", "oxidation")
    ]
    assert half_up(parts[0] * parts[1] * parts[2] * 44 / 12, 6) == printed
    assert rows[f"waste_incineration_factor_{year}"].value == printed


def test_a_life_cycle_footprint_of_electricity_is_marked_as_one() -> None:
    rows = {code: row for code, row in common().items() if "footprint" in code}
    assert len(rows) == 11
    assert {row.basis for row in rows.values()} == {"LCA"}
    assert all("不得与电网平均因子混用" in row.label.zh for row in rows.values())


def test_no_general_knowledge_of_low_confidence_became_more_than_that() -> None:
    rows = common()
    assert rows["recycling_net_clothing_recycler_claims"].confidence == "GK-L"
    assert {rows[code].confidence for code in rows if code.startswith("shanghai_") and "_v" in code} == {"L"}
    assert {rows[f"{grid}_bm_2019"].confidence for grid in GRIDS} == {"GK-M"}


def test_a_thousand_tonnes_of_steam_give_the_printed_carbon_of_heat() -> None:
    heat_gj = Decimal(1000) * 2777 / 1000  # 2777 kJ/kg, converted outside every method
    assert common()["heat_default"].value * heat_gj == Decimal("305.47")


def test_the_two_guangzhou_results_mean_the_same_number_of_trips() -> None:
    rows = common()
    trips = [
        Decimal(tonnes) * 1000 / rows[f"guangzhou_2015_{method}"].value
        for tonnes, method in ((1_300_000, "substitution"), (1_240_000, "average"))
    ]
    assert [half_up(found / 10**9, 3) for found in trips] == [Decimal("2.399"), Decimal("2.405")]
    assert abs(trips[0] - trips[1]) / trips[0] < Decimal("0.003")
