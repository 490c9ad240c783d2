"""A gate says its name, its time and what it found; the whole run fails when one of them does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tools import gates
from tools.working_copy import ROOT, WorkingCopy

PASSES = gates.Gate("passes", [sys.executable, "-c", "print('quiet')"])
FAILS = gates.Gate("fails", [sys.executable, "-c", "print('line 1'); raise SystemExit(3)"])


def test_a_failed_gate_is_named_and_its_output_shown_and_the_others_still_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert gates.run_gates([FAILS, PASSES], root=tmp_path, environment=dict(os.environ)) == ["fails"]
    shown = capsys.readouterr().out
    assert "line 1" in shown
    assert "quiet" not in shown
    assert sum(line.startswith(("ok  ", "FAIL")) for line in shown.splitlines()) == 2


def test_a_long_output_is_cut_and_says_how_to_see_the_rest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    wordy = gates.Gate("wordy", [sys.executable, "-c", "print('x\\n' * 500); raise SystemExit(1)"])
    gates.run_gates([wordy], root=tmp_path, environment=dict(os.environ))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) <= gates.OUTPUT_LINES_MAX + 2
    assert "more lines" in shown


def test_the_static_gates_cover_format_lint_types_imports_templates_and_migrations() -> None:
    names = {gate.name for gate in gates.static_gates(ROOT)}
    assert names >= {"format", "lint", "types", "import contracts", "migrations in step"}
    assert bool(list((ROOT / "src").rglob("templates/**/*.html"))) is (
        {"template format", "template lint"} <= names
    )


def test_the_whole_suite_leaves_nothing_out_where_there_is_a_browser() -> None:
    command = gates.pytest_command("test", gates.SELECTIONS["test"] or [], "/usr/bin/chromium", [])
    assert (
        command[command.index("-m", 3) + 1] == "not proof"
    )  # those of minutes each have a command of their own


def test_without_a_browser_a_line_says_so_and_only_the_browser_tests_are_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = gates.pytest_command("test", gates.SELECTIONS["test"] or [], None, [])
    assert command[command.index("-m", 3) + 1] == "(not proof) and not journey"
    assert "browser tests are skipped" in capsys.readouterr().out


def test_the_quick_check_leaves_out_slow_and_browser_tests() -> None:
    selection = gates.SELECTIONS["check"]
    assert selection == ["-m", "not slow and not proof and not journey"]


def test_an_unknown_name_is_refused() -> None:
    assert gates.main(["chekc"]) == 2


def test_a_throwaway_server_left_by_a_killed_run_is_removed_and_a_living_ones_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []
    monkeypatch.setattr(gates.embedded_database, "remove", lambda folder: removed.append(folder.name))
    for pid in (os.getpid(), 2**22 + 1):
        (tmp_path / f"test-database-{pid}").mkdir()
    gates.remove_left_over(WorkingCopy(root=tmp_path, data=tmp_path))
    assert removed == [f"test-database-{2**22 + 1}"]


def test_a_named_server_is_used_and_none_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://named/db")
    with gates.throwaway_database(WorkingCopy(root=tmp_path, data=tmp_path)) as url:
        assert url == "postgresql://named/db"
    assert list(tmp_path.iterdir()) == []
