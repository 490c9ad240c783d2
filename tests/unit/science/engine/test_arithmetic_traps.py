"""The arithmetic traps of DuckDB, by name: each shown as one would fall into it, and what the compiled SQL gives."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from tests.unit.science.engine.made_up import as_rows, field, made_up

from tanpuhui.science.engine import MethodologyVersion, load_version, sql


def compiled(version: MethodologyVersion, columns: str, row: dict[str, Decimal]) -> tuple[Any, ...]:
    """Calculate one row in DuckDB, having checked that the interpreter says the same."""
    with duckdb.connect() as tables:
        tables.execute(f"CREATE TABLE records (row_no BIGINT, {columns})")
        marks = ", ".join("?" for _ in row)
        tables.execute(f"INSERT INTO records VALUES (0, {marks})", list(row.values()))
        found = tables.execute(sql(version)).fetchall()
    assert [tuple(map(str, each)) for each in found] == [
        tuple(map(str, each)) for each in as_rows(version, [row])
    ]
    return tuple(found[0])


def naive(expression: str) -> Any:
    return duckdb.sql(f"SELECT {expression}").fetchall()[0][0]


def test_trap_1_a_decimal_division_is_a_double() -> None:
    assert naive("typeof(1::DECIMAL(18, 6) / 3::DECIMAL(18, 6))") == "DOUBLE"
    a, b = Decimal("999999999999.999999"), Decimal("0.000007")
    version = load_version(
        made_up(
            fields=field("a", "甲", high="999999999999.999999", places=6)
            + field("b", "乙", low="0.000001", high="1", places=6),
            formula="round(甲 / 乙, 0, floor) * 0.001[gCO2e]",
        )
    )
    exact = int(Fraction(a) / Fraction(b))
    assert int(naive(f"floor({a}::DECIMAL(18, 6) / {b}::DECIMAL(18, 6))")) != exact
    found = compiled(version, "a DECIMAL(18, 6), b DECIMAL(18, 6)", {"a": a, "b": b})
    assert found[3] * 1000 + int(found[4] * 1000) == exact


def test_trap_3_a_product_widens_its_scale_and_is_rounded_nowhere() -> None:
    assert naive("typeof(1::DECIMAL(18, 8) * 1::DECIMAL(18, 8))") == "DECIMAL(18,16)"
    with pytest.raises(duckdb.Error):  # two digits are left before the point
        naive("999::DECIMAL(18, 8) * 777::DECIMAL(18, 8)")
    version = load_version(
        made_up(
            fields=field("a", "甲", high="1000", places=9) + field("b", "乙", high="1000", places=9),
            formula="甲 * 乙 * 1[gCO2e]",
        )
    )
    a, b = Decimal("999.999999999"), Decimal("777.123456789")
    found = compiled(version, "a DECIMAL(18, 9), b DECIMAL(18, 9)", {"a": a, "b": b})
    exact = Fraction(a) * Fraction(b)
    assert (found[3], Fraction(found[4])) == (int(exact), exact - int(exact))


def test_60000_times_0_104_times_0_73_does_not_overflow() -> None:
    with pytest.raises(duckdb.Error):
        naive("60000::DECIMAL(9, 3) * 0.104::DECIMAL(9, 6) * 0.73::DECIMAL(9, 6)")
    version = load_version(
        made_up(
            fields=field("d", "里程", high="60000", places=6),
            formula="里程 * 甲 * 乙 * 1[gCO2e]",
            parameters={"f": ("甲", "0.104", ""), "g": ("乙", "0.73", "")},
        )
    )
    found = compiled(version, "d DECIMAL(18, 6)", {"d": Decimal(60000)})
    assert found[3] + found[4] == Decimal("4555.2")
