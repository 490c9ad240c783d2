"""Stored records as tables that other engines read (记录导出): one a chunk, so that any number fits the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.models import Posting


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedChunk:
    """The amounts of one chunk.

    `rows` has row_no (the row of its file), posting_id, account_id, day, the fields that are amounts, granted, grams,
    floor_g and remainder_g; numbers are decimals or 64-bit integers, never floats.
    """

    posting_id: int
    methodology_version_id: int
    bucket: int
    rows: pa.Table


def exported_records(posting_ids: Sequence[int]) -> Iterator[ExportedChunk]:
    """Yield the chunks of these postings, posting by posting and bucket by bucket."""
    for posting_id, version_id in (
        Posting.objects.filter(id__in=posting_ids).order_by("id").values_list("id", "methodology_version_id")
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                "select bucket from activity_record_chunk where posting_id = %s order by bucket", [posting_id]
            )
            for (bucket,) in cursor.fetchall():
                cursor.execute(
                    "select amounts from activity_record_chunk where posting_id = %s and bucket = %s",
                    [posting_id, bucket],
                )
                table = decode_payload(bytes(cursor.fetchone()[0]))
                yield ExportedChunk(
                    posting_id=posting_id,
                    methodology_version_id=version_id,
                    bucket=bucket,
                    rows=_plain(table, posting_id),
                )


def _plain(table: pa.Table, posting_id: int) -> pa.Table:
    """Return the chunk with plain texts instead of codes, which not every engine reads."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    owner = pa.repeat(pa.scalar(posting_id, pa.int64()), table.num_rows)
    names = ["row_no" if name == "row" else name for name in table.column_names]
    return table.rename_columns(names).append_column("posting_id", owner)
