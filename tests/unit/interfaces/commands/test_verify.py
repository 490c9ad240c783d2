"""`tanpuhui verify` in a process of its own that has no Django, no network and no database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.books.transparency.samples import sample
from tests.unit.books.transparency.test_pool_inclusion import made

from tanpuhui.interfaces.commands import main as entry

SOURCE = Path(__file__).resolve().parents[4] / "src"

# Runs before the entry point: Django, the database driver and every socket are out of reach.
_CUT_OFF = """
import sys, builtins

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "psycopg", "procrastinate", "pgtrigger"}:
            raise ImportError(f"{name} is out of reach")

sys.meta_path.insert(0, Refuse())

def audit(event, arguments):
    if event.startswith("socket."):
        raise PermissionError(event)

sys.addaudithook(audit)
"""


def _run(folder: Path, *arguments: str, before: str = _CUT_OFF) -> subprocess.CompletedProcess[str]:
    program = before + "from tanpuhui.interfaces.commands.main import main\nsys.exit(main(sys.argv[1:]))\n"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a certificate and the published keys, and nothing else."""
    (tmp_path / "certificate.json").write_bytes(sample().bundle)
    (tmp_path / "keys.json").write_bytes(sample().keys)
    return tmp_path


VERIFY = ("verify", "certificate.json", "--keys", "keys.json")


def test_a_stranger_verifies_without_django_network_or_database(folder: Path) -> None:
    done = _run(folder, *VERIFY)
    assert done.returncode == 0, done.stderr
    assert "有效：截至第 12 号树头（共 7 叶）" in done.stdout
    assert "C-2026-000017" in done.stdout
    assert "30 tCO2e" in done.stdout


def test_a_stranger_verifies_that_somebodys_grams_are_in_a_pool(folder: Path) -> None:
    (folder / "certificate.json").write_bytes(made())
    done = _run(folder, *VERIFY)
    assert done.returncode == 0, done.stderr
    assert "减排量：105 g" in done.stdout
    (folder / "certificate.json").write_bytes(made().replace(b'"105"', b'"106"'))
    done = _run(folder, *VERIFY)
    assert done.returncode == 1
    assert "[IN_POOL]" in done.stdout
    assert "106 g" not in done.stdout


def test_the_cut_off_is_real(folder: Path) -> None:
    for statement in ("import django", "import socket; socket.socket()", "import psycopg"):
        done = _run(folder, before=_CUT_OFF + statement + "\n")
        assert done.returncode == 1
        assert "out of reach" in done.stderr or "PermissionError: socket." in done.stderr


def test_it_speaks_english_when_asked(folder: Path) -> None:
    done = _run(folder, *VERIFY, "--lang", "en")
    assert done.returncode == 0
    assert "VALID as of head 12 (7 leaves)" in done.stdout
    assert "later head" in done.stdout


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_changed_certificate_is_refused_and_its_claims_are_not_repeated(folder: Path, lang: str) -> None:
    changed = sample().bundle.replace("某会议组委会".encode(), "另一组委会".encode())
    (folder / "certificate.json").write_bytes(changed)
    done = _run(folder, *VERIFY, "--lang", lang)
    assert done.returncode == 1
    assert ("REFUSED" if lang == "en" else "不予认可") in done.stdout
    assert "[INCLUDED]" in done.stdout
    assert "另一组委会" not in done.stdout


def test_a_pending_proof_is_not_valid(folder: Path) -> None:
    (folder / "certificate.json").write_bytes(sample().pending)
    done = _run(folder, *VERIFY, "--lang", "en")
    assert done.returncode == 1
    assert "proof pending" in done.stdout


@pytest.mark.parametrize("name", ["certificate.json", "keys.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_input_that_cannot_be_read_is_unusable(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert _run(folder, *VERIFY).returncode == 2


def test_a_missing_file_is_unusable_and_named(folder: Path) -> None:
    (folder / "certificate.json").unlink()
    done = _run(folder, *VERIFY)
    assert done.returncode == 2
    assert "certificate.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_file_says_cannot_rewrite_the_screen(folder: Path) -> None:
    document = json.loads(sample().bundle)
    document["proof"]["signatures"]["ed25519"]["key_id"] = "\x1b[2J\u202e有效"
    (folder / "certificate.json").write_text(json.dumps(document))
    done = _run(folder, *VERIFY)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_an_unknown_command_prints_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["conjure"]) == 2
    shown = capsys.readouterr().err
    assert "conjure" in shown
    assert "verify" in shown
    assert "离线查验凭证" in shown


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    assert "verify" in capsys.readouterr().out
