"""What is installed is skipped, what changed is not, and a failure is named."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tools import environment
from tools.sentences import SetupRefusal
from tools.working_copy import WorkingCopy, only_one, refuse_unwritable, setup_lock, working_copy

FIND_PYTHON = Path(environment.__file__).with_name("find_python.sh")


@pytest.fixture
def copy(tmp_path: Path) -> WorkingCopy:
    for lock in (environment.RUNTIME_LOCK, environment.DEVELOPMENT_LOCK):
        (tmp_path / lock).write_text(f"# {lock}\n")
    return WorkingCopy(root=tmp_path, data=tmp_path / "var")


def stamped(copy: WorkingCopy, lock: str) -> dict[str, object]:
    return {"place": environment._place(copy), "locks": {lock: environment._digest(copy.root / lock)}}


def test_an_unchanged_lock_is_not_installed_again(copy: WorkingCopy) -> None:
    stamp = stamped(copy, environment.RUNTIME_LOCK)
    assert environment._installed(copy, stamp, environment.RUNTIME_LOCK)


def test_a_changed_lock_is_installed_again(copy: WorkingCopy) -> None:
    stamp = stamped(copy, environment.RUNTIME_LOCK)
    (copy.root / environment.RUNTIME_LOCK).write_text("changed\n")
    assert not environment._installed(copy, stamp, environment.RUNTIME_LOCK)


def test_the_development_lock_serves_the_demonstration_but_not_the_other_way_round(copy: WorkingCopy) -> None:
    assert environment._installed(copy, stamped(copy, environment.DEVELOPMENT_LOCK), environment.RUNTIME_LOCK)
    assert not environment._installed(
        copy, stamped(copy, environment.RUNTIME_LOCK), environment.DEVELOPMENT_LOCK
    )


def test_an_install_that_was_interrupted_is_not_taken_for_done(copy: WorkingCopy) -> None:
    assert not environment._installed(copy, {"place": environment._place(copy)}, environment.RUNTIME_LOCK)


def test_a_damaged_stamp_counts_as_none(copy: WorkingCopy) -> None:
    copy.environment.mkdir()
    (copy.environment / environment.STAMP).write_text('{"place": ')
    assert environment._read_stamp(copy) == {}


def test_a_missing_network_is_told_from_a_bad_package(copy: WorkingCopy) -> None:
    offline = environment._install_refusal(
        "requirements.txt", "Max retries exceeded with url: /simple/django/"
    )
    silent = environment._install_refusal(
        "requirements.txt", "requirement django==5.2.19 (from versions: none)"
    )
    broken = environment._install_refusal("requirements.txt", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES")
    assert "check the network" in offline.en
    assert "check the network" in silent.en
    assert "DO NOT MATCH THE HASHES" in broken.en


def test_the_development_lock_holds_every_version_of_the_runtime_lock() -> None:
    root = working_copy({}).root

    def pins(lock: str) -> set[str]:
        lines = (root / lock).read_text(encoding="utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}

    runtime = pins(environment.RUNTIME_LOCK)
    assert runtime
    assert runtime <= pins(environment.DEVELOPMENT_LOCK)


def python_of(version: str, folder: Path) -> Path:
    """Make a program that behaves as a Python of that version where find_python.sh looks."""
    program = folder / f"python-{version}"
    enough = tuple(map(int, version.split("."))) >= (3, 11)
    program.write_text(f"#!/bin/sh\necho {program if enough else ''}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("version", "status"), [("3.10", 1), ("3.11", 0), ("3.13", 0)])
def test_a_python_older_than_3_11_is_refused_in_one_sentence(
    tmp_path: Path, version: str, status: int
) -> None:
    named = {"PATH": os.environ["PATH"], "PYTHON": str(python_of(version, tmp_path))}
    ended = subprocess.run(
        ["/bin/sh", str(FIND_PYTHON)], env=named, capture_output=True, text=True, check=False
    )
    assert ended.returncode == status
    assert len(ended.stderr.splitlines()) == (2 if status else 0)
    assert ("No Python 3.11 or newer" in ended.stderr) is bool(status)


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupRefusal, match="cannot be written"):
        refuse_unwritable(WorkingCopy(root=tmp_path, data=tmp_path / "file" / "var"))


def test_the_second_to_come_is_told_who_is_at_work(copy: WorkingCopy) -> None:
    path, refusal = setup_lock(copy)
    second = pytest.raises(SetupRefusal, match="is installing in this folder")
    with only_one(path, refusal), second, only_one(path, refusal):
        pass
    with only_one(path, refusal):
        pass


def test_the_data_folder_moves_with_its_variable(tmp_path: Path) -> None:
    assert working_copy({"TANPUHUI_DATA_DIR": str(tmp_path)}).data == tmp_path
    assert working_copy({}).data == working_copy({}).root / "var"


def test_the_stamp_is_written_whole(copy: WorkingCopy) -> None:
    copy.environment.mkdir()
    environment._write_stamp(copy, {"place": "here"})
    assert json.loads((copy.environment / environment.STAMP).read_text()) == {"place": "here"}
    assert [path.name for path in copy.environment.iterdir()] == [environment.STAMP]
