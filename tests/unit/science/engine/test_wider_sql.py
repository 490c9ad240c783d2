"""DuckDB says of tables, rows and dates what the interpreter says."""

from __future__ import annotations

import duckdb
import pytest
from tests.unit.science.engine.test_wider_language import version
from tests.unit.science.engine.wider import FORMULAS, RECORDS, expected, version_of

from tanpuhui.science.engine import sql

COLUMNS = """start_date DATE, end_date DATE,
    strata STRUCT(stratum TEXT, species TEXT, volume DECIMAL(18, 6))[],
    plots STRUCT(measured_on DATE, carbon DECIMAL(18, 6))[]"""


@pytest.mark.parametrize("formula", FORMULAS)
def test_duckdb_and_interpreter_agree_on_tables_rows_and_dates(formula: str) -> None:
    with duckdb.connect() as tables:
        tables.execute(f"CREATE TABLE records (row_no BIGINT, {COLUMNS})")
        for number, record in enumerate(RECORDS):
            values = [record[name] for name in ("start_date", "end_date", "strata", "plots")]
            tables.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?)", [number, *values])
        found = tables.execute(f"SELECT * FROM ({sql(version_of(formula))}) ORDER BY row_no").fetchall()
    assert [tuple(map(str, row)) for row in found] == expected(formula)


def test_a_version_with_functions_is_left_to_the_interpreter() -> None:
    with pytest.raises(ValueError, match="only the interpreter"):
        sql(version("sqrt(2, 3, floor) * 1[tCO2]"))
