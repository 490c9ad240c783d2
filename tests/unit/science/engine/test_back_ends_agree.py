"""DuckDB says to the last digit what the interpreter says."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.science.engine.battery import FAULTS, WIDTHS, differences, of_width, planted
from tests.unit.science.engine.made_up import (
    FORMULAS,
    LIBRARY,
    ROOT,
    ROWS,
    as_rows,
    field,
    folder,
    made_up,
    trial,
)

from tanpuhui.science.engine import MethodologyVersion, interpret, load_parameter_set, load_version, sql

COLUMNS = "a DECIMAL(18,6), b DECIMAL(18,6), c DECIMAL(18,6)"


CONNECTION = duckdb.connect(config={"threads": 1})


@cache
def demonstrated_bike() -> MethodologyVersion:
    chosen = load_parameter_set(
        (ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml").read_bytes()
    )
    return load_version(folder(LIBRARY / "a03-bike/1.0"), parameter_set=chosen)


def in_duckdb(
    version: Any, rows: list[dict[str, Any]], columns: str, **options: Any
) -> list[tuple[Any, ...]]:
    connection = CONNECTION.cursor()
    connection.execute(f"CREATE OR REPLACE TEMP TABLE records (row_no BIGINT, {columns})")
    for number, row in enumerate(rows):
        marks = ", ".join("?" for _ in row)
        connection.execute(
            f"INSERT INTO records (row_no, {', '.join(row)}) VALUES (?, {marks})", [number, *row.values()]
        )
    return connection.execute(f"SELECT * FROM ({sql(version, **options)}) ORDER BY row_no").fetchall()


def exactly(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return [tuple(str(item) for item in row) for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(formula=FORMULAS, rows=ROWS)
@example(
    formula="round((b) / (-c), 2, half_even)", rows=[{"a": Decimal(0), "b": Decimal("0.05"), "c": Decimal(2)}]
)
@example(formula="round(b, 0, half_even)", rows=[{"a": None, "b": Decimal("-2.5"), "c": Decimal(1)}])
@example(
    formula="最大(a, round(a, 0, floor), 0.5)", rows=[{"a": Decimal(0), "b": Decimal(0), "c": Decimal(1)}]
)
@example(formula="a * 0.104 * 0.73", rows=[{"a": Decimal(60000), "b": Decimal(0), "c": Decimal(1)}])
def test_duckdb_and_interpreter_agree_on_generated_formulas(formula: str, rows: list[dict[str, Any]]) -> None:
    version = trial(formula)
    if version is not None:
        assert exactly(in_duckdb(version, rows, COLUMNS)) == exactly(as_rows(version, rows)), formula


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(formula=FORMULAS, rows=ROWS)
def test_duckdb_and_interpreter_agree_on_many_generated_formulas(
    formula: str, rows: list[dict[str, Any]]
) -> None:
    version = trial(formula)
    if version is not None:
        assert exactly(in_duckdb(version, rows, COLUMNS)) == exactly(as_rows(version, rows)), formula


@settings(max_examples=60, deadline=None)
@given(
    distance=st.decimals(min_value=0, max_value=201, places=4),
    duration=st.integers(0, 90000),
    kind=st.sampled_from(["bike", "e-bike", "scooter"]),
)
def test_duckdb_and_interpreter_agree_on_the_bike_rules(distance: Decimal, duration: int, kind: str) -> None:
    version = demonstrated_bike()
    rows = [{"distance_km": distance, "duration_s": Decimal(duration), "vehicle_type": kind}]
    columns = "distance_km DECIMAL(18,6), duration_s DECIMAL(18,6), vehicle_type TEXT"
    assert exactly(in_duckdb(version, rows, columns)) == exactly(as_rows(version, rows))


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (None, ("None", "by_bike", "223", "0.9550000")),
        ("1.000", ("None", "by_bike", "95", "0.3000000")),
        ("0", ("None", "by_bike", "0", "0.0000000")),
        ("2.351", ("OUT_OF_BOUNDS:granted", "by_bike", "None", "None")),
        ("-1", ("OUT_OF_BOUNDS:granted", "by_bike", "None", "None")),
        ("1.0001", ("TOO_MANY_PLACES:granted", "by_bike", "None", "None")),
    ],
)
def test_a_granted_quantity_replaces_the_capped_field_after_eligibility(
    granted: str | None, expected: tuple[str, ...]
) -> None:
    version = demonstrated_bike()
    allowed = Decimal(granted) if granted is not None else None
    values = {"distance_km": Decimal("2.35"), "duration_s": Decimal(720), "vehicle_type": "bike"}
    result = interpret(version, values, granted=allowed)
    columns = "distance_km DECIMAL(18,6), duration_s DECIMAL(18,6), vehicle_type TEXT, allowed DECIMAL(18,6)"
    row = in_duckdb(version, [{**values, "allowed": allowed}], columns, granted="allowed")[0]
    found = (
        result.reason,
        result.variant,
        result.grams.value if result.grams is not None else None,
        result.remainder_g,
    )
    assert exactly([row])[0][1:] == exactly([found])[0]
    assert exactly([row])[0][1:3] == expected[:2]
    assert str(row[3]) == expected[2]
    assert row[4] is None or Decimal(str(row[4])) == Decimal(expected[3])


def test_a_product_too_wide_for_64_bits_does_not_overflow() -> None:
    connection = duckdb.connect()
    with pytest.raises(duckdb.Error):  # the trap itself: as one would write it by hand
        connection.execute(
            "SELECT CAST(60000 AS DECIMAL(9,3)) * CAST(0.104 AS DECIMAL(9,6)) * CAST(0.73 AS DECIMAL(9,6))"
        )
    files = made_up(
        fields=field("d", "里程", high="60000", places=9),
        formula="里程 * 甲 * 乙 * 1[gCO2e]",
        parameters={"f": ("甲", "0.104000001", ""), "g": ("乙", "0.730000001", "")},
    )
    version = load_version(files)
    rows = [{"d": Decimal(60000)}, {"d": Decimal("59999.999999999")}]
    found = in_duckdb(version, rows, "d DECIMAL(18,9)")
    assert exactly(found) == exactly(as_rows(version, rows))
    assert found[0][3] == int(60000 * Decimal("0.104000001") * Decimal("0.730000001"))


def test_case_branches_of_different_places_lose_no_digit() -> None:
    files = made_up(
        fields=field("d", "里程", high="9000000", places=3),
        formula="(if d > 5 then d * d * 0.000000000001 else 12345678901234567.5) * 1[gCO2e]",
    )
    version = load_version(files)
    rows = [{"d": Decimal("7.001")}, {"d": Decimal(1)}]
    assert exactly(in_duckdb(version, rows, "d DECIMAL(18,6)")) == exactly(as_rows(version, rows))


def test_division_is_rounded_once() -> None:
    files = made_up(
        fields=field("d", "甲", high="10", places=6, low="0")
        + field("e", "乙", low="0.000001", high="10", places=6),
        formula="round(甲 / 乙, 12, half_up) * 1[gCO2e]",
    )
    version = load_version(files)
    # 0.0000005 / 1 at 12 places is exact; 1/7 and 2/3 are the ones that double rounding breaks.
    rows = [
        {"d": Decimal(n), "e": Decimal(m)} for n, m in [(1, 7), (2, 3), (10, 9), ("0.000001", "9.999999")]
    ]
    found = in_duckdb(version, rows, "d DECIMAL(18,6), e DECIMAL(18,6)")
    assert exactly(found) == exactly(as_rows(version, rows))
    assert str(found[0][4]) == "0.142857142857"
    assert str(found[1][4]) == "0.666666666667"


def test_a_value_far_outside_its_bounds_is_a_reason_and_not_an_overflow() -> None:
    version = load_version(made_up(fields=field("d", "里程"), formula="d * 1[gCO2e]"))
    rows = [
        {"d": Decimal("9" * 25)},
        {"d": Decimal(-1)},
        {"d": Decimal("100.000001")},
        {"d": None},
        {"d": Decimal("99.9995")},
    ]
    found = in_duckdb(version, rows, "d DECIMAL(38,6)")
    assert [row[1] for row in found] == [
        "OUT_OF_BOUNDS:d",
        "OUT_OF_BOUNDS:d",
        "OUT_OF_BOUNDS:d",
        "FIELD_MISSING:d",
        "TOO_MANY_PLACES:d",
    ]
    assert exactly(found) == exactly(as_rows(version, rows))


def on_battery(version: MethodologyVersion, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return in_duckdb(version, rows, COLUMNS)


def test_duckdb_agrees_on_the_battery() -> None:
    assert list(differences(on_battery, duckdb.Error)) == []


@pytest.mark.parametrize(("low", "high", "places"), WIDTHS)
def test_duckdb_reads_fields_of_every_width(low: str, high: str, places: int) -> None:
    version, rows = of_width(low, high, places)
    assert exactly(in_duckdb(version, rows, f"a DECIMAL(38, {places})")) == exactly(as_rows(version, rows))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_the_compiler_is_caught(fault: str) -> None:
    with planted(fault):
        assert next(differences(on_battery, duckdb.Error), None) is not None


@pytest.mark.parametrize("name", ['records"; DROP TABLE x; --', "a b", "", "records)", "甲"])
def test_only_a_plain_identifier_names_the_relation(name: str) -> None:
    version = load_version(made_up(fields=field("d", "里程"), formula="d * 1[gCO2e]"))
    with pytest.raises(ValueError, match="identifier"):
        sql(version, relation=name)
