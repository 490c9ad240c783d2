"""Intake: the whole way from a stored file to posted balances, against COPY BINARY of the same columns into a bare table.

Floor and candidate alternate day by day; the first pair is discarded; ratios are taken pair by pair, medians shown.
"""

from __future__ import annotations

import functools
import importlib
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction

from benchmarks.crowd import Crowd, bus_file, settle
from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.operations import BatchPosted, post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA

FIRST_DAY = date(2026, 10, 1)
STEPS = {
    "take_in": "lay out", "lay_down_terms": "terms", "judge": "judge (beside people)", "find_users": "users", "find_people": "people",
    "find_methodologies": "methodology", "resolve_people": "resolve", "calculate_versions": "calculate (beside people)", "settle_results": "settle", "sheets": "sheets",
    "drop_repeats": "once", "apply_caps": "cap", "book": "book", "write_posting": "write",
    "write_outcomes": "outcomes",
}  # fmt: skip
FIRST_OF_POSTING = "drop_repeats"
"""Before it the grams are known; what comes after, the commit included, is what performance.md calls posting, with duplicates and caps."""
BREACHES_UP_TO = 300_000

COLUMNS = (
    ("account_id", ">i8", "bigint"), ("day", ">i4", "date"), ("record_id", "S24", "bytea"), ("started_at", ">i8", "bigint"),
    ("area", ">i4", "integer"), ("distance_mm", ">i8", "bigint"), ("duration_s", ">i4", "integer"), ("grams", ">i8", "bigint"),
)  # fmt: skip


def run(*, records: int, accounts: int, repeats: int, formats: Sequence[str], even: bool) -> None:
    print(
        f"setting up {accounts:,} people; each file has {records:,} rows{', every card alike' if even else ''}"
    )
    crowd = settle(accounts)
    with connection.cursor() as cursor:
        cursor.execute("create table bare (" + ", ".join(f"{name} {kind}" for name, _, kind in COLUMNS) + ")")
    pairs: dict[str, list[dict[str, float]]] = {name: [] for name in formats}
    day = FIRST_DAY
    for place in range(repeats + 1):
        for file_format in formats:
            pair = _pair(crowd, day=day, records=records, file_format=file_format, even=even)
            print(f"  {file_format} {place}{' (discarded)' if place == 0 else ''}: floor {pair['floor']:.2f} s, "
                  f"posting {pair['posting']:.2f} s, whole way {pair['post']:.2f} s")  # fmt: skip
            if place:
                pairs[file_format].append(pair)
            day += timedelta(days=1)
    for file_format, found in pairs.items():
        _print(file_format, found, records)
    _print_storage()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory of this process, making the files included: {peak} MB")
    if records <= BREACHES_UP_TO:
        print(f"invariants of intake: {len(list(queries.breaches()))} breaches")


def _pair(crowd: Crowd, *, day: date, records: int, file_format: str, even: bool) -> dict[str, float]:
    """Measure the floor, one file, the same file again, and another file with the same record ids."""
    content = bus_file(
        crowd=crowd, day=day, records=records, seed=day.toordinal() * 10, file_format=file_format, even=even
    )
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=CHINA) + timedelta(days=1)
    batch_id = crowd.town.receive(content, at=at, key=f"{day}", name=f"rides.{file_format}")
    before = _wal()
    floor_s = _floor(records, seed=day.toordinal())
    between = _wal()
    with timed_steps() as steps:
        post_s, posted = _seconds(lambda: post_batch(actor=SYSTEM, at=at, batch_id=batch_id))
    after = _wal()
    again_s, again = _seconds(functools.partial(_resend, crowd, content, at, f"again {day}", file_format))
    assert again == posted, "a resend changed something"
    pair = {
        "floor": floor_s, "post": post_s, "again": again_s, "posting": post_s - steps["before posting"],
        "wal": (after - between) / (between - before), "counted": posted.counted / posted.rows, **steps,
    }  # fmt: skip
    if file_format == "csv":
        other_s, other = _seconds(
            functools.partial(_resend, crowd, content + b"\n", at, f"other {day}", file_format)
        )
        assert other.counted == 0, "a record counted twice"
        pair["other"] = other_s
    return pair


def _resend(crowd: Crowd, content: bytes, at: datetime, key: str, file_format: str) -> BatchPosted:
    batch_id = crowd.town.receive(content, at=at, key=key, name=f"rides.{file_format}")
    return post_batch(actor=SYSTEM, at=at, batch_id=batch_id)


def _print(file_format: str, pairs: list[dict[str, float]], records: int) -> None:
    def median(name: str) -> float:
        return statistics.median(pair[name] for pair in pairs)

    def ratio(name: str) -> str:
        several = [pair["floor"] / pair[name] for pair in pairs]
        return f"{statistics.median(several):5.2f} x floor [{min(several):.2f}-{max(several):.2f}]"

    print(f"{file_format}: {median('counted'):.1%} of the rows counted")
    print(f"  floor      COPY BINARY, bare table      {records / median('floor'):>11,.0f} rows/s")
    for name, words in (("posting", "grams known to commit"), ("post", "stored file to commit")):
        label = "whole way" if name == "post" else name
        print(f"  {label:11}{words:29}{records / median(name):>11,.0f} rows/s {ratio(name)}")
    share = statistics.median(pair["again"] / pair["post"] for pair in pairs)
    print(f"  resend     the same file again          {share:.3f} x its first time")
    if "other" in pairs[0]:
        share = statistics.median(pair["other"] / pair["post"] for pair in pairs)
        print(f"             another file, the same ids   {share:.3f} x its first time")
    print(f"  log        written by the database      {median('wal'):.2f} x that of the floor")
    steps = sorted(((median(name), name) for name in STEPS.values()), reverse=True)
    print("  steps      " + ", ".join(f"{name} {seconds:.2f} s" for seconds, name in steps))


def _print_storage() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select (select sum(length(amounts) + length(traces))::numeric / sum(n_records) from activity_record_chunk), "
            "(select pg_relation_size('bare')::numeric / count(*) from bare), pg_database_size(current_database())"
        )
        chunk, heap, size = cursor.fetchone()
    print(
        f"a record takes {chunk:.1f} bytes in its chunk, {heap:.1f} as a bare row; the database has {size / 1e9:.1f} GB"
    )


def _wal() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return int(cursor.fetchone()[0])


def _floor(records: int, *, seed: int) -> float:
    """Copy pre-encoded rows of the posted columns into a table without index, and commit."""
    made = np.random.default_rng(seed)
    fields: list[tuple[str, str]] = [("width", ">i2")]
    for name, kind, _ in COLUMNS:
        fields += [(f"{name}_length", ">i4"), (name, kind)]
    rows = np.empty(records, dtype=fields)
    rows["width"] = len(COLUMNS)
    for name, kind, _ in COLUMNS:
        rows[f"{name}_length"] = np.dtype(kind).itemsize
        rows[name] = b"bus-20261001-00000000xxx" if name == "record_id" else made.integers(0, 10_000, records)
    content = b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"
    size = 1 << 20

    def copy() -> None:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.copy("copy bare from stdin with (format binary)") as stream,
        ):
            for start in range(0, len(content), size):
                stream.write(content[start : start + size])

    return _seconds(copy)[0]


def _seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


@contextmanager
def timed_steps() -> Iterator[dict[str, float]]:
    """Time each step of post_batch where the operation calls it."""
    begun = time.perf_counter()
    module: Any = importlib.import_module("tanpuhui.behaviour.activity.operations._post_batch._post")
    spent: dict[str, float] = defaultdict(float)
    kept = {name: getattr(module, name) for name in STEPS}

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run_timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            if name == FIRST_OF_POSTING:
                spent.setdefault("before posting", started - begun)
            try:
                return call(*args, **kwargs)
            finally:
                spent[STEPS[name]] += time.perf_counter() - started

        return run_timed

    for name, call in kept.items():
        setattr(module, name, timed(name, call))
    try:
        yield spent
    finally:
        for name, call in kept.items():
            setattr(module, name, call)
