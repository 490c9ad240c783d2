"""Kill -9 in the middle of a posting: the batch is wholly there or wholly not, and it finishes without a resend.

The middle is recognised from outside, by the locks that the worker's transaction holds: what it has written is not
visible, but that it has begun to write is.
"""

from __future__ import annotations

import time

import psycopg
import pytest
from tests.faults.province import WAIT_S, Province

from tanpuhui.config import embedded_database

pytestmark = [pytest.mark.slow, pytest.mark.fault, pytest.mark.timeout(900)]

ROWS = 20_000
HOLDS_THE_BATCH = """
    exists (select from pg_locks l join pg_class c on c.oid = l.relation
             where c.relname = 'activity_batch' and l.mode = 'RowShareLock' and l.granted)
"""
WRITES = """
    exists (select from pg_locks l join pg_class c on c.oid = l.relation
             where c.relname = '{}' and l.mode = 'RowExclusiveLock' and l.granted)
"""
MOMENTS = {
    "it reads the file": HOLDS_THE_BATCH,
    "it has its turn to write": HOLDS_THE_BATCH + " and exists (select from pg_locks where locktype = 'advisory')",
    "it writes keys": WRITES.format("activity_key_segment"),
    "it writes the ledger": WRITES.format("ledger_entry"),
    "it writes the records": WRITES.format("activity_record_chunk"),
    "it writes the last rows": WRITES.format("activity_row_outcome"),
}  # fmt: skip
SURELY_UNFINISHED = tuple(MOMENTS)[:4]


def await_moment(province: Province, condition: str) -> int:
    """Return the batch at work, at the first instant the condition holds; the connection stays open to be quick."""
    deadline = time.monotonic() + WAIT_S
    with psycopg.connect(province.cluster.url(embedded_database.SUPERUSER), autocommit=True) as connection:
        statement = f"select {condition}".encode()
        while connection.execute(statement).fetchone() != (True,):
            assert time.monotonic() < deadline, f"never saw that {condition}\n{province.logs()}"
            time.sleep(0.002)
    batch_id = province.at_work()
    assert batch_id is not None
    return batch_id


def test_a_worker_killed_at_any_moment_leaves_all_or_nothing_and_the_next_one_finishes(
    province: Province,
) -> None:
    seeds = range(1, len(MOMENTS) + 1)
    batches = province.send(*seeds, rows=ROWS)
    unfinished = 0
    for words, condition in MOMENTS.items():
        before, worker = province.books(), province.worker()
        batch_id = await_moment(province, condition)
        province.end(worker)
        province.await_nobody()
        if words in SURELY_UNFINISHED:
            assert province.state(batch_id) == "received", words
        if province.state(batch_id) == "received":
            assert province.books() == before, f"something was left behind by a worker killed when {words}"
            unfinished += 1
    assert unfinished >= len(SURELY_UNFINISHED)
    assert [one for one in batches if province.state(one) == "received"], "nothing is left to finish"

    province.worker()  # nobody sends anything again
    province.await_posted(*batches)
    province.wait("the queue to be empty", lambda: province.jobs() == [])
    assert province.ask(
        "select count(*), sum((report->>'rows')::int) from activity_batch where id = any(%(ids)s)",
        {"ids": batches},
    ) == [(len(batches), ROWS * len(batches))]
    province.invariants()

    finished = province.books()
    assert province.send(*seeds, rows=ROWS) == batches
    time.sleep(3)  # a job, had one been made, would be taken up within this time
    assert province.jobs() == []
    assert province.books() == finished


def test_a_database_killed_in_the_middle_comes_back_with_all_or_nothing_and_the_batch_finishes(
    province: Province,
) -> None:
    (batch_id,) = province.send(9, rows=ROWS)
    before, worker = province.books(), province.worker()
    assert await_moment(province, MOMENTS["it writes the ledger"]) == batch_id
    province.kill_postmaster()
    province.restart_database()
    assert province.books() == before
    assert province.state(batch_id) == "received"

    if worker.poll() is None:
        # A worker that lost its server either goes on or ends; a supervisor starts an ended one again.
        time.sleep(10)
    if worker.poll() is not None:
        province.worker()
    province.await_posted(batch_id)
    province.wait("the queue to be empty", lambda: province.jobs() == [])
    province.invariants()

    finished = province.books()
    assert province.send(9, rows=ROWS) == [batch_id]
    assert province.books() == finished
