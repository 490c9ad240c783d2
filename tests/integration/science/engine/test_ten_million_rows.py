"""Ten million rides through PostgreSQL, DuckDB and the interpreter: every one identical, to the last digit.

No sample: each row is calculated by all three. DuckDB's results are compared with PostgreSQL's in one query and with
the interpreter's in as many processes as the machine has cores.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import connection, transaction
from tests.unit.science.engine.made_up import LIBRARY, ROOT, folder

from tanpuhui.science.engine import MethodologyVersion, interpret, load_parameter_set, load_version, sql

ROWS = 10_000_000
CHUNK = 50_000
PARAMETERS = ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml"
RESULT = ("reason", "variant", "grams", "remainder_g")
# Most rides are plausible; some lack a value, leave the bounds, have too many places, are too slow, fast or long.
RIDES = """SELECT i AS row_no,
  CASE WHEN i % 211 = 0 THEN NULL WHEN i % 97 = 0 THEN 1.2345 WHEN i % 101 = 0 THEN 200.001 WHEN i % 103 = 0 THEN 0
    ELSE (hash(i) % 16000)::BIGINT * 0.001 END::DECIMAL(18, 6) AS distance_km,
  CASE WHEN i % 223 = 0 THEN NULL WHEN i % 227 = 0 THEN 86401 WHEN i % 229 = 0 THEN 0.5
    ELSE (hash(i) % 16000)::BIGINT * (110 + (hash(i + 1) % 640)::BIGINT) // 1000 END::DECIMAL(18, 6) AS duration_s,
  CASE WHEN i % 233 = 0 THEN 'scooter' WHEN i % 239 = 0 THEN NULL WHEN i % 10 = 0 THEN 'e-bike' ELSE 'bike' END
    AS vehicle_type
FROM range({rows}) AS made(i)"""


@cache
def bike() -> MethodologyVersion:
    return load_version(
        folder(LIBRARY / "a03-bike/1.0"), parameter_set=load_parameter_set(PARAMETERS.read_bytes())
    )


def told(tables: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = tables.execute(query)
    while rows := cursor.fetchmany(10_000):
        yield from rows


def judged(start: int, *, records: str, results: str) -> Counter[str]:
    """Interpret one chunk and count the reasons; anything that DuckDB says differently is an error."""
    version, reasons = bike(), Counter[str]()
    query = (
        f"SELECT row_no, distance_km, duration_s, vehicle_type, {', '.join(RESULT)} FROM read_parquet('{records}') AS given "
        f"JOIN read_parquet('{results}') AS found USING (row_no) WHERE row_no >= {start} AND row_no < {start + CHUNK}"
    )
    with duckdb.connect(config={"threads": 1}) as tables:
        for row_no, distance_km, duration_s, vehicle_type, *said in told(tables, query):
            values = {"distance_km": distance_km, "duration_s": duration_s, "vehicle_type": vehicle_type}
            found = interpret(version, values)
            grams = found.grams.value if found.grams is not None else None
            assert [found.reason, found.variant, grams, found.remainder_g] == said, row_no
            assert str(found.remainder_g) == str(said[3]), row_no
            reasons[found.reason or ""] += 1
    return reasons


def in_postgres(tables: duckdb.DuckDBPyConnection, folder_: Path, query: str) -> None:
    """Calculate the records in PostgreSQL, to and fro by CSV."""
    given, found = folder_ / "records.csv", folder_ / "results.csv"
    tables.execute(f"COPY records TO '{given}' (HEADER false)")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE proof_records "
            "(row_no bigint, distance_km numeric, duration_s numeric, vehicle_type text)"
        )
        with cursor.copy("COPY proof_records FROM STDIN (FORMAT csv)") as copy, given.open("rb") as lines:
            while block := lines.read(1 << 20):
                copy.write(block)
        given.unlink()
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy, found.open("wb") as lines:
            for part in copy:
                lines.write(part)
        cursor.execute("DROP TABLE proof_records")
    columns = {"row_no": "BIGINT", **dict.fromkeys(RESULT, "VARCHAR")}
    tables.execute(
        f"CREATE VIEW in_postgres AS FROM read_csv('{found}', header = false, columns = {columns}, nullstr = '')"
    )


def prove(rows: int, folder_: Path) -> Counter[str]:
    """Calculate so many rides three times, compare all of them, and return how often each reason came."""
    records, results = folder_ / "records.parquet", folder_ / "results.parquet"
    with duckdb.connect(config={"threads": 2}) as tables:
        tables.execute(f"COPY ({RIDES.format(rows=rows)}) TO '{records}'")
        tables.execute(f"CREATE VIEW records AS FROM read_parquet('{records}')")
        tables.execute(f"COPY ({sql(bike())}) TO '{results}'")
        in_postgres(tables, folder_, sql(bike(), "postgres", "proof_records"))
        unlike = " OR ".join(f"d.{name}::VARCHAR IS DISTINCT FROM p.{name}" for name in RESULT)
        compared = tables.execute(
            f"SELECT count(*), count(*) FILTER ({unlike}) FROM read_parquet('{results}') AS d "
            "FULL JOIN in_postgres AS p USING (row_no)"
        ).fetchone()
        assert compared == (rows, 0)
    workers = ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn"))
    with workers as pool:
        judge = partial(judged, records=str(records), results=str(results))
        return sum(pool.map(judge, range(0, rows, CHUNK)), Counter[str]())


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.django_db
def test_ten_million_rides_are_identical_in_postgres_duckdb_and_the_interpreter(tmp_path: Path) -> None:
    reasons = prove(ROWS, tmp_path)
    assert reasons.total() == ROWS
    assert reasons[""] > ROWS // 2
    assert set(reasons) >= {
        *(f"{code}:{name}" for code in ("FIELD_MISSING", "OUT_OF_BOUNDS") for name in ("distance_km", "vehicle_type")),
        "TOO_MANY_PLACES:duration_s", "DISTANCE_NOT_POSITIVE", "TOO_SLOW", "TOO_FAST", "TRIP_TOO_LONG",
        "PARAMETER_UNSET:ebike_electricity",
    }  # fmt: skip


@pytest.mark.django_db
def test_the_same_on_a_few_rides_and_a_difference_is_seen(tmp_path: Path) -> None:
    reasons = prove(2_000, tmp_path)
    assert reasons.total() == 2_000
    results = tmp_path / "results.parquet"
    with duckdb.connect() as tables:
        tables.execute(f"CREATE TABLE results AS FROM read_parquet('{results}')")
        tables.execute(
            "UPDATE results SET grams = grams + 1 WHERE row_no = (SELECT min(row_no) FROM results WHERE grams > 0)"
        )
        tables.execute(f"COPY results TO '{results}'")
    with pytest.raises(AssertionError):
        judged(0, records=str(tmp_path / "records.parquet"), results=str(results))
