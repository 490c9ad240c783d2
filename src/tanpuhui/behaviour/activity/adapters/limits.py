"""What holds for a file of any format (文件的界限): how large it may be, which columns it must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tanpuhui.behaviour.activity.domain import FileUnusable


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of a file in bytes, both of the uncompressed text."""

    file_bytes_max: int
    line_bytes_max: int


def check_header(header: Sequence[str], required: Sequence[str]) -> None:
    """Raise FileUnusable where a required column is missing or one stands twice."""
    missing = [name for name in required if name not in header]
    if missing:
        raise FileUnusable(fault="MISSING_COLUMN", at=", ".join(missing))
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise FileUnusable(fault="DUPLICATE_COLUMN", at=", ".join(twice))
