"""Tests on committed transactions, each on a database of its own.

`committed_database` clones the migrated test database (CREATE DATABASE … TEMPLATE), points Django at the clone for
the length of one test, and drops it. Nothing has to be flushed, so append-only triggers stay on as in production,
and threads see each other's commits. Inside such a test:

- do not ask for `db` or `transactional_db`: their transaction would hide the clone's rows from other threads;
- start threads only through `run_together`, which closes each thread's connection;
- mark the module with `pytestmark = pytest.mark.concurrency`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import setup_databases, teardown_databases
from psycopg import sql

JOIN_SECONDS_MAX = 60
_ATTEMPTS = 20


@dataclass(frozen=True)
class CommittedDatabase:
    """The clone a test works on."""

    name: str

    def run_together(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run every call in its own thread and connection, let go at one moment; return results in order.

        A call that raises gives its exception as its result. A call that does not end fails the test.
        """
        gate = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def run(place: int, call: Callable[[], Any]) -> None:
            try:
                connection.ensure_connection()
                gate.wait(timeout=JOIN_SECONDS_MAX)
                results[place] = call()
            except BaseException as raised:  # noqa: BLE001  the test decides what an exception means
                results[place] = raised
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=(i, call), daemon=True) for i, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=JOIN_SECONDS_MAX)
        if any(thread.is_alive() for thread in threads):
            pytest.fail("a call did not end: two callers wait for each other, or one waits without end")
        return results


@pytest.fixture(scope="session")
def migrated_template(django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[str]:
    """Name the migrated test database; make it where no collected test asked pytest-django for one."""
    made = None
    with django_db_blocker.unblock():
        name = connection.creation._get_test_db_name()
        if connection.settings_dict["NAME"] != name:
            made = setup_databases(
                verbosity=0, interactive=False, aliases={"default"}, keepdb=django_db_keepdb
            )
    yield name
    if made is not None and not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, verbosity=0)


@pytest.fixture
def committed_database(migrated_template: str, django_db_blocker: Any) -> Iterator[CommittedDatabase]:
    """Give a test a clone of the migrated test database, with Django's connections pointed at it."""
    with django_db_blocker.unblock():
        settings = connection.settings_dict
        template = migrated_template
        assert settings["NAME"] == template, "only the test database is ever cloned"
        clone = f"{template}_clone_{uuid.uuid4().hex[:8]}"
        connections.close_all()
        with connection._nodb_cursor() as server:
            _drop_left_over(server, template)
            _clone(server, template, clone)
        settings["NAME"] = clone
        try:
            yield CommittedDatabase(name=clone)
        finally:
            connections.close_all()
            settings["NAME"] = template
            with connection._nodb_cursor() as server:
                _drop(server, clone)


def _clone(server: Any, template: str, clone: str) -> None:
    """Copy the template; wait for a connection to it that is just being closed."""
    statement = sql.SQL("create database {} template {}").format(
        sql.Identifier(clone), sql.Identifier(template)
    )
    for attempt in range(_ATTEMPTS):
        try:
            server.execute(statement)
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.ObjectInUse) or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.1)
        else:
            return


def _drop(server: Any, name: str) -> None:
    server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _drop_left_over(server: Any, template: str) -> None:
    """Drop clones of killed runs: those of this template to which nobody is connected."""
    server.execute(
        "select datname from pg_database d where starts_with(datname, %s)"
        " and not exists (select from pg_stat_activity a where a.datname = d.datname)",
        [f"{template}_clone_"],
    )
    for (name,) in server.fetchall():
        _drop(server, name)
