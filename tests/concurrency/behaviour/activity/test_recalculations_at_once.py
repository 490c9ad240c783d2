"""Recalculations that run at the same moment, or are cut off: each difference is posted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.concurrency.conftest import CommittedDatabase
from tests.integration.behaviour.activity.revision import (
    MAKER,
    adjust_all,
    approved,
    bus_version,
    key,
    previewed,
    revised_bus,
)
from tests.integration.behaviour.activity.town import Town, build, bus, csv

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.domain import recalculations
from tanpuhui.behaviour.activity.models import Recalculation, RecalculationStep
from tanpuhui.behaviour.activity.operations import adjust_next_step, propose_recalculation
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams
from tanpuhui.foundation.persistence.locks import Busy

pytestmark = pytest.mark.concurrency
RIDERS = tuple(f"S{n}" for n in range(8))
WAIT_S = 60


@pytest.fixture
def town(
    committed_database: CommittedDatabase,
    now: datetime,
    settings: Any,
    invented_jurisdiction: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Town:
    """Eight riders with a ride each in two months; a slice holds four records, so there are several steps."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    monkeypatch.setattr(recalculations, "RECORDS_PER_SLICE", 4)
    made = build(subjects=RIDERS)
    lines = [
        bus(f"{month}-{rider}", rider, started=f"2026-{month}-03T08:00:00+08:00")
        for month in ("10", "11")
        for rider in RIDERS
    ]
    made.post(csv(*lines), at=now)
    return made


def grams(town: Town) -> list[Grams]:
    return [ledger.balance(town.accounts[rider]).grams for rider in RIDERS]


def test_two_runs_at_once_have_one_effect(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    number = approved(now, bus_version(now), revised_bus("0.110"), month="2026-10", last="2026-11")
    run_ = Recalculation.objects.get(pk=number)
    assert (run_.slices, run_.preview["slices"], run_.preview["records"], run_.preview["accounts"]) == (
        2,
        2,
        16,
        8,
    )

    def run() -> Any:
        while True:
            try:
                return adjust_all(now, number)
            except Busy:
                continue

    results = committed_database.run_together(run, run, run)
    assert all(not isinstance(result, Exception) for result in results), results
    assert {(result.steps_done, result.steps) for result in results} == {(4, 4)}
    assert sorted(RecalculationStep.objects.values_list("number", flat=True)) == [0, 1, 2, 3]
    assert grams(town) == [Grams(2 * 487)] * len(RIDERS)
    assert list(queries.breaches()) == []
    assert list(ledger.breaches()) == []


def test_two_proposals_for_one_scenario_at_once_are_one(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    old, new = bus_version(now), revised_bus("0.110")
    numbers = [previewed(now, old, new, month="2026-10", last="2026-11") for _ in range(2)]

    def propose(number: int) -> Callable[[], Any]:
        return lambda: propose_recalculation(
            actor=MAKER, at=now, idempotency_key=key(), recalculation_id=number, opinion="提出"
        )

    results = committed_database.run_together(*(propose(number) for number in numbers))
    assert sorted(type(result).__name__ for result in results) == [
        "RecalculationOpen",
        "RecalculationProposed",
    ]


KILLED = """
import django; django.setup()
import os, sys
from datetime import datetime, UTC
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from tanpuhui.config.wiring import install; install()
from tanpuhui.behaviour.activity.operations import adjust_next_step
from tanpuhui.behaviour.activity.operations._recalculate import _adjust
from tanpuhui.foundation.kernel.actors import SYSTEM
number = int(sys.argv[2])
adjust_next_step(actor=SYSTEM, at=datetime.now(UTC), recalculation_id=number)
post = _adjust._post
def post_and_wait(*args):
    done = post(*args)
    print("posted, not committed", flush=True)
    sys.stdin.read()
    return done
_adjust._post = post_and_wait
adjust_next_step(actor=SYSTEM, at=datetime.now(UTC), recalculation_id=number)
"""


def test_a_run_killed_in_the_middle_of_a_step_resumes_and_posts_each_difference_once(
    town: Town, committed_database: CommittedDatabase, now: datetime
) -> None:
    number = approved(now, bus_version(now), revised_bus("0.110"), month="2026-10", last="2026-11")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, committed_database.name, str(number)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "posted, not committed\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=WAIT_S)
    await_nobody(committed_database.name)
    assert Recalculation.objects.get(pk=number).steps_done == 1
    assert RecalculationStep.objects.count() == 1
    assert Grams(436 + 487) in grams(town) or Grams(2 * 436) in grams(town), (
        "the second step left nothing behind"
    )

    adjust_all(now, number)
    assert grams(town) == [Grams(2 * 487)] * len(RIDERS)
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(distinct reference) from ledger_journal where kind = 'recalculation'"
        )
        assert cursor.fetchone() == (4, 4)
    assert adjust_next_step(actor=SYSTEM, at=now, recalculation_id=number).state == "done"
    assert list(queries.breaches()) == []
    assert list(ledger.breaches()) == []


def await_nobody(name: str) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()", [name]
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    pytest.fail("the killed process still holds its connection")
