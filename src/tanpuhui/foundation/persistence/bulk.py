"""Columns of numbers to and from PostgreSQL in its binary COPY format (成批列数据): no Python object stands for a value.

A list of a million identifiers costs the driver more than the query costs the server; as columns it costs neither.
Format: PostgreSQL documentation, COPY, section Binary Format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_PIECE_BYTES = 1 << 20
EPOCH_DAY = np.datetime64("2000-01-01", "D")
"""PostgreSQL counts days and microseconds from here."""
UNIX_EPOCH_MICRO = 946_684_800_000_000
"""Microseconds from 1970 to PostgreSQL's epoch."""

WIDTHS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "date": ">i4", "timestamptz": ">i8"}
"""Types of fixed width and how the format writes them; `bytes<n>` is a bytea of n bytes."""

_SENDERS = {
    "int2": "int2send",
    "int4": "int4send",
    "int8": "int8send",
    "date": "date_send",
    "timestamptz": "timestamptz_send",
}


def _form(kind: str) -> np.dtype[Any]:
    return np.dtype(f"V{kind.removeprefix('bytes')}" if kind.startswith("bytes") else WIDTHS[kind])


def _row_form(kinds: Mapping[str, str]) -> np.dtype[Any]:
    fields: list[tuple[str, Any]] = [("n fields", ">i2")]
    for name, kind in kinds.items():
        fields += [(f"{name} length", ">i4"), (name, _form(kind))]
    return np.dtype(fields)


def binary_rows(kinds: Mapping[str, str], columns: Mapping[str, NDArray[Any] | int]) -> bytes:
    """Return the columns as the bytes of a binary COPY; a single number stands for a column that is all the same.

    Days are days since 2000-01-01 (`days` makes them of NumPy's), moments microseconds since then.
    """
    size = next(len(column) for column in columns.values() if not isinstance(column, int))
    rows = np.empty(size, dtype=_row_form(kinds))
    rows["n fields"] = len(kinds)
    for name, kind in kinds.items():
        form = _form(kind)
        rows[f"{name} length"] = form.itemsize
        column = columns[name]
        rows[name] = column.view(form) if form.kind == "V" and not isinstance(column, int) else column
    return _HEADER + rows.tobytes() + _TRAILER


def copy_in(
    cursor: Any, table: str, kinds: Mapping[str, str], columns: Mapping[str, NDArray[Any] | int]
) -> None:
    """Append the columns to a table; `table` and the names of columns are ours, never a user's."""
    content = binary_rows(kinds, columns)
    with cursor.copy(f"copy {table} ({', '.join(kinds)}) from stdin with (format binary)") as copy:
        for start in range(0, len(content), _PIECE_BYTES):
            copy.write(content[start : start + _PIECE_BYTES])


def copy_payloads(
    cursor: Any, table: str, kinds: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Append rows that hold payloads (bytea of any length); they are few and large, so each may be a Python object."""
    with cursor.copy(f"copy {table} ({', '.join(kinds)}) from stdin with (format binary)") as copy:
        copy.set_types(list(kinds.values()))
        for row in rows:
            copy.write_row(row)


def fetch_columns(
    cursor: Any, select: str, kinds: Mapping[str, str], parameters: Sequence[object] = ()
) -> dict[str, NDArray[Any]]:
    """Return what a SELECT gives as columns, in no order; no value may be null, and a bytea has the length that is said.

    The server puts all rows into one value, because a COPY to the client comes row by row and costs a call for each.
    Raises ValueError where a value is null or has another width, because the columns would be shifted.
    """
    sent = " || ".join(
        name if kind.startswith("bytes") else f"{_SENDERS[kind]}({name})" for name, kind in kinds.items()
    )
    cursor.execute(  # the names are ours; what users gave are parameters
        f"select count(*), coalesce(string_agg({sent}, ''::bytea), ''::bytea) "
        f"from ({select}) as found ({', '.join(kinds)})",
        list(parameters),
    )
    size, content = cursor.fetchone()
    form = np.dtype([(name, _form(kind)) for name, kind in kinds.items()])
    if len(content) != size * form.itemsize:
        message = f"a column of this query is null or not of its width: {', '.join(kinds)}"
        raise ValueError(message)
    rows = np.frombuffer(content, dtype=form)
    return {
        name: np.ascontiguousarray(
            rows[name] if kind.startswith("bytes") else rows[name].astype(_form(kind).newbyteorder("="))
        )
        for name, kind in kinds.items()
    }


def distinct(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return each number once, ascending; by sorting, which for these sizes takes a tenth of NumPy's hash table."""
    ordered = np.sort(numbers)
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def days(column: NDArray[Any]) -> NDArray[np.int32]:
    """Return days as the format counts them."""
    return cast("NDArray[np.int32]", (column.astype("datetime64[D]") - EPOCH_DAY).astype(np.int32))
