"""The gates a change passes: each prints one line with its time, and what it found if it found something.

`lint` runs the static gates; `check` adds the tests without the slow ones and the browser; `test` adds those too;
`proof` runs the slow ones and those that take minutes each. The tests come last and run even when a gate has failed, so that one run tells all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tanpuhui.config import embedded_database
from tanpuhui.foundation.kernel.errors import Refusal
from tools.sentences import SetupRefusal
from tools.working_copy import WorkingCopy, working_copy

TEST_SETTINGS = "tanpuhui.config.settings.test"
OUTPUT_LINES_MAX = 80
SELECTIONS: dict[str, list[str] | None] = {
    "lint": None,
    "check": ["-m", "not slow and not proof and not journey"],
    "test": ["-m", "not proof"],
    "proof": ["-m", "slow or proof"],
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Gate:
    """One thing that judges the tree without running the product."""

    name: str
    command: Sequence[str]


def static_gates(root: Path) -> list[Gate]:
    """Return the gates, slowest first: format, lint, types, import contracts, templates, migrations."""
    python = sys.executable
    bin_folder = Path(python).parent
    templates = sorted(str(path.relative_to(root)) for path in (root / "src").rglob("templates/**/*.html"))
    gates = [
        Gate("types", [python, "-m", "mypy", "src", "tools"]),
        Gate(
            "migrations in step",
            [python, "-m", "django", "makemigrations", "--check", "--dry-run", "-v", "1"],
        ),
        Gate("import contracts", [str(bin_folder / "lint-imports")]),
        Gate("format", [python, "-m", "ruff", "format", "--check", "."]),
        Gate("lint", [python, "-m", "ruff", "check", "."]),
    ]
    if templates:
        gates += [
            Gate(
                "template format",
                [str(bin_folder / "djade"), "--target-version", "5.2", "--check", *templates],
            ),
            Gate("template lint", [python, "-m", "djlint", "--lint", "--quiet", *templates]),
        ]
    return gates


def run_gates(gates: Sequence[Gate], *, root: Path, environment: dict[str, str]) -> list[str]:
    """Run the gates two at a time, print a line for each, and return the names of those that failed."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = {pool.submit(_judge, gate, root, environment): gate for gate in gates}
        for done in as_completed(running):
            gate = running[done]
            status, output, seconds = done.result()
            print(f"{'ok  ' if status == 0 else 'FAIL'} {seconds:6.1f} s  {gate.name}", flush=True)
            if status != 0:
                failed.append(gate.name)
                lines = output.rstrip().splitlines()
                print("\n".join(lines[:OUTPUT_LINES_MAX]))
                if len(lines) > OUTPUT_LINES_MAX:
                    print(
                        f"… {len(lines) - OUTPUT_LINES_MAX} more lines: {' '.join(map(str, gate.command[:6]))}"
                    )
    return failed


def _judge(gate: Gate, root: Path, environment: dict[str, str]) -> tuple[int, str, float]:
    began = time.monotonic()
    done = subprocess.run(
        gate.command,
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - began


@contextlib.contextmanager
def throwaway_database(copy: WorkingCopy) -> Iterator[str]:
    """Give out the address of a fresh, fast, non-durable server, removed afterwards; `DATABASE_URL` names another."""
    named = os.environ.get("DATABASE_URL")
    if named:
        yield named
        return
    remove_left_over(copy)
    folder = copy.data / f"test-database-{os.getpid()}"
    try:
        cluster = embedded_database.start(folder, fast=True)
        yield cluster.url(embedded_database.SUPERUSER, database="postgres")
    finally:
        with contextlib.suppress(Refusal):
            embedded_database.remove(folder)


def remove_left_over(copy: WorkingCopy) -> None:
    """Remove the throwaway servers of runs that were killed."""
    for folder in copy.data.glob("test-database-*"):
        number = folder.name.rpartition("-")[2]
        if number.isdigit() and not _alive(int(number)):
            with contextlib.suppress(Refusal):
                embedded_database.remove(folder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def browser() -> str | None:
    """Return the Chromium for browser tests: `TANPUHUI_CHROMIUM`, else the first on the path, or None."""
    named = os.environ.get("TANPUHUI_CHROMIUM")
    if named:
        return named
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def pytest_command(
    name: str, selection: Sequence[str], chromium: str | None, extra: Sequence[str]
) -> list[str]:
    """Return the pytest call of a gate run; without Chromium the browser tests are left out, and a line says so."""
    arguments = list(selection)
    if chromium is None and name in {"test", "proof"}:
        print("没有 Chromium，跳过浏览器测试。/ No Chromium here: browser tests are skipped.", flush=True)
        arguments = ["-m", f"({arguments[1]}) and not journey" if arguments else "not journey"]
    # The last tests are the longest, and a worker that is done takes over half of what the other has left.
    return [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "worksteal",
        "-q",
        *arguments,
        *extra,
    ]


def _run(copy: WorkingCopy, name: str, extra: Sequence[str]) -> int:
    with throwaway_database(copy) as database_url, tempfile.TemporaryDirectory(prefix="tanpuhui-") as data:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": TEST_SETTINGS,
            "DATABASE_URL": database_url,
            "TANPUHUI_DATA_DIR": data,
        }
        failed = (
            []
            if name == "proof"
            else run_gates(static_gates(copy.root), root=copy.root, environment=environment)
        )
        selection = SELECTIONS[name]
        if failed:
            print(f"未通过 / failed: {', '.join(failed)}", flush=True)
        if selection is None:
            return 1 if failed else 0
        chromium = browser()
        if chromium:
            environment["TANPUHUI_CHROMIUM"] = chromium
        command = pytest_command(name, selection, chromium, extra)
        tested = subprocess.run(command, cwd=copy.root, env=environment, check=False).returncode
        return tested or (1 if failed else 0)


def main(arguments: Sequence[str]) -> int:
    """Run the named gates; further arguments go to pytest."""
    name = arguments[0] if arguments else "test"
    if name not in SELECTIONS:
        print(f"unknown: {name}; one of {', '.join(SELECTIONS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(working_copy(), name, arguments[1:])
    except Refusal as refusal:
        SetupRefusal(refusal.message("zh"), refusal.message("en")).show()
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
