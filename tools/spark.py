"""Spark, the optional engine for more records than one machine should hold (可选：Spark).

    python -m tools.spark FOLDER RECORDS.parquet RESULTS [--parameters FILE] [--workers 2]

calculates a methodology version's folder over a Parquet file, in local mode or, with --workers, on a standalone
cluster of its own. Everything listens on 127.0.0.1 and ends with the command. See docs/spark.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tanpuhui.science.engine import load_parameter_set, load_version, sql
from tanpuhui.science.engine.dialects import SPARK_SETTINGS

HERE = "127.0.0.1"
START_SECONDS = 120
LOCAL = "local[2]"


def missing() -> str | None:
    """Return what Spark lacks here, in a sentence, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: pip install --require-hashes -r requirements-spark.txt"
    if shutil.which("java") is None:
        return "Spark needs Java 17 or newer on the path"
    return None


@contextlib.contextmanager
def session(master: str = LOCAL, settings: dict[str, str] | None = None) -> Iterator[Any]:
    """Give out a Spark session with the settings under which the SQL is exact, and stop it."""
    builder = importlib.import_module("pyspark.sql").SparkSession.builder.master(master).appName("tanpuhui")
    own = {
        "spark.driver.host": HERE,
        "spark.driver.bindAddress": HERE,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
    }
    for name, value in {**own, **SPARK_SETTINGS, **(settings or {})}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        yield spark
    finally:
        spark.stop()


@contextlib.contextmanager
def standalone_cluster(workers: int = 2) -> Iterator[tuple[str, dict[str, str]]]:
    """Run a master and workers of one core each; give out its address and what a session must say; end them all."""
    home = Path(str(importlib.import_module("pyspark").__file__)).parent
    port, web = _free_port(), _free_port()
    address = f"spark://{HERE}:{port}"
    # Without the secret, any account of this machine could run programs as ours.
    settings = {"spark.authenticate": "true", "spark.authenticate.secret": secrets.token_hex(32)}
    with tempfile.TemporaryDirectory(prefix="tanpuhui-spark-") as folder:
        properties = Path(folder, "spark.properties")
        properties.touch(mode=0o600)
        properties.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        common = ["--properties-file", str(properties), "--host", HERE]
        master = ["master.Master", *common, "--port", str(port), "--webui-port", str(web)]
        worker = ["worker.Worker", *common, "--cores", "1", "--memory", "1g", "--work-dir", folder, address]
        running: list[subprocess.Popen[bytes]] = []
        try:
            running.append(_start(home, master, folder))
            _wait(running, lambda: _alive_workers(web) >= 0)
            running += [_start(home, worker, folder) for _ in range(workers)]
            _wait(running, lambda: _alive_workers(web) >= workers)
            yield address, {**settings, **_every_worker(workers)}
        finally:
            for process in reversed(running):
                _end(process)


def _every_worker(workers: int) -> dict[str, str]:
    """Return the settings by which a session waits for an executor on every worker."""
    return {
        "spark.executor.memory": "900m",
        "spark.executor.cores": "1",
        "spark.cores.max": str(workers),
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": f"{START_SECONDS}s",
    }


def executors(spark: Any) -> int:
    """Return how many executors a session has beside its driver; 0 in local mode."""
    return int(spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1  # noqa: SLF001 - no Python name


def _start(home: Path, words: list[str], folder: str) -> subprocess.Popen[bytes]:
    name, *rest = words
    command = [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{name}", *rest]
    environment = {**os.environ, "SPARK_LOCAL_IP": HERE, "SPARK_HOME": str(home), "SPARK_PUBLIC_DNS": HERE}
    with Path(folder, "log.txt").open("ab") as log:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and the executors in its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
            return


def _wait(running: list[subprocess.Popen[bytes]], ready: Any) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if any(process.poll() is not None for process in running) or time.monotonic() > end:
            message = "the Spark cluster did not start"
            raise RuntimeError(message)
        time.sleep(0.3)


def _alive_workers(web: int) -> int:
    """Return how many workers the master counts; -1 while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{HERE}:{web}/json/", timeout=5) as answer:
            return int(json.load(answer)["aliveworkers"])
    except (OSError, ValueError):
        return -1


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])


def calculate(spark: Any, folder: Path, records: Path, results: Path, parameters: Path | None) -> int:
    """Calculate a folder's version over a Parquet file and write the results as Parquet; return the rows."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    chosen = load_parameter_set(parameters.read_bytes()) if parameters else None
    spark.read.parquet(str(records)).createOrReplaceTempView("records")
    found = spark.sql(sql(load_version(files, parameter_set=chosen), "spark"))
    found.write.mode("errorifexists").parquet(str(results))
    return int(spark.read.parquet(str(results)).count())


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.spark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--parameters", type=Path, help="a parameter set's file")
    parser.add_argument("--workers", type=int, default=0, help="of a cluster of its own; 0: local mode")
    given = parser.parse_args(arguments)
    lacking = missing()
    if lacking:
        print(lacking, file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        master: str = LOCAL
        settings: dict[str, str] = {}
        if given.workers:
            master, settings = stack.enter_context(standalone_cluster(given.workers))
        spark = stack.enter_context(session(master, settings))
        rows = calculate(spark, given.folder, given.records, given.results, given.parameters)
        where = f"{executors(spark)} executors" if given.workers else "local mode"
    print(f"{rows:,} 行已写入 / rows written: {given.results} ({where})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
