"""Formulas with tables, rows and dates, and records that try their edges, for every SQL back end."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from tests.unit.science.engine.made_up import as_rows
from tests.unit.science.engine.test_wider_language import CO2, PLOTS, RECORD, VOLUMES, version

from tanpuhui.science.engine import MethodologyVersion

__all__ = ["FORMULAS", "RECORDS", "as_json", "expected", "version_of"]

FORMULAS = [
    f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种)) * {CO2}, 9, half_up)",
    f"舍入(合计(小班, 蓄积 * 查表(密度, 树种) * 查表(含碳率, 树种), 树种 = '杨树') * {CO2}, 9, half_up)",
    "合计(小班, 舍入(蓄积 / 7, 3, half_even)) * 1[tCO2/m3]",
    "合计(监测, 碳储量 * 查表(扣减率, 碳储量 * 0.002[1/tC]), 监测日 > 期初) * 1[tCO2/tC]",
    "计数(监测, 天数(监测日, 期末) <= 20[day]) * 1[tCO2]",
    "计数(小班) * 1[tCO2] - 天数(期末, 期初) * 0.5[tCO2/day]",
    "舍入(合计(监测, 碳储量, 天数(监测日, 期末) <= 20[day]) * 1[tCO2/tC] / 3, 6, half_up)",
    "1[tCO2] * 查表(扣减率, 天数(期初, 期末) * 0.01[1/day])",
    "查表(生长, 天数(期初, 期末) * 0.3[1/day]) * 1[tCO2/t]",
    "若 期初 < '2020-01-10' 则 查表(密度, '杨树') * 1[tCO2*m3/t] 否则 查表(生长, 11) * 1[tCO2/t]",
]
_MORE = {"stratum": "丙", "species": "刺槐", "volume": Decimal("0.01")}
RECORDS: list[dict[str, Any]] = [
    RECORD,
    {**RECORD, "end_date": date(2020, 1, 6)},
    {**RECORD, "start_date": date(2020, 1, 20), "end_date": date(2020, 2, 25)},
    {**RECORD, "end_date": date(2019, 12, 1)},
    {**RECORD, "strata": [*VOLUMES, _MORE]},
    {**RECORD, "strata": [*VOLUMES, {**_MORE, "species": "油松"}]},
    {**RECORD, "strata": [VOLUMES[1]]},
    {**RECORD, "strata": []},
    {**RECORD, "strata": [VOLUMES[0], VOLUMES[0]]},
    {**RECORD, "strata": [{**_MORE, "volume": Decimal("1.001")}, {**VOLUMES[0], "volume": None}]},
    {**RECORD, "strata": [*VOLUMES, {**_MORE, "species": "柏木"}]},
    {**RECORD, "plots": []},
    {**RECORD, "plots": [PLOTS[0], {**PLOTS[1], "measured_on": date(1999, 12, 31)}]},
    {**RECORD, "plots": [PLOTS[1], PLOTS[1]]},
    {**RECORD, "plots": [{**PLOTS[0], "carbon": Decimal("0.001")}, {**PLOTS[1], "carbon": Decimal(1000000)}]},
    {**RECORD, "plots": PLOTS[:1], "end_date": None},
    {**RECORD, "end_date": date(2100, 1, 2)},
]


def version_of(formula: str) -> MethodologyVersion:
    """Load the trial forest with this formula."""
    return version(formula)


def expected(formula: str) -> list[tuple[str, ...]]:
    """Return what the interpreter says of the records, as texts."""
    return [tuple(map(str, row)) for row in as_rows(version_of(formula), RECORDS)]


def as_json(rows: list[dict[str, Any]]) -> str:
    """Return rows of a group as JSON with exact numbers."""
    return json.dumps(
        [{name: str(value) if value is not None else None for name, value in row.items()} for row in rows]
    )
