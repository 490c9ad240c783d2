"""The folder that a new methodology begins with (空白方法学): small, checked, and with every place that must be filled named."""

from __future__ import annotations

_MAIN = """schema: tanpuhui-methodology/1
code: X01
version: "1.0"
name: {zh: 新方法学, en: New methodology}
class: SCENARIO
scenario: new_scenario
status: DESIGN
scope:
  zh: 写明适用于谁、在哪里、什么行为，以及不适用的情形。
  en: Say for whom, where and for which act it is meant, and what it does not cover.
beneficiary: {zh: 行为人, en: The person who acts}

fields:
  - code: distance_km
    name: {zh: 里程, en: Distance}
    symbol: d
    unit: pkm
    display_unit: {zh: km, en: km}
    min: 0
    max: 300
    places: 3
    nullable: no
    privacy: amount

parameters:
  - code: saving_factor
    name: {zh: 减排因子, en: Saving factor}
    symbol: EF
    unit: kgCO2e/pkm
    state: OP
    note: {zh: 有了出处以后，在 factors/ 里写一行，再把 state 改为 SET, en: "Once it has a source, write a row in factors/ and set state to SET"}

eligibility:
  - code: DISTANCE_NOT_POSITIVE
    rule: 里程 > 0[pkm]
    message: {zh: 里程为 0，没有发生出行。, en: "The distance is 0; no travel took place."}

calculations:
  - code: by_distance
    name: {zh: 按里程, en: By distance}
    formulas:
      - code: reduction
        name: {zh: 减排量, en: Reduction}
        symbol: ER
        role: reduction
        unit: kgCO2e
        formula: 里程 * 减排因子

rounding:
  unit: gCO2e
  places: 0
  rule: floor
  remainder: stored
"""

_FACTORS = """schema: tanpuhui-factors/1
factors: []
"""

_CASES = """schema: tanpuhui-cases/1
cases:
  - code: blocked-without-factor
    name: {zh: 减排因子未定，整个版本不能核算, en: "Saving factor unset: the whole version refuses"}
    origin: OP
    inputs: {distance_km: 8.4}
    expect: {blocked: [saving_factor]}
"""

_TEXT = {
    "zh": "# 新方法学\n\n用几段话说清楚：算的是什么，为什么这样算，取值从哪里来，哪些还没有确定。\n",
    "en": "# New methodology\n\nSay in a few paragraphs what is calculated, why so, where the values come from, and what is still open.\n",
}


def blank_folder() -> dict[str, bytes]:
    """Return the files of a methodology that somebody begins from nothing."""
    return {
        "methodology.yaml": _MAIN.encode(),
        "factors/factors.yaml": _FACTORS.encode(),
        "cases.yaml": _CASES.encode(),
        **{f"text.{language}.md": text.encode() for language, text in _TEXT.items()},
    }
