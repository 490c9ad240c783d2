"""Deferred jobs, kept in PostgreSQL by procrastinate: a job commits or vanishes with the rows it is about."""

from __future__ import annotations

from typing import cast

import django.db
import psycopg
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import JobDeferrer
from procrastinate.manager import JobManager
from procrastinate.types import JSONValue

from tanpuhui.foundation.kernel.actors import SYSTEM

__all__ = ["CONNECTION_LOST", "STALLED_SECONDS", "SYSTEM", "app", "defer"]

STALLED_SECONDS = 30
"""A job whose worker gave no sign of life for so long is given to another worker."""

CONNECTION_LOST = frozenset(
    {django.db.OperationalError, django.db.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError}
)
"""What a task meets when the server goes away under it: its transaction is undone, and it is worth another attempt."""

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
