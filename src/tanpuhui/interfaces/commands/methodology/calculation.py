"""Calculating a block (逐块计算): plain rows by the version's SQL in DuckDB, the others by the interpreter that judges it.

DuckDB reads and writes no file here: a block comes in as an Arrow table and leaves as one. Nothing of the file and no
text of the version's author becomes SQL but what the engine compiles from a checked tree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tanpuhui.interfaces.commands.methodology.cells import sort_rows, values_of
from tanpuhui.interfaces.commands.methodology.inputs import Block
from tanpuhui.science.engine import MethodologyVersion, interpret, sql

RELATION = "records"
Judged = tuple[int, str | None, int | None, Any, str | None]


class Calculator:
    """Calculates the rows of one version, block by block."""

    def __init__(self, version: MethodologyVersion, tables: Any, *, exponents: bool) -> None:
        self._version = version
        self._tables = tables
        self._exponents = exponents
        # Functions and series are beyond any SQL: every row goes to the interpreter, one by one.
        self._query = None if version.interpreter_only else sql(version, "duckdb", RELATION)

    @property
    def schema(self) -> pa.Schema:
        """row_number, variant, grams (whole g CO2e), remainder_g (exact decimal), reason (null: it counts)."""
        places = self._version.remainder_places
        return pa.schema([
            ("row_number", pa.int64()), ("variant", pa.string()), ("grams", pa.int64()),
            ("remainder_g", pa.decimal128(places + 1, places)), ("reason", pa.string()),
        ])  # fmt: skip

    def calculate(self, block: Block) -> pa.Table:
        """Return one row of results for each row of the block, in the same order, unreadable rows left out."""
        rows = block.rows
        if self._query is None:
            return self._judged(rows, range(len(rows)))
        sorted_rows = sort_rows(rows, self._version)
        parts = [self._selected(sorted_rows.plain)] if len(sorted_rows.plain) else []
        if sorted_rows.odd:
            parts.append(self._judged(rows, sorted_rows.odd))
        if not parts:
            return self.schema.empty_table()
        return parts[0] if len(parts) == 1 else pa.concat_tables(parts).sort_by("row_number")

    def _selected(self, plain: pa.Table) -> pa.Table:
        self._tables.register(RELATION, plain)
        try:
            found = self._tables.sql(self._query).to_arrow_table()
        finally:
            self._tables.unregister(RELATION)
        found = found.rename_columns(
            ["row_number" if name == "row_no" else name for name in found.column_names]
        )
        found = found.select(self.schema.names).cast(self.schema)
        if found["row_number"].equals(plain["row_no"]):
            return found
        return found.sort_by("row_number")

    def _judged(self, rows: pa.Table, places: Any) -> pa.Table:
        cells = rows.take(pa.array(places, pa.int64())) if len(places) != len(rows) else rows
        judged = [self._judge(row) for row in cells.to_pylist()]
        columns = zip(*judged, strict=True) if judged else [()] * len(self.schema)
        arrays = [pa.array(column, item.type) for column, item in zip(columns, self.schema, strict=True)]
        return pa.table(arrays, schema=self.schema)

    def _judge(self, row: dict[str, Any]) -> Judged:
        number = row["row_number"]
        values, fault = values_of(row, self._version, exponents=self._exponents)
        if fault is not None:
            return number, None, None, None, fault
        result = interpret(self._version, values)
        grams = result.grams.value if result.grams is not None else None
        return number, result.variant, grams, result.remainder_g, result.reason


@contextlib.contextmanager
def open_engine(*, memory_bytes: int, spill: Path) -> Iterator[Any]:
    """Open an empty DuckDB in memory that can reach no file but its own spill, and no network."""
    config = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{memory_bytes // 1_000_000}MB",
        "temp_directory": str(spill),
        "python_enable_replacements": "false",
    }
    with duckdb.connect(":memory:", config=config) as tables:
        # Only now, because the place for the spill counts as access to files.
        tables.execute("set enable_external_access = false")
        tables.execute("set lock_configuration = true")
        yield tables
