"""Spark says to the last digit what the interpreter says, in local mode and on a cluster of two workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.unit.science.engine import wider
from tests.unit.science.engine.battery import FAULTS, WIDTHS, differences, of_width, planted
from tests.unit.science.engine.made_up import FORMULAS, LIBRARY, ROOT, ROWS, as_rows, field, made_up, trial
from tools.spark import missing, session

from tanpuhui.science.engine import MethodologyVersion, load_parameter_set, load_version, sql

FORMULA_COUNT = 200
BATCH = 8
ROW_COUNT = 60
LACKING = missing()
pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(LACKING is not None, reason=str(LACKING)),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    # Compiled lightly: each query runs once here.
    with session(settings={"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}) as started:
        yield started


def told(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return [tuple(f"{item:f}" if isinstance(item, Decimal) else str(item) for item in row) for row in rows]


def as_table(spark: Any, rows: list[dict[str, Any]], name: str) -> None:
    schema = "row_no BIGINT, a DECIMAL(18,6), b DECIMAL(18,6), c DECIMAL(18,6)"
    given_rows = [(number, row["a"], row["b"], row["c"]) for number, row in enumerate(rows)]
    spark.createDataFrame(given_rows, schema).coalesce(1).cache().createOrReplaceTempView(name)


def generated() -> tuple[list[str], list[dict[str, Any]]]:
    """Return formulas that load, each once, and rows for them: the same in every run."""
    formulas: dict[str, None] = {}
    rows: list[dict[str, Any]] = []

    @settings(
        max_examples=3 * FORMULA_COUNT,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(formula=FORMULAS, some=ROWS)
    def collect(formula: str, some: list[dict[str, Any]]) -> None:
        rows.extend(some)
        if len(formulas) < FORMULA_COUNT and trial(formula) is not None:
            formulas[formula] = None

    collect()
    return list(formulas), rows[:: max(1, len(rows) // ROW_COUNT)][:ROW_COUNT]


def test_two_hundred_generated_formulas_are_identical_on_spark(spark: Any) -> None:
    formulas, rows = generated()
    assert (len(formulas), len(rows)) == (FORMULA_COUNT, ROW_COUNT)
    as_table(spark, rows, "records")
    unlike = []
    for start in range(0, len(formulas), BATCH):
        batch = {formula: _loaded(formula) for formula in formulas[start : start + BATCH]}
        parts = [
            f"SELECT {number} AS formula, row_no, reason, variant, grams, CAST(remainder_g AS STRING) FROM "
            f"({sql(version, 'spark')})"
            for number, version in enumerate(batch.values())
        ]
        found = sorted(tuple(row) for row in spark.sql(" UNION ALL ".join(parts)).collect())
        for number, (formula, version) in enumerate(batch.items()):
            said = told([row[1:] for row in found if row[0] == number])
            if said != told(as_rows(version, rows)):
                unlike.append(formula)
    assert unlike == []


def _loaded(formula: str) -> MethodologyVersion:
    version = trial(formula)
    assert version is not None
    return version


def test_trap_of_spark_a_wide_product_gives_up_places(spark: Any) -> None:
    product = "SELECT CAST('0.000000001' AS DECIMAL(38, 18)) * CAST('0.000000001' AS DECIMAL(38, 18))"
    assert spark.sql(product).collect()[0][0] == 0
    files = made_up(
        fields=field("a", "甲", high="10000", places=9) + field("b", "乙", high="10000", places=9),
        formula="甲 * 乙 * 1[gCO2e]",
    )
    rows = [{"a": Decimal("0.000000001"), "b": Decimal("0.000000001")}]
    table = [(0, rows[0]["a"], rows[0]["b"])]
    schema = "row_no BIGINT, a DECIMAL(18, 9), b DECIMAL(18, 9)"
    spark.createDataFrame(table, schema).createOrReplaceTempView("trap")
    found = spark.sql(sql(load_version(files), "spark", "trap")).collect()
    assert told([tuple(row) for row in found]) == told(as_rows(load_version(files), rows))
    assert found[0]["remainder_g"] == Decimal("1e-18")


def on_spark(spark: Any) -> Any:
    def run(version: MethodologyVersion, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        as_table(spark, rows, "battery")
        return [tuple(row) for row in spark.sql(sql(version, "spark", "battery")).orderBy("row_no").collect()]

    return run


def test_spark_agrees_on_the_battery(spark: Any) -> None:
    assert list(differences(on_spark(spark), Exception)) == []


@pytest.mark.parametrize(("low", "high", "places"), WIDTHS)
def test_spark_reads_fields_of_every_width(spark: Any, low: str, high: str, places: int) -> None:
    version, rows = of_width(low, high, places)
    table = [(number, row["a"]) for number, row in enumerate(rows)]
    spark.createDataFrame(table, f"row_no BIGINT, a DECIMAL(38, {places})").createOrReplaceTempView("wide")
    found = spark.sql(sql(version, "spark", "wide")).orderBy("row_no").collect()
    assert told([tuple(row) for row in found]) == told(as_rows(version, rows))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_the_compiler_is_caught(spark: Any, fault: str) -> None:
    with planted(fault):
        assert next(differences(on_spark(spark), Exception), None) is not None


@pytest.mark.parametrize("formula", wider.FORMULAS)
def test_spark_and_interpreter_agree_on_tables_rows_and_dates(spark: Any, formula: str) -> None:
    schema = (
        "row_no BIGINT, start_date DATE, end_date DATE, "
        "strata ARRAY<STRUCT<stratum: STRING, species: STRING, volume: DECIMAL(18,6)>>, "
        "plots ARRAY<STRUCT<measured_on: DATE, carbon: DECIMAL(18,6)>>"
    )
    rows = [
        (number, *(record[name] for name in ("start_date", "end_date", "strata", "plots")))
        for number, record in enumerate(wider.RECORDS)
    ]
    spark.createDataFrame(rows, schema).createOrReplaceTempView("wider")
    found = spark.sql(sql(wider.version_of(formula), "spark", "wider")).orderBy("row_no").collect()
    assert [tuple(map(str, row)) for row in found] == wider.expected(formula)


def test_the_command_gives_on_a_cluster_of_two_workers_what_duckdb_gives(tmp_path: Path) -> None:
    records, results = tmp_path / "records.parquet", tmp_path / "results"
    with duckdb.connect() as tables:
        tables.execute(
            "COPY (SELECT i AS row_no, (CASE WHEN i % 7 = 0 THEN NULL ELSE i * 0.037 END)::DECIMAL(18, 6) "
            f"AS distance_km FROM range(20000) AS made(i)) TO '{records}' (ROW_GROUP_SIZE 4000)"
        )
    parameters = ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml"
    folder = LIBRARY / "a01-bus/1.0"
    command = [sys.executable, "-m", "tools.spark", str(folder), str(records), str(results)]
    done = subprocess.run(
        [*command, "--parameters", str(parameters), "--workers", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "20,000" in done.stdout
    assert "2 executors" in done.stdout
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    version = load_version(files, parameter_set=load_parameter_set(parameters.read_bytes()))
    with duckdb.connect() as tables:
        tables.execute(f"CREATE VIEW records AS FROM read_parquet('{records}')")
        tables.execute(f"CREATE VIEW spark AS FROM read_parquet('{results}/*.parquet')")
        counted = tables.execute("SELECT count(*) FROM spark").fetchone()
        unlike = tables.execute(
            f"(FROM ({sql(version)}) EXCEPT ALL FROM spark) UNION ALL (FROM spark EXCEPT ALL FROM ({sql(version)}))"
        ).fetchall()
    assert (counted, unlike) == ((20000,), [])
