"""The table engine (内存表): DuckDB in this process, without files of its own beyond spill, without extensions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

MEMORY_LIMIT = "4GB"


def open_tables(*, threads: int | None = None) -> Any:
    """Open an empty in-memory database; what does not fit the limit is spilled to the temporary folder."""
    config: dict[str, str | int] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(Path(tempfile.gettempdir()) / "tanpuhui-tables"),
        "preserve_insertion_order": "false",
    }
    if threads is not None:
        config["threads"] = threads
    return duckdb.connect(":memory:", config=config)


def quoted(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a quoted text constant."""
    return "'" + value.replace("'", "''") + "'"


def columns(names: Iterable[str], prefix: str = "") -> str:
    """Return quoted names as a list for SELECT, each from the relation named by the prefix."""
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def case(branches: Sequence[tuple[str, str]], otherwise: str = "null") -> str:
    """Return CASE WHEN … THEN … ELSE … END, or the otherwise where there are no branches."""
    if not branches:
        return otherwise
    whens = " ".join(f"when {test} then {value}" for test, value in branches)
    return f"case {whens} else {otherwise} end"
