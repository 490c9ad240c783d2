"""The difference of two versions tells every change of the folder, and which of them can change a result."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
from tests.unit.science.engine.made_up import LIBRARY, MAIN, ROOT, folder
from tests.unit.science.engine.test_wider_language import CALCULATION, HEAD

from tanpuhui.science.engine import (
    Change,
    MethodologyVersion,
    difference,
    difference_text,
    load_parameter_set,
    load_version,
)
from tanpuhui.science.engine.difference import HARMLESS, TOLD_ELSEWHERE

BIKE = LIBRARY / "a03-bike/1.0"
TRANSPORT = "factors/transport.yaml"
NEW_CLAUSE = "clauses:\n  - {code: more, document: 文件, text: {zh: 又一条, en: One more}}\n"
EXCLUSION = "  - {group: travel, scope: account, period: day, keep: greatest}\n\nrounding:\n"
NEW_RULE = """eligibility:
  - code: NOT_FAR
    rule: 里程 > 1[pkm]
    message: {zh: 太近。, en: Too near.}
"""


def bike(*replaced: tuple[str, str], file: str = MAIN) -> MethodologyVersion:
    files = folder(BIKE)
    text = files[file].decode()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new, 1)
    return load_version({**files, file: text.encode()})


def changes(*replaced: tuple[str, str], file: str = MAIN) -> list[Change]:
    return list(difference(bike(), bike(*replaced, file=file)))


@pytest.mark.parametrize(
    ("old", "new", "kind", "where", "counts"),
    [
        ("{zh: 骑行, en: Cycling}", "{zh: 骑车, en: Cycling}", "changed", "name", False),
        ("status: FORM", "status: DESIGN", "changed", "status", False),
        ("max: 200", "max: 250", "changed", "fields/distance_km/high", True),
        ("places: 3", "places: 2", "changed", "fields/distance_km/places", True),
        ("symbol: t\n", "symbol: T\n", "changed", "fields/duration_s/symbol", False),
        ("[bike, e-bike]", "[bike, e-bike, cargo]", "added", "fields/vehicle_type/options", True),
        ("privacy: amount", "privacy: trace", "changed", "fields/distance_km/privacy", False),
        ("{zh: 电网因子, en: Grid factor}", "{zh: 电网因子, en: Grid}", "changed", "parameters/grid_factor/name", False),
        ("value: 15", "value: 16", "changed", "parameters/trip_distance_max/suggestion/value", False),
        (NEW_RULE[:12], NEW_RULE, "added", "eligibility/NOT_FAR", True),
        ("时长 > 0[s]", "时长 >= 0[s]", "changed", "eligibility/DURATION_NOT_POSITIVE/rule", True),
        ("时长 > 0[s]", "duration_s  > 0.0[s]", "changed", "eligibility/DURATION_NOT_POSITIVE/rule", False),
        ("没有发生骑行。", "没骑。", "changed", "eligibility/DISTANCE_NOT_POSITIVE/message", False),
        ("车辆类型 = 'bike'", "车辆类型 != 'e-bike'", "changed", "calculations/by_bike/where", True),
        ("里程 * 单车因子", "里程 * 单车因子 * 2", "changed", "calculations/by_bike/formulas/actual_emissions/formula", True),
        ("里程 * 单车因子", "( 里程 × bike_factor )", "changed", "calculations/by_bike/formulas/actual_emissions/formula", False),
        ("period: day", "period: week", "changed", "cap/period", True),
        ("reason: DAILY_CAP", "reason: WEEKLY_CAP", "changed", "cap/reason", True),
        ("\nrounding:\n", EXCLUSION, "added", "exclusions/travel", True),
        ("clause: booking", "clause: family", "changed", "rounding/clause", False),
        ("clauses:\n", NEW_CLAUSE, "added", "clauses/more", False),
    ],
)  # fmt: skip
def test_each_change_of_the_folder_is_told_once_with_its_place(
    old: str, new: str, kind: str, where: str, counts: bool
) -> None:
    found = changes((old, new))
    assert [(c.kind, c.where, c.changes_result) for c in found] == [(kind, where, counts)]
    assert found[0].name.zh
    assert found[0].name.en
    assert found[0].section == where.partition("/")[0]


@pytest.mark.parametrize(
    ("old", "new", "where", "counts"),
    [
        ("value: 0.104", "value: 0.105", "parameters/baseline_factor/value", True),
        ("confidence: M", "confidence: L", "parameters/baseline_factor/confidence", False),
        ("basis:", "valid_to: 2030-12-31\n    basis:", "parameters/baseline_factor/valid_to", False),
    ],
)
def test_a_value_is_compared_with_its_evidence(old: str, new: str, where: str, counts: bool) -> None:
    found = {c.where: c.changes_result for c in changes((old, new), file=TRANSPORT)}
    assert found == {where: counts}


def test_the_same_version_has_no_difference_and_neither_has_another_number() -> None:
    assert difference(bike(), bike()) == ()
    assert changes(('version: "1.0"', 'version: "1.1"')) == []
    assert difference_text((), locale="en") == "No difference.\n"


def test_looking_from_the_other_side_turns_every_change_round() -> None:
    old, new = bike(), load_version(folder(LIBRARY / "a02-metro/1.0"))
    there, back = difference(old, new), difference(new, old)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(c.where, c.kind, c.old, c.new, c.changes_result) for c in there} == {
        (c.where, turned[c.kind], c.new, c.old, c.changes_result) for c in back
    }


def test_another_order_of_rules_can_change_the_reason() -> None:
    files = folder(BIKE)
    text = files[MAIN].decode()
    first, second = (
        text.index("  - code: DISTANCE_NOT_POSITIVE"),
        text.index("  - code: DURATION_NOT_POSITIVE"),
    )
    third = text.index("  - code: TOO_SLOW")
    swapped = text[:first] + text[second:third] + text[first:second] + text[third:]
    (found,) = difference(bike(), load_version({**files, MAIN: swapped.encode()}))
    assert (found.where, found.changes_result) == ("eligibility/order", True)
    assert found.old is not None
    assert found.old.en.startswith("DISTANCE_NOT_POSITIVE, DURATION_NOT_POSITIVE")


def test_a_formula_whose_words_stay_and_whose_meaning_moves_is_told() -> None:
    found = changes(
        ("name: {zh: 基准因子, en: Baseline factor}", "name: {zh: 旧因子, en: Old factor}"),
        ("name: {zh: 单车因子, en: Bike factor}", "name: {zh: 基准因子, en: Baseline factor}"),
        ("formula: 里程 * 单车因子", "formula: 里程 * bike_factor"),
    )
    told = {c.where: c for c in found}
    moved = told["calculations/by_bike/formulas/baseline_emissions/formula"]
    assert moved.changes_result
    assert "所指不同" in moved.note.zh
    assert not told["calculations/by_bike/formulas/actual_emissions/formula"].changes_result


def test_a_parameter_that_nothing_uses_cannot_change_a_result() -> None:
    unused = "parameters:\n  - code: spare\n    name: {zh: 备用, en: Spare}\n    unit: km\n    state: OP\n"
    found = difference(bike(), bike(("parameters:\n", unused)))
    assert [(c.where, c.changes_result, c.note.en) for c in found] == [
        ("parameters/spare", False, "no formula, rule or cap uses it")
    ]


def test_two_parameter_sets_of_one_version_differ_by_state_and_value() -> None:
    content = (ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml").read_bytes()
    filled = load_version(folder(BIKE), parameter_set=load_parameter_set(content))
    found = {c.where: c for c in difference(bike(), filled)}
    assert found["parameters/speed_min/state"].old is not None
    assert (
        found["parameters/speed_min/state"]
        .text("zh")
        .startswith("参数“最低时速”：状态 修改：未定（OP） → 5 km/h")
    )
    assert found["parameters/speed_min/state"].changes_result
    assert not found["parameter_set"].changes_result


def test_the_text_names_first_what_can_change_a_result_in_either_language() -> None:
    found = changes(
        ("max: 200", "max: 250"), ("没有发生骑行。", "没骑。"), ("车辆类型 = 'bike'", "车辆类型 != 'e-bike'")
    )
    assert difference_text(found) == (
        "可能改变结果（2）\n"
        "  字段“里程”：上限 修改：200 → 250\n"
        "  算法“人力单车”：条件 修改：车辆类型 = 'bike' → 车辆类型 != 'e-bike'\n"
        "不改变结果（1）\n"
        "  适用条件“DISTANCE_NOT_POSITIVE”：提示 修改：里程为 0，没有发生骑行。 → 里程为 0，没骑。\n"
    )
    english = difference_text(found, locale="en")
    assert "field 'Distance': maximum changed: 200 → 250" in english
    assert "condition changed: Vehicle type = “bike” → Vehicle type ≠ “e-bike”" in english


WIDE = "舍入(合计(小班, 蓄积 * 查表(密度, 树种)) * 44[tCO2/tC] / 12, 9, half_up)"


@pytest.mark.parametrize(
    ("old", "new", "where", "counts"),
    [
        ("density: 0.378", "density: 0.4", "tables/species_table/columns/density/evidence/杨树/value", True),
        ("density: 0.378", 'density: ""', "tables/species_table/columns/density/evidence/杨树", True),
        (
            "fraction: 0.496",
            "fraction: 0.5",
            "tables/species_table/columns/fraction/evidence/杨树/value",
            False,
        ),
        (
            "density: 0.360",
            "density: 0.361",
            "tables/species_table/columns/density/suggestions/油松/value",
            False,
        ),
        ("until: 0.3", "until: 0.4", "tables/deduction_table/columns/deduction/bounds", False),
        ("en: Density", "en: Basic density", "tables/species_table/columns/density/name", False),
        ("max_rows: 50", "max_rows: 60", "groups/strata/max_rows", True),
        ("unique: [stratum]", "unique: []", "groups/strata/unique", True),
        ("max: 100000,", "max: 200000,", "groups/strata/fields/volume/high", True),
        ('min: "2000-01-01"', 'min: "2001-01-01"', "fields/start_date/low", True),
        ("carried: [remainder, negative]", "carried: [negative]", "crediting/carried", True),
        ("蓄积 * 查表", "volume * lookup", "calculations/only/formulas/result/formula", False),
        ("合计(小班", "合计(strata", "calculations/only/formulas/result/formula", False),
        ("查表(密度, 树种)", "查表(密度, '杨树')", "calculations/only/formulas/result/formula", True),
    ],
)
def test_tables_cells_and_groups_are_compared_as_well(old: str, new: str, where: str, counts: bool) -> None:
    text = HEAD + CALCULATION.format(formula=WIDE, unit="tCO2")
    text = text.replace("unit: t/m3", "unit: tC/m3")
    assert old in text
    before = load_version({MAIN: text.encode()})
    after = load_version({MAIN: text.replace(old, new, 1).encode()})
    assert [(change.where, change.changes_result) for change in difference(before, after)] == [
        (where, counts)
    ]


def test_a_date_bound_is_told_as_a_date() -> None:
    text = HEAD + CALCULATION.format(formula="1[tCO2]", unit="tCO2")
    later = text.replace('min: "2000-01-01"', 'min: "2001-01-01"', 1)
    (found,) = difference(load_version({MAIN: text.encode()}), load_version({MAIN: later.encode()}))
    assert found.text("zh") == "字段“期初”：下限 修改：2000-01-01 → 2001-01-01"


def test_the_tables_name_only_attributes_that_exist() -> None:
    for table in (HARMLESS, TOLD_ELSEWHERE):
        for kind, names in table.items():
            assert names <= {item.name for item in fields(kind)}, kind


def test_an_attribute_that_the_tables_do_not_know_counts() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Wider(MethodologyVersion):
        notices: tuple[str, ...] = ()

    def wider(*notices: str) -> Wider:
        version = bike()
        values = {item.name: getattr(version, item.name) for item in fields(MethodologyVersion)}
        return Wider(**values, notices=notices)

    (found,) = difference(wider("first"), wider("first", "second"))
    assert (found.where, found.kind, found.changes_result) == ("notices", "added", True)
