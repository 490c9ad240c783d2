"""DuckDB says of every worked case of the library what the interpreter says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.unit.science.engine.library_records import SQL_PATHS, case_records, columns
from tests.unit.science.engine.made_up import as_rows

TYPES = {"number": "DECIMAL(38, 12)", "choice": "TEXT", "date": "DATE"}


@pytest.mark.parametrize("path", SQL_PATHS, ids=lambda path: path.parent.name)
def test_duckdb_gives_every_worked_case_as_the_interpreter_does(path: Path) -> None:
    for code, version, query, record in case_records(path, "duckdb", "records"):
        with duckdb.connect(config={"threads": 1}) as tables:
            tables.execute(f"CREATE TABLE records (row_no BIGINT, {', '.join(columns(version, TYPES))})")
            marks = ", ".join("?" for _ in record)
            tables.execute(f"INSERT INTO records VALUES (0, {marks})", list(record.values()))
            found = tables.execute(query).fetchall()
        expected = [tuple(map(str, row)) for row in as_rows(version, [record])]
        assert [tuple(map(str, row)) for row in found] == expected, code
