"""Parquet as a source (读取 Parquet): the wanted columns as text, row by row as they stand.

Binary floats are refused: what such a column holds is not the number that the partner measured, and which decimal was meant
would be a guess. Times with a zone become local time in China with its offset; those without one are taken as local.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from tanpuhui.behaviour.activity.adapters._port import RowVerdict
from tanpuhui.behaviour.activity.adapters.limits import Limits, check_header
from tanpuhui.behaviour.activity.domain import FileUnusable

BATCH_ROWS = 131_072


def parquet_blocks(
    stream: BinaryIO, *, limits: Limits, wanted: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[pa.Table, list[RowVerdict]]]:
    """Yield row_number (the first row is 1) and the wanted columns as text. Raises FileUnusable."""
    try:
        file = pa.parquet.ParquetFile(stream)
        names = file.schema_arrow.names
        size = sum(file.metadata.row_group(n).total_byte_size for n in range(file.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        raise FileUnusable(fault="BAD_PARQUET") from error
    if size > limits.file_bytes_max:
        raise FileUnusable(fault="FILE_TOO_LARGE", at=limits.file_bytes_max)
    check_header(names, required)
    columns = [name for name in wanted if name in names]
    for name in columns:
        _check_type(name, file.schema_arrow.field(name).type)
    first = 1
    try:
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            batch.validate(full=True)
            rows = pa.table(
                [
                    pa.array(range(first, first + batch.num_rows), pa.int64()),
                    *(_text(batch.column(name)) for name in columns),
                ],
                names=["row_number", *columns],
            )
            first += batch.num_rows
            yield rows, []
    except pa.ArrowInvalid as error:
        raise FileUnusable(fault="BAD_ENCODING", at=first) from error
    except (pa.ArrowException, OSError) as error:
        raise FileUnusable(fault="BAD_PARQUET") from error


def _check_type(name: str, kind: pa.DataType) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        raise FileUnusable(fault="FLOAT_COLUMN", at=name)
    readable = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_decimal, pa.types.is_date,
        pa.types.is_timestamp, pa.types.is_boolean, pa.types.is_null,
    )  # fmt: skip
    if not any(is_kind(kind) for is_kind in readable):
        raise FileUnusable(fault="COLUMN_TYPE", at=f"{name} ({kind})")


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind):
        shown = "%Y-%m-%dT%H:%M:%S"
        if kind.tz is not None:
            local = column.cast(pa.timestamp("us", tz="Asia/Shanghai"))
            return pa.compute.strftime(
                local.cast(pa.timestamp("s", tz="Asia/Shanghai"), safe=False), f"{shown}+08:00"
            )
        return pa.compute.strftime(column.cast(pa.timestamp("s"), safe=False), shown)
    return column.cast(pa.string())
