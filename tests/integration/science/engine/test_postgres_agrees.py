"""PostgreSQL says to the last digit what the interpreter says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from tests.unit.science.engine import wider
from tests.unit.science.engine.battery import FAULTS, WIDTHS, differences, of_width, planted
from tests.unit.science.engine.library_records import SQL_PATHS, case_records, columns
from tests.unit.science.engine.made_up import FORMULAS, ROWS, as_rows, field, made_up, trial

from tanpuhui.science.engine import MethodologyVersion, load_version, sql

pytestmark = pytest.mark.django_db


def in_postgres(version: MethodologyVersion, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS engine_records")
        cursor.execute(
            "CREATE TEMPORARY TABLE engine_records (row_no bigint, a numeric, b numeric, c numeric)"
        )
        for number, row in enumerate(rows):
            values = [number, *(row.get(name) for name in "abc")]
            cursor.execute("INSERT INTO engine_records VALUES (%s, %s, %s, %s)", values)
        query = sql(version, "postgres", "engine_records").replace("%", "%%")
        cursor.execute(f"SELECT * FROM ({query}) AS found ORDER BY row_no", [])
        return list(cursor.fetchall())


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(formula=FORMULAS, rows=ROWS)
@example(formula="round((a) / c, 6, half_up)", rows=[{"a": Decimal(1), "b": Decimal(0), "c": Decimal(7)}])
def test_postgres_and_interpreter_agree_on_generated_formulas(
    formula: str, rows: list[dict[str, Any]]
) -> None:
    version = trial(formula)
    if version is not None:
        found = [tuple(map(str, row)) for row in in_postgres(version, rows)]
        assert found == [tuple(map(str, row)) for row in as_rows(version, rows)], formula


def test_postgres_agrees_on_the_battery() -> None:
    assert list(differences(in_postgres, DatabaseError)) == []


@pytest.mark.parametrize(("low", "high", "places"), WIDTHS)
def test_postgres_reads_fields_of_every_width(low: str, high: str, places: int) -> None:
    version, rows = of_width(low, high, places)
    found = [tuple(map(str, row)) for row in in_postgres(version, rows)]
    assert found == [tuple(map(str, row)) for row in as_rows(version, rows)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_the_compiler_is_caught(fault: str) -> None:
    with planted(fault):
        assert next(differences(in_postgres, DatabaseError), None) is not None


@pytest.mark.parametrize("formula", wider.FORMULAS)
def test_postgres_and_interpreter_agree_on_tables_rows_and_dates(formula: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE engine_wider "
            "(row_no bigint, start_date date, end_date date, strata jsonb, plots jsonb)"
        )
        for number, record in enumerate(wider.RECORDS):
            rows = [wider.as_json(record[name]) for name in ("strata", "plots")]
            values = [number, record["start_date"], record["end_date"], *rows]
            cursor.execute("INSERT INTO engine_wider VALUES (%s, %s, %s, %s, %s)", values)
        query = sql(wider.version_of(formula), "postgres", "engine_wider").replace("%", "%%")
        cursor.execute(f"SELECT * FROM ({query}) AS found ORDER BY row_no", [])
        found = [tuple(map(str, row)) for row in cursor.fetchall()]
    assert found == wider.expected(formula)


def test_trap_2_postgres_rounds_a_rounded_quotient() -> None:
    # a / b lies so little below a half at the 12th place that the quotient, cut at its 20th, is that half.
    b = 123_456_789
    a = (pow(b, -1, 2 * 10**12) * b - 1) // (2 * 10**12)
    version = load_version(
        made_up(
            fields=field("a", "甲", high="1000000000", places=0)
            + field("b", "乙", low="1", high="1000000000", places=0)
            + field("c", "丙"),
            formula="round(甲 / 乙, 12, half_up) * 1[gCO2e]",
        )
    )
    exact = Decimal(a * 10**12 // b).scaleb(-12)
    with connection.cursor() as cursor:
        cursor.execute("SELECT round(%s::numeric / %s::numeric, 12)", [a, b])
        naive = cursor.fetchone()[0]
    assert naive == exact + Decimal("1e-12")
    row = in_postgres(version, [{"a": Decimal(a), "b": Decimal(b), "c": Decimal(0)}])[0]
    assert row[3] + row[4] == exact


@pytest.mark.parametrize("path", SQL_PATHS, ids=lambda path: path.parent.name)
def test_postgres_gives_every_worked_case_as_the_interpreter_does(path: Path) -> None:
    types = {"number": "numeric", "choice": "text", "date": "date"}
    for code, version, query, record in case_records(path, "postgres", "engine_case"):
        listed = {group.code for group in version.groups}
        values = [
            wider.as_json(value) if name in listed and value is not None else value
            for name, value in record.items()
        ]
        with connection.cursor() as cursor:
            named = ", ".join(columns(version, types, "jsonb"))
            cursor.execute(f"CREATE TEMPORARY TABLE engine_case (row_no bigint, {named})")
            marks = ", ".join("%s" for _ in values)
            cursor.execute(f"INSERT INTO engine_case VALUES (0, {marks})", values)
            cursor.execute(query.replace("%", "%%"), [])
            found = [tuple(map(str, row)) for row in cursor.fetchall()]
            cursor.execute("DROP TABLE engine_case")
        assert found == [tuple(map(str, row)) for row in as_rows(version, [record])], code
