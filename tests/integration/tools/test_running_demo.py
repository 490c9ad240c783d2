"""The running half of `make demo`, with its real database and web server and a very small product in place of ours.

The product is written to a temporary working copy: what is tested here is starting, waiting, stopping and recovering.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.working_copy import ROOT

from tanpuhui.config import embedded_database

pytestmark = pytest.mark.slow

COMMANDS = """
import os, sys, time
from pathlib import Path

notes = Path(os.environ["TANPUHUI_DATA_DIR"]) / "notes"
with notes.open("a") as file:
    file.write(" ".join(sys.argv[1:]) + " as " + os.environ["DATABASE_URL"].split("@")[0].split("//")[1] + "\\n")
if " ".join(sys.argv[1:]) == os.environ.get("FAILING_STEP"):
    print("the step says why")
    raise SystemExit(3)
if sys.argv[1] == "worker":
    time.sleep(600)
if sys.argv[1:] == ["demo", "logins"]:
    print("citizen 13900000000")
"""
WSGI = """
import os

def application(environ, start_response):
    if os.environ.get("WEB_ENDS"):
        os._exit(9)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"well"]
"""


class Stage:
    """A working copy with the real tools and launcher, and a product of three files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "var"
        self.notes = self.data / "notes"
        self.processes = self.data / "demo-processes.json"
        source = root / "src" / "tanpuhui"
        shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        for path in ("config/embedded_binaries.py", "config/embedded_database.py"):
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "src" / "tanpuhui" / path, source / path)
        errors = Path("foundation/kernel/errors.py")
        (source / errors).parent.mkdir(parents=True)
        shutil.copy(ROOT / "src" / "tanpuhui" / errors, source / errors)
        (source / "config" / "wsgi.py").write_text(WSGI)
        (source / "interfaces" / "commands").mkdir(parents=True)
        (source / "interfaces" / "commands" / "main.py").write_text(COMMANDS)
        for folder in [source, *(path for path in source.rglob("*") if path.is_dir())]:
            (folder / "__init__.py").touch()
        (root / ".venv").symlink_to(sys.prefix)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.runs: list[subprocess.Popen[str]] = []

    def start(self, **variables: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
        environment |= {"PYTHONPATH": str(self.root / "src"), "PORT": str(self.port), **variables}
        environment["TANPUHUI_DATA_DIR"] = str(self.data)
        run = subprocess.Popen(
            [str(self.root / ".venv" / "bin" / "python"), "-m", "tools.running_demo"],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.runs.append(run)
        return run

    def until_ready(self, run: subprocess.Popen[str]) -> str:
        shown = ""
        assert run.stdout is not None
        for line in run.stdout:
            shown += line
            if "ready;" in line:
                return shown
        raise AssertionError(shown)

    def answers(self) -> bool:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://127.0.0.1:{self.port}/", timeout=5) as response:
                return response.read() == b"well"
        except OSError:
            return False

    def parts(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.processes.read_text())
        return found


@pytest.fixture
def stage() -> Iterator[Stage]:
    folder = Path(tempfile.mkdtemp(prefix="tph-demo-"))
    folder.chmod(0o755)
    made = Stage(folder)
    yield made
    for run in made.runs:
        if run.poll() is None:
            run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
    embedded_database.remove(made.data / "database")
    shutil.rmtree(folder, ignore_errors=True)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_then_ends_everything_it_started(stage: Stage, number: signal.Signals) -> None:
    run = stage.start()
    shown = stage.until_ready(run)
    assert "citizen 13900000000" in shown
    assert stage.answers()
    assert stage.notes.read_text().splitlines()[:2] == [
        "migrate as tanpuhui_owner",
        "demo seed as tanpuhui_app",
    ]
    parts = stage.parts()
    assert set(parts) == {"web", "worker"}
    run.send_signal(number)
    assert run.wait(30) == 0
    assert all(gone(pid) for pid in parts.values())
    assert not stage.answers()
    assert embedded_database.status(stage.data / "database") == "stopped"


def test_after_a_kill_the_next_run_ends_what_was_left_and_serves_again(stage: Stage) -> None:
    killed = stage.start()
    stage.until_ready(killed)
    left = stage.parts()
    killed.kill()
    killed.wait()
    assert stage.answers()
    again = stage.start()
    assert "interrupted demonstration" in stage.until_ready(again)
    assert stage.answers()
    assert all(gone(pid) for pid in left.values())


def test_a_second_run_is_refused_and_the_first_goes_on(stage: Stage) -> None:
    first = stage.start()
    stage.until_ready(first)
    said, _ = stage.start().communicate(timeout=30)
    assert "already runs from this folder" in said
    assert stage.answers()


def test_a_step_that_fails_is_named_and_everything_is_ended(stage: Stage) -> None:
    run = stage.start(FAILING_STEP="migrate")
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "the step says why" in said
    assert "run make demo again" in said
    assert "Traceback" not in said
    assert embedded_database.status(stage.data / "database") == "stopped"


def test_a_worker_that_ends_is_named_with_its_last_lines_and_the_web_part_is_ended(stage: Stage) -> None:
    run = stage.start(FAILING_STEP="worker")
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "The worker process ended by itself" in said
    assert "the step says why" in said
    assert not stage.answers()


def test_a_port_taken_meanwhile_is_named_before_the_database_is_started(stage: Stage) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", stage.port))
        other.listen()
        run = stage.start()
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert f"Port {stage.port} is in use" in said
    assert not (stage.data / "database").exists()


def steps(stage: Stage) -> list[str]:
    words = [line.partition(" as ")[0] for line in stage.notes.read_text().splitlines()]
    return [word for word in words if word in {"migrate", "demo seed"}]


def serve_once(stage: Stage) -> float:
    began = time.monotonic()
    run = stage.start()
    assert "citizen 13900000000" in stage.until_ready(run)
    taken = time.monotonic() - began
    run.send_signal(signal.SIGTERM)
    run.wait(30)
    return taken


def test_the_second_start_skips_what_the_first_did_and_takes_seconds(stage: Stage) -> None:
    serve_once(stage)
    assert serve_once(stage) < 10
    assert steps(stage) == ["migrate", "demo seed"]


def test_changed_code_and_a_new_database_are_migrated_and_seeded_again(stage: Stage) -> None:
    serve_once(stage)
    (stage.root / "src" / "tanpuhui" / "models.py").write_text("# another table\n")
    serve_once(stage)
    embedded_database.remove(stage.data / "database")
    serve_once(stage)
    assert steps(stage) == ["migrate", "demo seed"] * 3


def test_a_seed_that_failed_is_tried_again(stage: Stage) -> None:
    stage.start(FAILING_STEP="demo seed").communicate(timeout=60)
    serve_once(stage)
    assert steps(stage) == ["migrate", "demo seed"] * 2
