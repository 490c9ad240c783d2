"""A database of its own on the server that DATABASE_URL names, migrated, and dropped at the end."""

from __future__ import annotations

import os
import platform
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS_SHOWN = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
)


@contextmanager
def database() -> Iterator[str]:
    """Point Django at a scratch database and give one line about machine and server."""
    with tempfile.TemporaryDirectory(prefix="tanpuhui-bench-") as folder:
        os.environ["TANPUHUI_DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tanpuhui.config.settings.test")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection, connections

        name = f"bench_{uuid.uuid4().hex[:8]}"
        with connection._nodb_cursor() as server:  # noqa: SLF001  as Django makes its test database
            server.execute(f"create database {name}")
        connection.settings_dict["NAME"] = name
        try:
            call_command("migrate", verbosity=0)
            with connection.cursor() as cursor:
                found = []
                for setting in SETTINGS_SHOWN:
                    cursor.execute(f"show {setting}")
                    found.append(f"{setting}={cursor.fetchone()[0]}")
            yield f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}; {' '.join(found)}"
        finally:
            connections.close_all()
            with connection._nodb_cursor() as server:  # noqa: SLF001  as Django makes its test database
                server.execute(f"drop database {name} with (force)")
