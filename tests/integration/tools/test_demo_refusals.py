"""What goes wrong at the start of `make demo` gets one sentence in each language, and nothing is left half done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools import demo
from tools.sentences import SetupRefusal
from tools.working_copy import ROOT, WorkingCopy, demo_lock, only_one


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((demo.HOST, 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def start_demo(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env={**os.environ, "TANPUHUI_DATA_DIR": str(data), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def assert_one_sentence(ended: subprocess.CompletedProcess[str], words: str) -> None:
    assert ended.returncode == 1
    zh, en = ended.stderr.splitlines()
    assert any("一" <= sign <= "鿿" for sign in zh)
    assert words in en
    assert "Traceback" not in ended.stderr


def test_a_busy_port_is_named(tmp_path: Path, busy_port: int) -> None:
    ended = start_demo(tmp_path, PORT=str(busy_port))
    assert_one_sentence(ended, f"Port {busy_port} is in use")


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    assert_one_sentence(start_demo(tmp_path, PORT="http"), "PORT=http is no port")


def test_a_free_port_is_accepted(busy_port: int) -> None:
    with pytest.raises(SetupRefusal):
        demo.refuse_busy_port(busy_port)
    with socket.socket() as probe:
        probe.bind((demo.HOST, 0))
        free = probe.getsockname()[1]
    demo.refuse_busy_port(free)


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_one_sentence(start_demo(tmp_path / "file"), f"The folder {tmp_path / 'file'} cannot be written")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_data_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert_one_sentence(start_demo(tmp_path), "cannot be written")


def test_a_second_demo_from_the_same_folder_is_refused(tmp_path: Path) -> None:
    path, refusal = demo_lock(WorkingCopy(root=ROOT, data=tmp_path))
    with only_one(path, refusal):
        assert_one_sentence(start_demo(tmp_path), "already runs from this folder")
