"""PostgreSQL says to the last digit what the interpreter says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from tests.unit.science.engine.made_up import FORMULAS, ROWS, as_rows, trial

from tanpuhui.science.engine import sql

pytestmark = pytest.mark.django_db


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(formula=FORMULAS, rows=ROWS)
@example(formula="round((a) / c, 6, half_up)", rows=[{"a": 1, "b": 0, "c": 7}])
def test_postgres_and_interpreter_agree_on_generated_formulas(
    formula: str, rows: list[dict[str, Any]]
) -> None:
    from decimal import Decimal

    rows = [{name: None if value is None else Decimal(value) for name, value in row.items()} for row in rows]
    version = trial(formula)
    if version is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS engine_records")
        cursor.execute(
            "CREATE TEMPORARY TABLE engine_records (row_no bigint, a numeric, b numeric, c numeric)"
        )
        for number, row in enumerate(rows):
            values = [number, row["a"], row["b"], row["c"]]
            cursor.execute("INSERT INTO engine_records VALUES (%s, %s, %s, %s)", values)
        cursor.execute(
            f"SELECT * FROM ({sql(version, 'postgres', 'engine_records')}) AS found ORDER BY row_no"
        )
        found = [tuple(str(item) for item in row) for row in cursor.fetchall()]
    assert found == [tuple(str(item) for item in row) for row in as_rows(version, rows)], formula
