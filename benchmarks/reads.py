"""Balance and statement lines of random accounts, on an idle server and while another process posts a batch.

The reader asks as fast as it gets answers, in one process; the poster is `post_batch` in a process of its own, as the worker
is. Latencies are compared within the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import django
import numpy as np

if __name__ == "__main__":
    django.setup()
from django.db import connection

if __name__ == "__main__":
    connection.settings_dict["NAME"] = os.environ["BENCHMARK_DATABASE"]
from benchmarks.crowd import bus_file, settle
from benchmarks.intake import FIRST_DAY
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.interfaces.commands.worker import NICENESS

IDLE_REQUESTS = 6_000
LINES = 20
DAYS_BEFORE = 5


def run(*, records: int, accounts: int, repeats: int) -> None:
    print(f"setting up {accounts:,} people with {DAYS_BEFORE} posted days; each batch has {records:,} rows")
    crowd = settle(accounts)
    with connection.cursor() as cursor:
        cursor.execute("select min(account_id), max(account_id) from ledger_balance")
        first, last = cursor.fetchone()
    made = np.random.default_rng(7)
    asks: dict[str, Callable[[int], object]] = {
        "balance": ledger.balance,
        f"last {LINES} lines": lambda account_id: ledger.entries(account_id, limit=LINES),
    }
    day = FIRST_DAY
    for _ in range(DAYS_BEFORE):
        batch_id, at = _receive(crowd, day, records)
        post_batch(actor=SYSTEM, at=at, batch_id=batch_id)
        day += timedelta(days=1)
    idle: dict[str, list[float]] = {name: [] for name in asks}
    busy: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(repeats):
        for name, ask in asks.items():
            idle[name] += [_timed(ask, int(made.integers(first, last))) for _ in range(IDLE_REQUESTS)]
        batch_id, at = _receive(crowd, day, records)
        day += timedelta(days=1)
        poster = _poster(batch_id, at)
        while poster.poll() is None:
            for name, ask in asks.items():
                busy[name].append(_timed(ask, int(made.integers(first, last))))
        assert poster.returncode == 0, "the posting failed"
    for name in asks:
        quiet, loud = (
            np.percentile(np.array(found), [50, 99, 99.9]) * 1000 for found in (idle[name], busy[name])
        )
        print(
            f"{name:14} idle p50 {quiet[0]:.2f} p99 {quiet[1]:.2f} p99.9 {quiet[2]:.2f} ms; while a batch is posted "
            f"p50 {loud[0]:.2f} p99 {loud[1]:.2f} p99.9 {loud[2]:.2f} ms ({len(busy[name]):,} requests): "
            f"p99 {loud[1] / quiet[1]:.1f} x idle"
        )
    medians = [float(np.median(np.array(found))) for found in idle.values()]
    print(f"history p50 {medians[1] / medians[0]:.2f} x balance p50")


def _receive(crowd, day, records: int) -> tuple[int, datetime]:  # type: ignore[no-untyped-def]
    content = bus_file(crowd=crowd, day=day, records=records, seed=day.toordinal() * 10, file_format="csv")
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=CHINA) + timedelta(days=1)
    return crowd.town.receive(content, at=at, key=f"{day}"), at


def _timed(ask: Callable[[int], object], account_id: int) -> float:
    began = time.perf_counter()
    ask(account_id)
    return time.perf_counter() - began


def _poster(batch_id: int, at: datetime) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "BENCHMARK_DATABASE": str(connection.settings_dict["NAME"])}
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.reads", str(batch_id), at.isoformat()], env=environment
    )


if __name__ == "__main__":
    from tanpuhui.config.wiring import install

    install()
    os.nice(NICENESS)
    post_batch(actor=SYSTEM, at=datetime.fromisoformat(sys.argv[2]), batch_id=int(sys.argv[1]))
