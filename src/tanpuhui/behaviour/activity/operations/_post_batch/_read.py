"""Step 1, read (读取): bytes to the table `raw` of text, through the partner's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute
from django.conf import settings

from tanpuhui.behaviour.activity.adapters import ENVELOPE, TRACES, Adapter
from tanpuhui.behaviour.activity.adapters.limits import Limits
from tanpuhui.behaviour.activity.adapters.person_parts import Parting
from tanpuhui.behaviour.activity.adapters.reading import FileRead, format_of, read_slices
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk

PARTS_FOLDER = "parts"
"""Where in the data folder long files lie while they are posted, sealed and without names."""


def read(
    desk: Desk,
    *,
    stream: BinaryIO,
    form: Adapter,
    file_name: str,
    media_type: str,
    fields: tuple[str, ...],
    bounds: Limits,
) -> None:
    """Fill `raw` with a whole file; rows that are no records are settled. Raises FileUnusable."""
    (whole,) = slices(
        stream,
        form=form,
        file_name=file_name,
        media_type=media_type,
        fields=fields,
        bounds=bounds,
        rows_max=None,
    )
    take_in(desk, whole, form=form, fields=fields)


def slices(
    stream: BinaryIO,
    *,
    form: Adapter,
    file_name: str,
    media_type: str,
    fields: tuple[str, ...],
    bounds: Limits,
    rows_max: int | None,
    also: tuple[str, ...] = (),
) -> Iterator[FileRead]:
    """Yield a file in slices of at most `rows_max` rows, each person's rows together. Raises FileUnusable.

    `also` are columns beside those of the format.
    """
    parting = None
    if rows_max is not None:
        folder = Path(settings.TANPUHUI_DATA_DIR) / PARTS_FOLDER
        parting = Parting(rows_max=rows_max, person=form.person, folder=folder)
    yield from read_slices(
        stream,
        file_format=format_of(file_name, media_type),
        limits=bounds,
        wanted=tuple(dict.fromkeys((*form.wanted(fields), *also))),
        required=form.required,
        parting=parting,
        style=form.style,
    )


def take_in(desk: Desk, part: FileRead, *, form: Adapter, fields: tuple[str, ...]) -> None:
    """Fill `raw` with the rows of a slice; rows that are no records are settled."""
    adapted = form.adapt(part.table)
    desk.rows = part.rows
    desk.settle(part.faults)
    desk.settle(adapted.settled)
    lay_out(desk, adapted.rows, fields)


def lay_out(desk: Desk, rows: pa.Table, fields: Sequence[str]) -> None:
    """Put the rows on the desk as `raw`: every column that intake knows, trimmed, a missing cell empty."""
    raw = pa.table({"row_number": rows.column("row_number")})
    for name in dict.fromkeys((*ENVELOPE, *TRACES, *fields)):
        raw = raw.append_column(name, _text(rows, name))
    persons = raw.column("subject").combine_chunks().dictionary_encode()
    desk.subjects = persons.dictionary
    desk.raw = raw.append_column("person", persons.indices)
    desk.tables.register("raw", desk.raw)


def _text(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        return pa.repeat(pa.scalar("", pa.string()), rows.num_rows)
    return pa.compute.utf8_trim_whitespace(pa.compute.fill_null(rows.column(name), "")).combine_chunks()
