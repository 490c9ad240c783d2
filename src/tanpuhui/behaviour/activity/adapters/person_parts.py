"""A file longer than a slice, parted by person (按人分片): all rows of one person come in one slice, whatever the file's order.

So a slice asks for each person, account-day and balance once, and rows that belong together are together. Rows lie on disk
between reading and posting, in a file without a name, sealed with a key that is only in memory: nobody can read it, also
not after a crash.
"""

from __future__ import annotations

import errno
import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tanpuhui.behaviour.activity.adapters._port import RowVerdict
from tanpuhui.behaviour.activity.adapters.tables import columns, open_tables
from tanpuhui.foundation.kernel.errors import StorageFull

PARTS = 256
"""Into so many parts rows fall by a hash of their person; a slice is made of whole parts."""
KEY_BITS = 256
_FAULTS = pa.schema(
    [("row_number", pa.int64()), ("reason", pa.string()), ("field", pa.string()), ("value", pa.string())]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parting:
    """How a long file is parted: at most so many rows a slice, by the columns that say whose a row is, through this folder."""

    rows_max: int
    person: tuple[str, ...]
    folder: Path


@dataclass(kw_only=True, slots=True)
class HeldRows:
    """The rows that were read and not passed on yet, and what was seen of the file so far."""

    rows: int = 0
    rows_seen: int = 0
    unreadable: int = 0
    first_fault: RowVerdict | None = None
    _tables: list[pa.Table] = field(default_factory=list)
    _faults: list[RowVerdict] = field(default_factory=list)

    def add(self, table: pa.Table, faults: Sequence[RowVerdict], *, unreadable: int) -> None:
        """Keep rows, and how many of the faults are of a wrong encoding."""
        self._tables.append(table)
        self._faults.extend(faults)
        self.rows += table.num_rows + len(faults)
        self.rows_seen += table.num_rows + len(faults)
        self.unreadable += unreadable
        self.first_fault = self.first_fault or next(iter(faults), None)

    def take(self) -> tuple[pa.Table, list[RowVerdict]]:
        """Give what is held away."""
        table = pa.concat_tables(self._tables, promote_options="default")
        faults = self._faults
        self.rows, self._tables, self._faults = 0, [], []
        return table, faults


@dataclass(kw_only=True, slots=True)
class SliceRows:
    """The rows of a slice and the rows that are no records."""

    table: pa.Table
    faults: list[RowVerdict]

    @property
    def rows(self) -> int:
        """Return how many rows of the file these are."""
        return int(self.table.num_rows) + len(self.faults)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where some rows of a part lie, and how many."""

    offset: int
    length: int
    rows: int


@dataclass(kw_only=True)
class PersonParts:
    """Takes rows in the order of the file and gives them back in slices of whole persons. A context manager."""

    folder: Path
    person: tuple[str, ...]
    _rows: list[list[_Piece]] = field(default_factory=lambda: [[] for _ in range(PARTS)])
    _faults: list[list[_Piece]] = field(default_factory=lambda: [[] for _ in range(PARTS)])

    def __enter__(self) -> Self:
        """Open the file and make its key."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=self.folder)
        self._seal = AESGCM(AESGCM.generate_key(KEY_BITS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the room on disk back."""
        self._file.close()

    def add(self, table: pa.Table, faults: Sequence[RowVerdict]) -> None:
        """Take rows, each part's kept in their order. Raises StorageFull."""
        if table.num_rows:
            self._write(table, _parts_of(table, self.person), self._rows)
        if faults:
            # Rows that could not be read have no person; they are spread over the slices.
            several = pa.Table.from_pylist(
                [
                    {"row_number": f.row_number, "reason": f.reason, "field": f.field, "value": f.value}
                    for f in faults
                ],
                schema=_FAULTS,
            )
            numbers = several.column("row_number").to_numpy()
            self._write(several, (numbers % PARTS).astype(np.int16), self._faults)

    def slices(self, rows_max: int) -> Iterator[SliceRows]:
        """Give the rows back in slices of at most `rows_max`; only a person with more than that comes in several."""
        for several in self._groups(rows_max):
            tables = [self._read(piece) for part in several for piece in self._rows[part]]
            faults = [
                RowVerdict(**row)
                for part in several
                for piece in self._faults[part]
                for row in self._read(piece).to_pylist()
            ]
            whole = pa.concat_tables(tables, promote_options="default") if tables else None
            if whole is None:
                yield SliceRows(table=_no_rows(), faults=faults)
                continue
            for start in range(0, whole.num_rows, rows_max):
                yield SliceRows(table=whole.slice(start, rows_max), faults=[] if start else faults)

    def _groups(self, rows_max: int) -> Iterator[list[int]]:
        """Yield parts that make a slice together."""
        several: list[int] = []
        rows = 0
        for part in range(PARTS):
            own = sum(piece.rows for piece in (*self._rows[part], *self._faults[part]))
            if several and rows + own > rows_max:
                yield several
                several, rows = [], 0
            if own:
                several.append(part)
                rows += own
        if several:
            yield several

    def _write(self, table: pa.Table, parts: np.ndarray, pieces: list[list[_Piece]]) -> None:
        order = np.argsort(parts, kind="stable")
        sorted_rows = table.take(pa.array(order)).combine_chunks()
        edges = np.searchsorted(parts[order], np.arange(PARTS + 1))
        for part in range(PARTS):
            start, end = int(edges[part]), int(edges[part + 1])
            if end > start:
                pieces[part].append(self._append(sorted_rows.slice(start, end - start)))

    def _append(self, rows: pa.Table) -> _Piece:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(
            sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as writer:
            writer.write_table(rows)
        offset = self._file.seek(0, os.SEEK_END)
        # The place in the file is written once, so it is a nonce that never comes again.
        sealed = self._seal.encrypt(_nonce(offset), sink.getvalue().to_pybytes(), None)
        try:
            self._file.write(sealed)
            self._file.flush()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StorageFull from error
            raise
        return _Piece(offset, len(sealed), rows.num_rows)

    def _read(self, piece: _Piece) -> pa.Table:
        self._file.seek(piece.offset)
        opened = self._seal.decrypt(_nonce(piece.offset), self._file.read(piece.length), None)
        with pa.ipc.open_stream(pa.py_buffer(opened)) as reader:
            return reader.read_all()


def _nonce(offset: int) -> bytes:
    return struct.pack(">IQ", 0, offset)


def _no_rows() -> pa.Table:
    return pa.schema([("row_number", pa.int64())]).empty_table()


def _parts_of(table: pa.Table, person: tuple[str, ...]) -> np.ndarray:
    """Return the part of each row, by a hash of whose it is; a row without anybody falls into one of them too."""
    with closing(open_tables(threads=1)) as tables:
        # Where nothing says whose a row is, the rows only have to be spread.
        names = person or ("row_number",)
        tables.register("t", table.select(names))
        tables.execute("set preserve_insertion_order = true")
        found = tables.sql(f"select (hash({columns(names)}) % {PARTS})::smallint as part from t")
        return np.asarray(found.to_arrow_table().column(0).to_numpy())
