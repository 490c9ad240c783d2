"""A job commits or vanishes with the rows it is about, in the web server and in a worker alike."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import connection, transaction
from procrastinate.testing import InMemoryConnector

from tanpuhui.foundation.persistence.jobs import app, defer

pytestmark = pytest.mark.django_db


def jobs() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select (args->>'batch_id')::int from procrastinate_jobs order by 1")
        return [number for (number,) in cursor.fetchall()]


class Undone(Exception):
    """Ends a transaction."""


def test_a_job_that_a_worker_defers_is_in_the_transaction_of_its_task() -> None:
    """In a worker the app has other connections of its own; what a task defers must not go through them."""
    others = InMemoryConnector()
    with app.replace_connector(others):
        defer("activity.post_batch", batch_id=1)
        with suppress(Undone), transaction.atomic():
            defer("activity.post_batch", batch_id=2)
            assert jobs() == [1, 2]
            raise Undone
    assert jobs() == [1]
    assert others.jobs == {}
