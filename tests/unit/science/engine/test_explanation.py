"""A citizen can follow 436 g with their own numbers, and sees where each factor comes from."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from tests.unit.science.engine.made_up import LIBRARY, ROOT, field, folder, made_up

from tanpuhui.science.engine import explain, formula_text, load_parameter_set, load_version, reason_text

DEMONSTRATION = load_parameter_set(
    (ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml").read_bytes()
)
BUS = load_version(folder(LIBRARY / "a01-bus/1.0"), parameter_set=DEMONSTRATION)
BIKE = load_version(folder(LIBRARY / "a03-bike/1.0"), parameter_set=DEMONSTRATION)
RIDE = {"distance_km": Decimal("8.4")}


def test_the_steps_of_436_g_have_names_numbers_sources_and_confidence() -> None:
    explanation = explain(BUS, RIDE, locale="zh")
    assert explanation.grams is not None
    assert explanation.grams.value == 436
    told = [(step.kind, step.name, step.value_text, step.unit) for step in explanation.steps]
    assert told == [
        ("input", "里程", "8.4", "km"),
        ("parameter", "基准因子", "0.104", "kg CO2/(人·km)"),
        ("parameter", "公交因子", "0.052", "kg CO2/(人·km)"),
        ("formula", "基准排放", "0.8736", "kg CO2e"),
        ("formula", "实际排放", "0.4368", "kg CO2e"),
        ("formula", "减排量", "0.4368", "kg CO2e"),
        ("rounding", "向下取整到克", "436", "g CO2e"),
    ]
    baseline = explanation.steps[1]
    assert (baseline.confidence, baseline.symbol) == ("M", "EF_B")
    assert "DB11/T 3043—2024" in baseline.source
    assert "二手转录" in baseline.source
    assert "京津冀" in baseline.label


def test_the_bars_have_exact_grams() -> None:
    explanation = explain(BUS, RIDE)
    assert explanation.baseline_g == Decimal("873.6")
    assert explanation.actual_g == Decimal("436.8")
    assert explanation.reduction_g == Decimal("436.8")


def test_rounding_is_a_step_of_its_own_with_its_remainder() -> None:
    explanation = explain(BUS, RIDE)
    last = explanation.steps[-1]
    assert last.remainder_g == Decimal("0.8")
    assert "余 0.8 g" in last.note
    assert explanation.result is not None
    assert explanation.result.children[0].expanded == "8.4 × 0.104 − 8.4 × 0.052"
    assert explanation.result.children[0].substituted == "0.8736 − 0.4368"


def test_the_purpose_of_the_parameter_set_is_on_every_explanation() -> None:
    explanation = explain(BUS, RIDE)
    assert explanation.purpose == "demonstration"
    assert "演示值" in explanation.purpose_label
    assert explanation.parameter_set == "shandong-demonstration"
    assert "演示值" in explanation.as_text()
    assert "not for operation" in explain(BUS, RIDE, locale="en").as_text()


def test_a_record_that_does_not_count_is_explained_too() -> None:
    explanation = explain(BUS, {"distance_km": None})
    assert explanation.reason == "PARAMETER_UNSET:default_distance"
    assert explanation.reason_text == "参数“缺省里程”尚未确定取值，暂不能计算。"
    assert explanation.steps == ()
    ebike = {"distance_km": Decimal(4), "duration_s": Decimal(900), "vehicle_type": "e-bike"}
    assert explain(BIKE, ebike, locale="en").reason_text.startswith(
        "The parameter 'E-bike electricity' has no value"
    )
    assert reason_text(BIKE, "TOO_FAST", locale="zh") == "平均速度高于骑行上限。"


def test_a_capped_distance_shows_what_was_recorded() -> None:
    ride = {"distance_km": Decimal(12), "duration_s": Decimal(3600), "vehicle_type": "bike"}
    explanation = explain(BIKE, ride, granted=Decimal("2.35"))
    assert explanation.grams is not None
    assert explanation.grams.value == 223
    assert explanation.steps[0].value == Decimal("2.35")
    assert "记录 12 km" in explanation.steps[0].note


def test_json_holds_numbers_as_texts() -> None:
    parsed = json.loads(explain(BUS, RIDE).as_json())
    assert parsed["grams"] == "436"
    assert parsed["result"]["children"][0]["children"][0]["name"] == "基准排放"
    assert Decimal(parsed["baseline_g"]) == Decimal("873.6")

    def numbers(value: object) -> list[object]:
        if isinstance(value, dict):
            return [n for item in value.values() for n in numbers(item)]
        if isinstance(value, list):
            return [n for item in value for n in numbers(item)]
        return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []

    assert numbers(parsed) == []


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("d - (d - 1)", "里程 − (里程 − 1)"),
        ("(d + 1) * 2", "(里程 + 1) × 2"),
        ("-(d + 1)", "−(里程 + 1)"),
        ("若 d > 3 且 非 (d = 5) 则 d 否则 0", "若 里程 > 3 且 非 (里程 = 5) 则 里程 否则 0"),
        ("round(d * 2 / (d + 1), 2, half_up)", "舍入(里程 × 2 ÷ (里程 + 1), 2 位小数, 四舍五入)"),
        ("最大(d, 1) + floor(d)", "最大(里程, 1) + 向下取整(里程)"),
    ],
)
def test_a_formula_page_is_written_as_people_write(formula: str, shown: str) -> None:
    version = load_version(made_up(fields=field("d", "里程"), formula=f"({formula}) * 1[gCO2e]"))
    line = formula_text(version, "only")[0]
    assert line.formula in {f"{shown} × 1 g CO2e", f"({shown}) × 1 g CO2e"}


def test_formula_lines_stand_in_names_and_in_symbols() -> None:
    lines = formula_text(BUS, "by_distance")
    assert [f"{line.name} = {line.formula}" for line in lines] == [
        "基准排放 = 里程 × 基准因子",
        "实际排放 = 里程 × 公交因子",
        "减排量 = 基准排放 − 实际排放",
    ]
    assert lines[0].symbols == "d × EF_B"


def test_one_record_is_explained_in_milliseconds() -> None:
    explain(BUS, RIDE)
    durations = []
    for _ in range(20):
        started = time.perf_counter()
        explain(BUS, RIDE)
        durations.append(time.perf_counter() - started)
    assert min(durations) < 0.005
