"""The import contracts hold, and each of them can fail: every one is broken on purpose in a copy of the source."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".importlinter"

VIOLATIONS: dict[str, tuple[str, str]] = {
    "wings": ("foundation/audit/queries.py", "from tanpuhui.books.ledger import queries as _upwards"),
    "foundation": (
        "foundation/keys/queries.py",
        "from tanpuhui.foundation.workflow import queries as _upwards",
    ),
    "books": (
        "books/ledger/queries/__init__.py",
        "from tanpuhui.books.transparency import queries as _sideways",
    ),
    "science": ("science/engine/tree.py", "from tanpuhui.science.methodology import queries as _upwards"),
    "behaviour": (
        "behaviour/activity/queries/__init__.py",
        "from tanpuhui.behaviour.carbon_accounts import queries as _upwards",
    ),
    "credits": ("credits/projects/queries.py", "from tanpuhui.credits.registry import queries as _upwards"),
    "uses": ("uses/__init__.py", ""),
    "faces": ("interfaces/portal/urls.py", "from tanpuhui.interfaces.workbench import urls as _sideways"),
    "inside": ("credits/registry/domain.py", "from tanpuhui.credits.registry import queries as _upwards"),
    "demonstration": (
        "interfaces/commands/demonstration/living.py",
        "from django.db import connection as _past_the_doors",
    ),
    "purity": ("foundation/kernel/calendar.py", "import django.utils.timezone as _clock"),
}
"""Contract → the module that is spoilt and the line that spoils it. `uses` is spoilt by a room nobody planned."""

FOREIGN = "interfaces/portal/urls.py"


def contracts() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(CONFIG, encoding="utf-8")
    return [name.rsplit(":", 1)[1] for name in parser.sections() if ":contract:" in name]


def lint(folder: Path, *only: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    choice = [argument for name in only for argument in ("--contract", name)]
    return subprocess.run(
        [sys.executable, "-c", program, "--config", str(CONFIG), "--no-cache", *choice],
        cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_all_contracts_hold() -> None:
    outcome = lint(ROOT / "src")
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", contracts())
def test_a_contract_can_fail(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "src"
    shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    if name == "uses":
        (copy / "tanpuhui" / "uses" / "unplanned.py").write_text(
            '"""A room nobody planned."""\n', encoding="utf-8"
        )
    else:
        if name.startswith("privacy_"):
            parser = configparser.ConfigParser()
            parser.read(CONFIG, encoding="utf-8")
            module = parser[f"importlinter:contract:{name}"]["protected_modules"].split()[0]
            where, line = FOREIGN, f"import {module} as _private"
        else:
            where, line = VIOLATIONS[name]
        spoilt = copy / "tanpuhui" / where
        spoilt.write_text(f"{spoilt.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    outcome = lint(copy, name)
    assert outcome.returncode != 0, outcome.stdout
    assert "BROKEN" in outcome.stdout or "exhaustive" in outcome.stdout.lower()
