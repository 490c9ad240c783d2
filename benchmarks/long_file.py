"""A file longer than a slice, parted by person, beside its rows as files of a slice each, in no order of accounts.

The rows are the same; days take turns. Sent in pieces, each person's day is looked up, entered and balanced in every
piece, which is what a long file cost before it was parted (docs/decisions/intake-in-columns.md).
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet
from django.db import connection

from benchmarks.crowd import Crowd, settle, write_bus_file
from benchmarks.intake import FIRST_DAY
from tanpuhui.behaviour.activity.operations import post_batch, receive_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA

PIECE_ROWS = 1_000_000
TICKS_A_SECOND = 100


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds by the clock, and of the processor in this process and in the database's."""

    seconds: float
    own: float
    database: float
    entries: int

    @property
    def processor(self) -> float:
        """Return the processor's seconds of both."""
        return self.own + self.database


def run(*, records: int, accounts: int, repeats: int) -> None:
    crowd = settle(accounts)
    whole: list[Cost] = []
    pieces: list[Cost] = []
    for turn in range(repeats + 1):
        day = FIRST_DAY + timedelta(days=2 * turn)
        found = (
            _posted(crowd, day, records, _one),
            _posted(crowd, day + timedelta(days=1), records, _several),
        )
        if turn:  # the first pair warms up
            whole.append(found[0])
            pieces.append(found[1])
    for name, costs in (("one file", whole), ("pieces", pieces)):
        print(
            f"{name:8} {records:,} rows of {accounts:,} people: {statistics.median(c.seconds for c in costs):.1f} s; processor "
            f"{statistics.median(c.own for c in costs):.1f} s here, {statistics.median(c.database for c in costs):.1f} s in the "
            f"database; {costs[-1].entries:,} entries"
        )
    ratios = sorted(one.processor / other.processor for one, other in zip(whole, pieces, strict=True))
    clock = sorted(one.seconds / other.seconds for one, other in zip(whole, pieces, strict=True))
    print(
        f"one file × pieces: processor {statistics.median(ratios):.2f} [{ratios[0]:.2f}–{ratios[-1]:.2f}], "
        f"clock {statistics.median(clock):.2f} [{clock[0]:.2f}–{clock[-1]:.2f}]"
    )


def _posted(crowd: Crowd, day: date, records: int, cut: Callable[[Path], list[Path]]) -> Cost:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA) + timedelta(days=1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rides.parquet"
        write_bus_file(
            path, crowd=crowd, day=day, records=records, seed=7000, file_format="parquet", name="p"
        )
        batches = []
        for number, part in enumerate(cut(path)):
            with part.open("rb") as content:
                batches.append(
                    receive_batch(
                        actor=crowd.town.partner, at=at, idempotency_key=f"{day}-{number}",
                        partner_id=crowd.town.partner_id, adapter="standard", file_name=part.name,
                        media_type="application/octet-stream", content=content,
                    ).batch_id
                )  # fmt: skip
    entries, began, own, database = _entries(), time.perf_counter(), _own(), _database()
    for batch_id in batches:
        post_batch(actor=SYSTEM, at=at, batch_id=batch_id)
    return Cost(
        seconds=time.perf_counter() - began,
        own=_own() - own,
        database=_database() - database,
        entries=_entries() - entries,
    )


def _one(path: Path) -> list[Path]:
    return [path]


def _several(path: Path) -> list[Path]:
    table = pa.parquet.read_table(path)
    found = []
    for start in range(0, table.num_rows, PIECE_ROWS):
        found.append(path.with_name(f"piece-{start}.parquet"))
        pa.parquet.write_table(table.slice(start, PIECE_ROWS), found[-1])
    return found


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _database() -> float:
    """Return the processor's seconds of our own backend, whose server runs on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _entries() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger_entry")
        return int(cursor.fetchone()[0])
