"""Whatever a run starts is ended: by it, or by the next run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tools.processes import Processes, command_line

SLEEPER = "import time; time.sleep(120)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); import time; time.sleep(120)"
STUBBORN = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(120)"
)


def started(folder: Path, program: str, name: str = "part") -> tuple[Processes, subprocess.Popen[bytes]]:
    processes = Processes(record=folder / "processes.json")
    command = [sys.executable, "-c", program, str(folder)]
    return processes, processes.start(name, command, env=os.environ, cwd=folder, log=folder / "log")


def group_members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, _parent, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(entry.name))
    return found


def wait_for(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="counts processes in /proc")
def test_stopping_ends_the_children_of_a_part_too(tmp_path: Path) -> None:
    processes, part = started(tmp_path, PARENT)
    wait_for(lambda: len(group_members(part.pid)) == 2)
    processes.stop()
    wait_for(lambda: group_members(part.pid) == [])
    assert not processes.record.exists()


def test_a_part_that_does_not_listen_is_ended_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.processes.GRACE_S", 0.3)
    processes, part = started(tmp_path, STUBBORN)
    wait_for(lambda: "deaf" in (tmp_path / "log").read_text())
    processes.stop()
    assert part.returncode == -9


def test_a_part_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    processes, part = started(tmp_path, "raise SystemExit(7)", name="web")
    part.wait(10)
    assert processes.ended() == "web"
    processes.stop()


def test_the_next_run_ends_what_a_crashed_run_left_behind(tmp_path: Path) -> None:
    crashed, part = started(tmp_path, SLEEPER, name="web")
    wait_for(lambda: str(tmp_path) in command_line(part.pid))
    assert Processes(record=crashed.record).stop_left_over(marker=str(tmp_path)) == ["web"]
    assert part.wait(10) < 0
    assert not crashed.record.exists()


def test_a_strangers_process_with_a_recorded_number_is_left_alone(tmp_path: Path) -> None:
    crashed, part = started(tmp_path, SLEEPER)
    try:
        assert Processes(record=crashed.record).stop_left_over(marker="/another/working/copy") == []
        assert part.poll() is None
    finally:
        crashed.stop()


def test_a_step_returns_its_status_and_is_forgotten(tmp_path: Path) -> None:
    processes = Processes(record=tmp_path / "processes.json")
    command = [sys.executable, "-c", "raise SystemExit(4)"]
    assert processes.run("step", command, env=os.environ, cwd=tmp_path) == 4
    assert processes.started == {}


def test_a_command_line_is_read_and_an_ended_one_is_empty(tmp_path: Path) -> None:
    processes, part = started(tmp_path, SLEEPER)
    wait_for(lambda: str(tmp_path) in command_line(part.pid))
    processes.stop()
    assert command_line(part.pid) == ""
