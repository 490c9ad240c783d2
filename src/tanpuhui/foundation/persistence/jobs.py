"""Deferred jobs, kept in PostgreSQL by procrastinate: a job commits or vanishes with the rows it is about."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import django.db
import psycopg
import structlog
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import JobDeferrer, Status
from procrastinate.manager import JobManager
from procrastinate.types import JSONValue

from tanpuhui.foundation.kernel.actors import SYSTEM

__all__ = ["CONNECTION_LOST", "STALLED_SECONDS", "SYSTEM", "app", "defer", "give_way_to_successors"]

_log = structlog.get_logger(__name__)

STALLED_SECONDS = 30
"""A job whose worker gave no sign of life for so long is given to another worker."""

CONNECTION_LOST = frozenset(
    {django.db.OperationalError, django.db.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError}
)
"""What a task meets when the server goes away under it: its transaction is undone, and it is worth another attempt."""


class _GivesWay(JobManager):
    """Ends a job that is to be tried again while another of its name (`queueing_lock`) waits already.

    The database lets one of a name wait. Without this the job would stay `doing` for ever and keep its lock, so that not
    even the one that waits could begin; and where it was a dead worker's, all that this worker left would stay with it.
    """

    async def retry_job_by_id_async(
        self,
        job_id: int,
        retry_at: datetime,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        try:
            await super().retry_job_by_id_async(job_id, retry_at, priority, queue, lock)
        except UniqueViolation:
            await self.finish_job_by_id_async(job_id=job_id, status=Status.ABORTED, delete_job=True)
            _log.info("job.gave_way", job_id=job_id)


def give_way_to_successors(made: App) -> None:
    """Let a job give way when one of its name waits already; called once, when the app is made."""
    made.job_manager = _GivesWay(made.connector)


_IN_THE_OPEN_TRANSACTION = JobManager(DjangoConnector())
"""Puts jobs in the queue through Django's own connection.

A worker gives the app a pool of other connections, on which a job that a task defers would be there before the task's
transaction ends, or although it is undone.
"""


def defer(
    task: str, *, lock: str | None = None, queueing_lock: str | None = None, **arguments: object
) -> None:
    """Put one job in the queue, in the open transaction; `lock` lets one of its name run at a time.

    Raises LookupError for a task that nobody has written.
    """
    if task not in app.tasks:
        app.perform_import_paths()
    if task not in app.tasks:
        message = f"no such task: {task}"
        raise LookupError(message)
    configured = app.configure_task(task, lock=lock, queueing_lock=queueing_lock)
    JobDeferrer(job_manager=_IN_THE_OPEN_TRANSACTION, job=configured.job).defer(
        **cast("dict[str, JSONValue]", arguments)
    )
