"""Whether this database was already migrated and seeded by exactly this code, so that a later start can skip both."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tools.working_copy import WorkingCopy

SOURCES = ("src/tanpuhui", "methodologies", "jurisdictions", "requirements.txt")
PASSED_OVER = {
    ".pyc",
    ".css",
    ".js",
    ".svg",
    ".html",
    ".mo",
    ".po",
}  # no table and no seed depends on how a page looks


def fingerprint(root: Path) -> str:
    """Return a hash over every file that a migration or the seed can depend on."""
    digest = hashlib.sha256()
    for source in SOURCES:
        place = root / source
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix not in PASSED_OVER:
                digest.update(f"{path.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_done(copy: WorkingCopy, database: str) -> bool:
    """Say whether the mark was made for this database (its own drawn number) and for the code as it is now."""
    try:
        mark = json.loads(_mark(copy).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(mark == {"database": database, "code": fingerprint(copy.root)})


def mark_done(copy: WorkingCopy, database: str) -> None:
    """Remember that this database is up to date with the code as it is now."""
    half = _mark(copy).with_suffix(".half")
    half.write_text(json.dumps({"database": database, "code": fingerprint(copy.root)}), encoding="utf-8")
    half.rename(_mark(copy))


def _mark(copy: WorkingCopy) -> Path:
    return copy.data / "demo-done.json"
