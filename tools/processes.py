"""Child processes, each the head of its own group, ended by their ids and remembered over a crash of ours."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_S = 10.0


@dataclass
class Processes:
    """The processes one run has started; `record` is the file that lets the next run find what a crash left behind."""

    record: Path
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a command in a group of its own; with `log` its output goes there, else to ours."""
        output = log.open("wb") if log else None
        try:
            process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if log else None,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        self.started[name] = process
        self._write_record()
        return process

    def run(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path | None = None
    ) -> int:
        """Run a command to its end and return its status; it is ended like the others when we are told to stop."""
        process = self.start(name, command, env=env, cwd=cwd, log=log)
        status = process.wait()
        del self.started[name]
        self._write_record()
        return status

    def ended(self) -> str | None:
        """Return the name of a process that has ended by itself, or None."""
        for name, process in self.started.items():
            if process.poll() is not None:
                return name
        return None

    def stop(self) -> None:
        """End every group politely, then by force those that stay."""
        for process in self.started.values():
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for process in self.started.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self.started.values():
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        self.started.clear()
        self.record.unlink(missing_ok=True)

    def stop_left_over(self, *, marker: str) -> list[str]:
        """End what an earlier run recorded and could not end, if it still is that command; return the names."""
        try:
            recorded: dict[str, int] = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        ended = []
        for name, pid in recorded.items():
            if marker in command_line(pid):
                _signal_group(pid, signal.SIGTERM)
                deadline = time.monotonic() + GRACE_S
                while marker in command_line(pid) and time.monotonic() < deadline:
                    time.sleep(0.1)
                _signal_group(pid, signal.SIGKILL)
                ended.append(name)
        self.record.unlink(missing_ok=True)
        return ended

    def _write_record(self) -> None:
        half = self.record.with_suffix(".half")
        half.write_text(
            json.dumps({name: process.pid for name, process in self.started.items()}), encoding="utf-8"
        )
        half.rename(self.record)


def command_line(pid: int) -> str:
    """Return the command line of a process, or an empty text when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    asked = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
