"""Step 1, read (读取): bytes to the table `raw` of text, through the partner's format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO

from tanpuhui.behaviour.activity.adapters import adapter_named
from tanpuhui.behaviour.activity.adapters.reading import Limits, format_of, read_file
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.science.methodology import queries as methodology


def read(
    desk: Desk,
    *,
    stream: BinaryIO,
    adapter: str,
    file_name: str,
    media_type: str,
    fields: tuple[str, ...],
    bounds: Limits,
) -> None:
    """Fill `raw`; rows that are no records are settled. Raises FileUnusable, AdapterUnknown."""
    form = adapter_named(adapter)
    found = read_file(
        stream,
        file_format=format_of(file_name, media_type),
        limits=bounds,
        wanted=form.wanted(fields),
        required=form.required,
    )
    adapted = form.adapt(found.table)
    desk.rows = found.rows
    desk.settle(found.faults)
    desk.settle(adapted.settled)
    desk.tables.register("raw", adapted.rows)


def limits(at: datetime) -> Limits:
    """Return the bounds of a file. Raises ParameterUnset."""
    return Limits(
        file_bytes_max=_bytes("intake.file_bytes_max", at), line_bytes_max=_bytes("intake.line_bytes_max", at)
    )


def field_codes(version_ids: Iterable[int]) -> tuple[str, ...]:
    """Return the field codes of the versions, each once. Raises what loading a version raises."""
    return tuple(
        dict.fromkeys(
            item.code for version_id in version_ids for item in methodology.loaded(version_id).fields
        )
    )


def _bytes(key: str, at: datetime) -> int:
    return int(str(rulebook.require_parameter(key=key, at=at).value))
