"""`make demo` in a fresh clone, as it starts for somebody who has nothing else of ours, and is ended with Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.journeys.place import ROOT, Place

from tanpuhui.config import embedded_database

READY_WITHIN_S = 600
"""A slow machine with nothing in its caches gets its packages first."""
STOPPED_WITHIN_S = 60
OURS = ("DATABASE_", "DJANGO_", "TANPUHUI_", "PYTEST_", "PYTHONPATH", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PORT")
"""What a test run sets and a person's shell does not."""
PASSWORD = re.compile(r"password of every organisation's person: (\S+)")


@dataclass(frozen=True, kw_only=True)
class Demonstration(Place):
    """A demonstration that runs: its clone, what it printed, and the process that a Ctrl-C reaches."""

    clone: Path
    said: Path
    run: subprocess.Popen[bytes]

    @property
    def today(self) -> date:
        """The day on which its story ends."""
        told = json.loads((self.data / "demonstration.json").read_text("utf-8"))
        return date.fromisoformat(told["today"])

    @property
    def logins(self) -> dict[str, str]:
        """Role by user name or phone, as printed."""
        lines = (re.split(r"\s{2,}", line.strip()) for line in self.said.read_text("utf-8").splitlines())
        return {cells[0]: cells[2] for cells in lines if len(cells) == 4}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `tanpuhui` beside it, as somebody in the clone does."""
        return subprocess.run(
            [str(self.clone / ".venv" / "bin" / "tanpuhui"), *words],
            cwd=self.clone,
            env=shell_of_somebody(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def stop(self) -> None:
        """Press Ctrl-C, which reaches everything that runs in the foreground."""
        os.killpg(self.run.pid, signal.SIGINT)
        self.run.wait(STOPPED_WITHIN_S)

    def processes(self) -> dict[int, str]:
        """Return the processes that stand in the clone or were started from it, whoever their parent is by now."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if command and str(self.clone) in f"{(entry / 'cwd').readlink()} {command}":
                    found[int(entry.name)] = command
        return found

    def listens(self) -> bool:
        """Say whether anything answers at its address."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.url.rpartition(":")[2]))) == 0


@contextmanager
def fresh_clone() -> Iterator[Path]:
    """Give a clone of this repository's last commit; where something is changed or there is no git, of the files as they are.

    What git ignores does not come along: no environment, no data, no front-end files.
    """
    # Not in pytest's folder, which only its owner may enter: started by root, the database runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="tph-clone-"))
    folder.chmod(0o755)
    clone = folder / "tanpuhui"
    try:
        if _nothing_changed():
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        else:
            ignored = (ROOT / ".gitignore").read_text("utf-8").split()
            left_out = shutil.ignore_patterns(".git", *(name.rstrip("/") for name in ignored))
            shutil.copytree(ROOT, clone, ignore=left_out)
        yield clone
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _nothing_changed() -> bool:
    try:
        asked = subprocess.run(
            ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return False
    return asked.returncode == 0 and not asked.stdout.strip()


def shell_of_somebody() -> dict[str, str]:
    """Return the environment without what the test run set in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@contextmanager
def demonstrated() -> Iterator[Demonstration]:
    """Run `make demo` in a fresh clone until it says that it is ready; at the end nothing of it is left."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with fresh_clone() as clone:
        said = clone.parent / "said"
        with said.open("wb") as output:
            run = subprocess.Popen(
                ["make", "demo"],
                cwd=clone,
                env={**shell_of_somebody(), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            printed = _until_ready(run, said)
            password = PASSWORD.search(printed)
            assert password is not None, printed
            yield Demonstration(
                url=f"http://127.0.0.1:{port}",
                data=clone / "var",
                password=password[1],
                clone=clone,
                said=said,
                run=run,
            )
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGTERM)
            run.wait(STOPPED_WITHIN_S)
            embedded_database.remove(clone / "var" / "database")


def _until_ready(run: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + READY_WITHIN_S
    while "ready; Ctrl-C" not in (printed := said.read_text("utf-8", errors="replace")):
        assert run.poll() is None, f"make demo ended:\n{printed}"
        assert time.monotonic() < deadline, f"make demo was not ready:\n{printed}"
        time.sleep(0.2)
    return printed
