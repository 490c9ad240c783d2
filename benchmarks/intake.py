"""Intake: the whole way from a stored file to posted balances, against COPY BINARY of the same columns into a bare table.

Floor and candidate alternate day by day; the first pair is discarded; ratios are taken pair by pair, medians shown.
"""

from __future__ import annotations

import functools
import importlib
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from tests.integration.behaviour.activity.town import Town

from benchmarks.crowd import bus_file, settle
from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.operations import BatchPosted, post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA

FIRST_DAY = date(2026, 10, 1)
STEPS = {
    "_read": "read", "lay_down_terms": "terms", "judge": "judge (beside people)", "find_users": "users", "find_people": "people",
    "find_methodologies": "methodology", "resolve_people": "resolve", "calculate_versions": "calculate (beside people)", "settle_results": "settle", "sheets": "sheets",
    "drop_repeats": "once", "apply_caps": "cap", "book": "book", "write_posting": "write",
    "write_outcomes": "outcomes", "report": "report",
}  # fmt: skip
POSTING = ("once", "cap", "sheets", "book", "write", "outcomes", "report")
"""The steps after grams are known: what performance.md calls posting, with caps and duplicates."""

COLUMNS = (
    ("account_id", ">i8", "bigint"), ("day", ">i4", "date"), ("record_id", "S24", "bytea"), ("started_at", ">i8", "bigint"),
    ("area", ">i4", "integer"), ("distance_mm", ">i8", "bigint"), ("duration_s", ">i4", "integer"), ("grams", ">i8", "bigint"),
)  # fmt: skip


def run(*, records: int, accounts: int, repeats: int, file_format: str) -> None:
    print(f"setting up {accounts:,} people; each file has {records:,} rows as {file_format}")
    crowd = settle(accounts)
    town = crowd.town
    with connection.cursor() as cursor:
        cursor.execute("create table bare (" + ", ".join(f"{name} {kind}" for name, _, kind in COLUMNS) + ")")
    pairs: list[dict[str, float]] = []
    posted: BatchPosted | None = None
    for place in range(repeats + 1):
        day = FIRST_DAY + timedelta(days=place)
        content = bus_file(crowd=crowd, day=day, records=records, seed=place * 10, file_format=file_format)
        at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=CHINA) + timedelta(days=1)
        batch_id = town.receive(content, at=at, key=f"b{place}", name=f"rides.{file_format}")
        floor_s = _floor(records, seed=place)
        with _timed_steps() as steps:
            post_s, posted = _seconds(lambda b=batch_id, t=at: post_batch(actor=SYSTEM, at=t, batch_id=b))
        again_s, again = _seconds(functools.partial(_resend, town, content, at, place, file_format))
        assert again == posted, "a resend changed something"
        pair = {"floor": floor_s, "post": post_s, "again": again_s, **steps}
        pair["posting"] = sum(steps[name] for name in POSTING)
        print(f"  pair {place}{' (discarded)' if place == 0 else ''}: floor {floor_s:.2f} s, whole way {post_s:.2f} s, "
              f"{posted.counted:,} of {posted.rows:,} counted, {posted.grams} g")  # fmt: skip
        if place:
            pairs.append(pair)
    _print(pairs, records)
    broken = list(queries.breaches()) if records <= 300_000 else []
    print(
        f"invariants of intake: {len(broken)} breaches"
        if records <= 300_000
        else "invariants not run at this size"
    )


def _resend(town: Town, content: bytes, at: datetime, place: int, file_format: str) -> BatchPosted:
    batch_id = town.receive(content, at=at, key=f"again{place}", name=f"rides.{file_format}")
    return post_batch(actor=SYSTEM, at=at, batch_id=batch_id)


def _print(pairs: list[dict[str, float]], records: int) -> None:
    def median(name: str) -> float:
        return statistics.median(pair[name] for pair in pairs)

    def ratio(name: str) -> str:
        several = [pair["floor"] / pair[name] for pair in pairs]
        return f"{statistics.median(several):5.2f} x floor [{min(several):.2f}-{max(several):.2f}]"

    print(f"floor      COPY BINARY, bare table      {records / median('floor'):>11,.0f} rows/s")
    print(
        f"posting    grams known to commit        {records / median('posting'):>11,.0f} rows/s {ratio('posting')}"
    )
    print(
        f"whole way  stored file to commit        {records / median('post'):>11,.0f} rows/s {ratio('post')}"
    )
    share = statistics.median(pair["again"] / pair["post"] for pair in pairs)
    print(f"resend     the same file again          {share:.3f} x its first time")
    steps = sorted(((median(name), name) for name in STEPS.values()), reverse=True)
    print("steps      " + ", ".join(f"{name} {seconds:.2f} s" for seconds, name in steps))


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
def _timed_steps() -> Iterator[dict[str, float]]:
    """Time each step of post_batch where the operation calls it."""
    module: Any = importlib.import_module("tanpuhui.behaviour.activity.operations._post_batch._post")
    spent: dict[str, float] = defaultdict(float)
    kept = {name: getattr(module, name) for name in STEPS}

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run_timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
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
