"""The command as a test calls it, and the files it is given."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.science.engine.made_up import LIBRARY, ROOT

from tanpuhui.interfaces.commands.methodology import main

BIKE = LIBRARY / "a03-bike/1.0"
BUS = LIBRARY / "a01-bus/1.0"
DEMONSTRATION = ROOT / "jurisdictions/shandong/parameter_sets/demonstration.yaml"
HEADER = ("record_id", "里程", "duration_s", "Vehicle type")
ROWS: list[tuple[str, str, str, str]] = [
    ("r2", "8.4", "2400", "bike"),
    ("r3", " 3.1 ", "900", "bike"),
    ("r4", "=1+1", "900", "bike"),
    ("r5", "3.12345", "900", "bike"),
    ("r6", "abc", "900", "bike"),
    ("r7", "", "900", "bike"),
    ("r8", "2.5", "900", "e-bike"),
    ("r9", "2", "9", "bike"),
    ("r10", "99999999999999999999999", "9", "bike"),
    ("r11", "8.4000", "2400", "bike"),
    ("r12", "3", "900", "@bike"),
]
REASONS = {
    2: None, 3: None, 4: "FORMULA_CELL:distance_km", 5: "TOO_MANY_PLACES:distance_km", 6: "NOT_A_NUMBER:distance_km",
    7: "FIELD_MISSING:distance_km", 8: "PARAMETER_UNSET:ebike_electricity", 9: "TOO_FAST", 10: "OUT_OF_BOUNDS:distance_km",
    11: None, 12: "FORMULA_CELL:vehicle_type",
}  # fmt: skip
GRAMS = {2: 800, 3: 295, 11: 800}


@dataclass(frozen=True)
class Said:
    """What the command answered."""

    status: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Call the command in this process and give back its status and what it said."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        signal.signal(signal.SIGTERM, before)
    captured = capsys.readouterr()
    return Said(status, captured.out, captured.err)


def run(capsys: pytest.CaptureFixture[str], source: Path, output: Path, *more: object) -> Said:
    """Run the bike methodology with demonstration values."""
    return call(capsys, "run", BIKE, source, "-o", output, "--parameters", DEMONSTRATION, *more)


def csv_file(folder: Path, *, header: tuple[str, ...] = HEADER, rows: Any = ROWS) -> Path:
    path = folder / "rides.csv"
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n", "utf-8")
    return path


def workbook(folder: Path, rows: list[list[Any]], *, sheet: str = "Sheet") -> Path:
    path = folder / "rides.xlsx"
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def parquet_file(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "rides.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path
