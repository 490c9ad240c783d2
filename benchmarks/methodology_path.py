"""The whole path of a methodology over a file, `tanpuhui methodology run`, against a per-row Python path, in one run.

The per-row path is what one writes first: csv.DictReader, Decimal, the interpreter, csv.writer. Both run in processes
of their own; wall clock, processor time and the peak of resident memory are the operating system's. From the sizes
follows the exponent of the cost: 1 is linear.
"""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
from tests.unit.science.engine.made_up import LIBRARY, ROOT

from benchmarks.methodology import PARAMETERS, shipped

METHODOLOGY = "a03-bike"
PER_ROW_RECORDS = 200_000
# As a partner's file has them: metres as three places, one in a hundred with a fourth, one in fifty without a distance.
RIDES = """select i as row_no,
  (case when i % 50 = 0 then null when i % 97 = 0 then '1.2345' when i % 101 = 0 then '400.000'
    else (((i * 7919) % 15200)::decimal(18, 0) * 0.001::decimal(4, 3))::decimal(9, 3)::varchar end){exact} as distance_km,
  ((i * 7919) % 15200) * (120 + i % 700) // 1000 as duration_s,
  case when i % 3 = 0 then 'e-bike' else 'bike' end as vehicle_type
from range({records}) as made(i)"""
WRITE = {"parquet": "(FORMAT parquet)", "csv": "(FORMAT csv, HEADER)", "ndjson": "(FORMAT json)"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    wall_s: float
    processor_s: float
    peak_mb: float


def measured(command: list[str]) -> Cost:
    """Run a command to its end and return what it took; a failure is an error."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def per_row(given: str, found: str) -> None:
    """Calculate a CSV file row by row in Python."""
    from tanpuhui.science.engine import interpret

    version = shipped(METHODOLOGY)
    with (
        Path(given).open(encoding="utf-8", newline="") as source,
        Path(found).open("w", encoding="utf-8") as target,
    ):
        writer = csv.writer(target)
        for row in csv.DictReader(source):
            result = interpret(
                version,
                {
                    "distance_km": Decimal(row["distance_km"]) if row["distance_km"] else None,
                    "duration_s": Decimal(row["duration_s"]) if row["duration_s"] else None,
                    "vehicle_type": row["vehicle_type"] or None,
                },
            )
            grams = result.grams.value if result.grams is not None else None
            writer.writerow([row["row_no"], result.variant, grams, result.remainder_g, result.reason])


def run(*, sizes: list[int], formats: list[str]) -> None:
    """Measure every format at every size and print the table."""
    print(f"load {os.getloadavg()[0]:.1f} at the start; {METHODOLOGY}, {os.cpu_count()} CPUs")
    with tempfile.TemporaryDirectory(prefix="tanpuhui-bench-") as name:
        folder = Path(name)
        floor = _per_row_cost(folder)
        print(
            f"per row in Python, csv      {PER_ROW_RECORDS:>11,} {floor.wall_s:7.1f} s, processor {floor.processor_s:7.1f} s, "
            f"peak {floor.peak_mb:5.0f} MB",
            flush=True,
        )
        for form in formats:
            costs = []
            for records in sizes:
                cost = _command_cost(folder, form, records)
                costs.append(cost)
                scale = records / PER_ROW_RECORDS
                print(
                    f"methodology run, {form:8}  {records:>12,} {cost.wall_s:7.1f} s, processor {cost.processor_s:7.1f} s, "
                    f"peak {cost.peak_mb:5.0f} MB; × faster per row: {floor.wall_s * scale / cost.wall_s:.1f}, "
                    f"processor {floor.processor_s * scale / cost.processor_s:.1f}",
                    flush=True,
                )
            for (few, first), (many, last) in zip(
                zip(sizes, costs, strict=True), list(zip(sizes, costs, strict=True))[1:], strict=False
            ):
                exponent = math.log(last.processor_s / first.processor_s) / math.log(many / few)
                print(f"  exponent from {few:,} to {many:,} records: {exponent:.2f} (processor)", flush=True)


def _written(folder: Path, form: str, records: int) -> Path:
    path = folder / f"records.{form}"
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as tables:
        exact = "::decimal(9, 4)" if form == "parquet" else ""
        tables.execute(f"copy ({RIDES.format(records=records, exact=exact)}) to '{path}' {WRITE[form]}")
    return path


def _per_row_cost(folder: Path) -> Cost:
    given = _written(folder, "csv", PER_ROW_RECORDS)
    code = f"from benchmarks.methodology_path import per_row; per_row({str(given)!r}, {str(folder / 'found.csv')!r})"
    return measured([sys.executable, "-c", code])


def _command_cost(folder: Path, form: str, records: int) -> Cost:
    given, found = _written(folder, form, records), folder / f"found.{form}"
    command = [
        *(
            str(Path(sys.executable).parent / "tanpuhui"),
            "methodology",
            "run",
            str(LIBRARY / f"{METHODOLOGY}/1.0"),
        ),
        *(str(given), "-o", str(found), "--force", "--parameters", str(PARAMETERS)),
    ]
    try:
        return measured(command)
    finally:
        given.unlink()
        found.unlink(missing_ok=True)
