"""Growth: files of a million rows are posted one after the other into one store, and the cost of each is set beside the store.

The people are many and every card comes about as often as the next, in no order of accounts, which is the dearest case:
nearly every record opens an account-day of its own. The exponent is the slope of log(time so far) over log(records so far).
"""

from __future__ import annotations

import math
import resource
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from benchmarks.crowd import bus_file, settle
from benchmarks.intake import FIRST_DAY, timed_steps
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA

FILE_ROWS = 1_000_000
FILES_A_DAY = 10
BYTES_A_RECORD = 400
"""Room that a record needs on disk, generously: chunk, keys, entry, balance, the kept file and the log."""


def run(*, records: int, accounts: int) -> None:
    free = shutil.disk_usage(Path(settings.TANPUHUI_DATA_DIR)).free
    if free < records * BYTES_A_RECORD:
        print(
            f"skipped: {records:,} records may need {records * BYTES_A_RECORD / 1e9:.0f} GB, {free / 1e9:.0f} are free"
        )
        return
    began = time.perf_counter()
    crowd = settle(accounts)
    print(f"{accounts:,} people set up in {time.perf_counter() - began:.0f} s")
    so_far, points = 0.0, []
    for place in range(math.ceil(records / FILE_ROWS)):
        day = FIRST_DAY + timedelta(days=place // FILES_A_DAY)
        content = bus_file(
            crowd=crowd, day=day, records=FILE_ROWS, seed=1000 + 10 * place, file_format="parquet", even=True,
            name=f"f{place}",
        )  # fmt: skip
        at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=CHINA) + timedelta(days=1)
        batch_id = crowd.town.receive(content, at=at, key=f"{place}", name="rides.parquet")
        began = time.perf_counter()
        with timed_steps() as steps:
            posted = post_batch(actor=SYSTEM, at=at, batch_id=batch_id)
        seconds = time.perf_counter() - began
        so_far += seconds
        points.append(((place + 1) * FILE_ROWS, so_far))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"  {points[-1][0]:>11,} rows: this million {seconds:5.2f} s, {posted.counted:,} counted, all {so_far:,.0f} s, "
            f"peak {peak} MB, database {_database_gb():.1f} GB; "
            + ", ".join(
                f"{name} {spent:.1f}" for name, spent in sorted(steps.items(), key=lambda one: -one[1])[:6]
            ),
            flush=True,
        )
    print(f"{points[-1][0] / so_far:,.0f} rows/s over all; exponent {_slope(points):.3f}")


def _slope(points: list[tuple[int, float]]) -> float:
    """Return the least-squares slope of log(seconds) over log(records)."""
    xs = [math.log(records) for records, _ in points]
    ys = [math.log(seconds) for _, seconds in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    below = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / below if below else 1.0


def _database_gb() -> float:
    with connection.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e9
