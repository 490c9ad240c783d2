"""The commands of docs/proof.md are run as they are printed, so that a stranger can follow them."""

from __future__ import annotations

import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from tests.unit.books.transparency.samples import sample

PAGE = Path(__file__).resolve().parents[4] / "docs" / "proof.md"


def _commands() -> str:
    section = (
        PAGE.read_text("utf-8").partition("## Without our program")[2].partition("## Watching the log")[0]
    )
    return textwrap.dedent(
        "\n".join(line for line in section.splitlines() if line.startswith("    ") or not line)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a certificate and the published keys, where openssl knows SM2."""
    if shutil.which("openssl") is None or shutil.which("python3") is None:
        pytest.skip("openssl or python3 is not installed: the page's commands cannot be run here")
    listed = subprocess.run(["openssl", "ecparam", "-list_curves"], capture_output=True, check=False)
    if b"SM2" not in listed.stdout:
        pytest.skip("this openssl has no SM2: the page's commands cannot be run here")
    (tmp_path / "certificate.json").write_bytes(sample().bundle)
    (tmp_path / "keys.json").write_bytes(sample().keys)
    return tmp_path


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", _commands()], cwd=folder, capture_output=True, text=True, check=False
    )


def test_openssl_accepts_the_head_by_the_commands_of_the_page(folder: Path) -> None:
    done = _run(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Signature Verified Successfully") == 2


def test_openssl_refuses_a_changed_head_by_the_commands_of_the_page(folder: Path) -> None:
    changed = sample().bundle.replace(b'"number":12', b'"number":13')
    assert changed != sample().bundle
    (folder / "certificate.json").write_bytes(changed)
    assert _run(folder).returncode != 0
