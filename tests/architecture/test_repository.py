"""What must not stand in the repository."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name.decode() for name in listing.stdout.split(b"\0") if name]


def test_lock_files_pin_hashes_and_carry_no_addresses() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text(encoding="utf-8")
        pinned = [line for line in text.splitlines() if re.match(r"^[a-z0-9]", line)]
        assert pinned, path.name
        assert all("==" in line for line in pinned), path.name
        assert text.count("--hash=sha256:") >= len(pinned)
        assert "://" not in text
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages)


def test_no_file_names_a_home_folder_or_a_temporary_job() -> None:
    pattern = re.compile(rb"(?<![\w.])/(?:root|home/\w+|tmp/bash_jobs)/")
    own = Path(__file__).resolve()
    assert [
        path.name
        for path in tracked()
        if path.is_file() and path != own and pattern.search(path.read_bytes())
    ] == []


def test_no_large_file_is_kept() -> None:
    assert [path.name for path in tracked() if path.is_file() and path.stat().st_size > 1_000_000] == []
