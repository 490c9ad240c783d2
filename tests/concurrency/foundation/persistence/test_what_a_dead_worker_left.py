"""A dead worker's jobs are put back, also where one of the same name waits already (失联任务重派)."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from tanpuhui.foundation.persistence.tasks import retry_stalled_jobs

pytestmark = pytest.mark.concurrency


def job(task: str, status: str, *, name: str | None = None, worker: int | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id, attempts) "
            "values ('default', %(task)s, %(name)s, %(name)s, '{}', %(status)s::procrastinate_job_status, %(worker)s, 0) returning id",
            {"task": task, "name": name, "status": status, "worker": worker},
        )
        return int(cursor.fetchone()[0])


def dead_worker() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour') returning id"
        )
        return int(cursor.fetchone()[0])


def standing() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("select id, status::text from procrastinate_jobs")
        return dict(cursor.fetchall())


@pytest.mark.usefixtures("committed_database")
def test_a_job_whose_successor_waits_gives_way_and_the_rest_is_put_back() -> None:
    gone = dead_worker()
    expiring = job("ledger.expire_points", "doing", name="ledger:expire_points", worker=gone)
    posting = job("activity.post_batch", "doing", worker=gone)
    successor = job("ledger.expire_points", "todo", name="ledger:expire_points")

    async def rescue() -> None:
        await retry_stalled_jobs(0)

    async_to_sync(rescue)()

    assert standing() == {posting: "todo", successor: "todo"}
    assert expiring not in standing()
