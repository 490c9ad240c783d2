"""The worked cases of every shipped methodology as records for the SQL back ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.science.engine.made_up import folder, library

from tanpuhui.science.engine import MethodologyVersion, load_version, sql
from tanpuhui.science.engine.cases import read_cases
from tanpuhui.science.engine.dialects import DialectName

SQL_PATHS = [path for path in library() if not load_version(folder(path)).interpreter_only]


def case_records(
    path: Path, dialect: DialectName, relation: str
) -> Iterator[tuple[str, MethodologyVersion, str, dict[str, Any]]]:
    """Yield code, version with its parameter set, its SQL and the whole record of every case that is calculated."""
    files, versions, queries = folder(path), dict[str, MethodologyVersion](), dict[str, str]()
    for case in read_cases(files):
        name = case.parameter_set.code if case.parameter_set is not None else ""
        if name not in versions:
            versions[name] = load_version(files, parameter_set=case.parameter_set)
        version = versions[name]
        if version.runnable:
            if name not in queries:
                queries[name] = sql(version, dialect, relation)
            codes = [item.code for item in (*version.fields, *version.groups)]
            yield case.code, version, queries[name], {code: case.inputs.get(code) for code in codes}


def columns(version: MethodologyVersion, types: dict[str, str], rows_type: str = "") -> list[str]:
    """Return the columns of a version's relation; rows as `rows_type`, or as a list of structs."""
    found = [f'"{item.code}" {types[item.kind]}' for item in version.fields]
    for group in version.groups:
        struct = ", ".join(f'"{item.code}" {types[item.kind]}' for item in group.fields)
        found.append(f'"{group.code}" {rows_type or f"STRUCT({struct})[]"}')
    return found
