"""Rows of a file as text, for rooms that take over files of their own form with the readers of intake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from tanpuhui.behaviour.activity.adapters.reading import format_of, read_file
from tanpuhui.behaviour.activity.queries._reading_terms import limits


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRow:
    """One line of a file: its number as in an editor (the header is line 1), and its values.

    `fault` is the reason for which the line could not be read; it has no values then.
    """

    number: int
    values: Mapping[str, str]
    fault: str = ""


def text_rows(
    stream: BinaryIO,
    *,
    file_name: str,
    media_type: str,
    wanted: Sequence[str],
    required: Sequence[str],
    at: datetime,
) -> Iterator[TextRow]:
    """Yield every row of a CSV, NDJSON, Parquet or Excel file by its number; columns are found by name, unknown ones left out.

    The same readers, wrappings and bounds as for records of activity. Raises FileUnusable, before the first row.
    """
    read = read_file(
        stream,
        file_format=format_of(file_name, media_type),
        limits=limits(at),
        wanted=wanted,
        required=required,
    )
    faults = {fault.row_number: fault.reason for fault in read.faults}
    columns = {
        name: read.table.column(name).to_pylist() for name in wanted if name in read.table.column_names
    }
    numbers = read.table.column("row_number").to_pylist()
    good = {number: place for place, number in enumerate(numbers)}
    for number in sorted({*faults, *good}):
        if number in faults:
            yield TextRow(number=number, values={}, fault=faults[number])
            continue
        place = good[number]
        yield TextRow(
            number=number, values={name: (column[place] or "").strip() for name, column in columns.items()}
        )
