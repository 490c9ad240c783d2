"""A whole installation of its own: a durable cluster, the app role, a data folder, and processes that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from tanpuhui.config import embedded_database
from tanpuhui.foundation.kernel.calendar import business_day

ROOT = Path(__file__).resolve().parents[2]
HUANGHAI = ROOT / "tests" / "jurisdictions" / "huanghai"
COMMANDS = "tanpuhui.interfaces.commands.main"
WAIT_S = 120.0
LONG_WAIT_S = 480.0
"""A worker that died is missed after half a minute; then every batch is posted, on a machine that may be busy."""
BOOKS = {
    "journals": "select count(*) from ledger_journal",
    "entries": "select count(*) from ledger_entry",
    "grams and points": "select row(sum(grams), sum(points), count(*))::text from ledger_balance where account_id > 0",
    "postings": "select count(*) from activity_posting",
    "chunks": "select count(*) from activity_record_chunk",
    "keys": "select row(count(*), coalesce(sum(n_keys), 0))::text from activity_key_segment",
    "caps used": "select row(count(*), md5(string_agg(u::text, '' order by u::text)))::text from activity_allowance_use u",
    "outcomes": "select count(*) from activity_row_outcome",
    "leaves": "select count(*) from transparency_leaf where kind = 'posting'",
}
"""Everything that a posting writes; nothing else writes there while a test runs."""


@dataclass
class Province:
    """The installation. Processes are ended by `close`; each is known by its own id."""

    folder: Path
    cluster: embedded_database.Cluster
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: int = 0

    @classmethod
    def found(cls, folder: Path) -> Province:
        """Make the cluster, migrate as the owner and let everybody in as the app role."""
        province = cls(folder=folder, cluster=embedded_database.start(folder / "database"))
        assert province.ask("show fsync") == [("on",)], "a fault is shown on a durable server"
        province.run("-m", COMMANDS, "migrate", role=embedded_database.OWNER_ROLE)
        province.act("found")
        return province

    def environment(self, role: str = embedded_database.APP_ROLE) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("TANPUHUI_")},
            "PYTHONPATH": str(ROOT / "src"),
            "DJANGO_SETTINGS_MODULE": "tanpuhui.config.settings.demo",
            "DATABASE_URL": self.cluster.url(role),
            "TANPUHUI_DATA_DIR": str(self.folder / "var"),
            "TANPUHUI_JURISDICTION_DIR": str(HUANGHAI),
        }

    def run(self, *arguments: str, role: str = embedded_database.APP_ROLE, status: int = 0) -> str:
        """Run Python with these arguments to its end and return what it said."""
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(role),
            capture_output=True,
            text=True,
            timeout=LONG_WAIT_S,
            check=False,
        )
        assert ran.returncode == status, f"{arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def act(self, name: str, *arguments: object) -> Any:
        today = business_day(datetime.now(UTC)).isoformat()
        said = self.run("-m", "tests.faults.acts", name, today, *(str(one) for one in arguments))
        return json.loads(said.splitlines()[-1])

    def send(self, *seeds: int, rows: int) -> list[int]:
        """Send a file for each seed and return the batches; the same rows and seed are the same file."""
        return [int(batch_id) for batch_id in self.act("send", rows, *seeds)]

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of ours that runs until it is ended."""
        return self._run(name, "-m", COMMANDS, *arguments)

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        self.started += 1
        with (self.folder / f"{name}-{self.started}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker", "worker")

    def web(self, port: int) -> subprocess.Popen[bytes]:
        """Start the web server and wait until it answers."""
        server = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        process = self._run("web", *server, "--workers", "1", "tanpuhui.config.wsgi:application")
        self.wait("the web server to answer", lambda: process.poll() is not None or _answers(port))
        return process

    def kill_postmaster(self) -> None:
        """Kill -9 the server; its other processes find out by themselves."""
        os.kill(int((self.cluster.data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    def restart_database(self) -> None:
        embedded_database.start(self.folder / "database")

    def ask(self, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            self.cluster.url(embedded_database.SUPERUSER), autocommit=True, connect_timeout=5
        ) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def own(self, statement: str) -> None:
        """Carry out a statement as the superuser, in a transaction of its own."""
        with psycopg.connect(self.cluster.url(embedded_database.SUPERUSER), autocommit=True) as connection:
            connection.execute(statement.encode())

    def state(self, batch_id: int) -> str:
        return str(self.ask("select state from activity_batch where id = %(id)s", {"id": batch_id})[0][0])

    def books(self) -> dict[str, object]:
        """Return what stands in every table that a posting writes to."""
        return {name: self.ask(statement)[0][0] for name, statement in BOOKS.items()}

    def at_work(self) -> int | None:
        """Return the batch that the newest worker has taken up."""
        found = self.ask(
            "select (args->>'batch_id')::bigint from procrastinate_jobs where status = 'doing' and "
            "task_name = 'activity.post_batch' and worker_id = (select max(id) from procrastinate_workers)"
        )
        return int(found[0][0]) if found else None

    def jobs(self) -> list[tuple[Any, ...]]:
        return self.ask(
            "select args->>'batch_id', status::text, attempts from procrastinate_jobs where task_name = 'activity.post_batch'"
        )

    def await_nobody(self) -> None:
        """Wait until the server has seen that its clients are gone, and has undone what they left open."""
        self.wait(
            "the dead worker's transaction to end",
            lambda: (
                self.ask(
                    "select count(*) from pg_stat_activity where datname = 'tanpuhui' and usename = 'tanpuhui_app'"
                )
                == [(0,)]
            ),
        )

    def wait(self, what: str, holds: Callable[[], bool], *, seconds: float = WAIT_S) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}\n{self.jobs()}\n{self.logs()}"
            time.sleep(0.2)

    def await_posted(self, *batches: int) -> None:
        self.wait(
            f"{batches} to be posted",
            lambda: all(self.state(one) == "posted" for one in batches),
            seconds=LONG_WAIT_S,
        )

    def invariants(self) -> str:
        """Check everything that must always hold, as an operator would; fail on a breach."""
        return self.run("-m", COMMANDS, "invariants")

    def logs(self) -> str:
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def end(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> None:
        """Kill a process with all that it started, such as the workers of a web server."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(WAIT_S)
        self.processes.remove(process)

    def close(self) -> None:
        for process in tuple(self.processes):
            self.end(process)
        embedded_database.remove(self.folder / "database")


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
