"""Whether used allowances (已用额度) are what the postings used: every block in order, every sum had again from the chunks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute
from django.db import connection
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters import calculator
from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.models import Posting
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.science.methodology import queries as methodology

_PERIODS = {"day": "datetime64[D]", "month": "datetime64[M]", "year": "datetime64[Y]"}
_MONDAY = np.datetime64("1970-01-05", "D")
DEFICIT = "deficit"


def use_breaches() -> Iterator[Breach]:
    """Report blocks out of order, and scenarios whose accounts used something else than their records say."""
    stored: dict[tuple[str, str, date], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select scenario, measure, period_start, run, first_account, last_account, n_accounts, accounts, used_micro "
            "from activity_allowance_use order by 1, 2, 3, 4, 5"
        )
        for scenario, measure, period, run, first, last, size, accounts, used in cursor.fetchall():
            held = np.frombuffer(bytes(accounts), "<i8")
            micro = np.frombuffer(bytes(used), "<i8")
            if (
                not len(held) == len(micro) == size
                or (held[0], held[-1]) != (first, last)
                or (np.diff(held) <= 0).any()
            ):
                yield Breach(
                    invariant="activity.allowance_blocks_are_in_order",
                    subject=f"scenario:{scenario} {measure} {period} run:{run} from:{first}",
                    detail=f"says {size} accounts from {first} to {last}, holds {len(held)} and {len(micro)} amounts",
                )
            if measure != DEFICIT:
                key = (scenario, measure, period)
                stored[key] = stored.get(key, 0) + int(micro.sum())
    used_by_records = _used_by_records()
    for key in sorted(stored.keys() | used_by_records.keys()):
        if stored.get(key, 0) != used_by_records.get(key, 0):
            yield Breach(
                invariant="activity.allowance_used_is_what_records_used",
                subject=f"scenario:{key[0]} {key[1]} {key[2]}",
                detail=f"runs say {stored.get(key, 0)} millionths, records {used_by_records.get(key, 0)}",
            )


def _used_by_records() -> dict[tuple[str, str, date], int]:
    """Return what the stored records used of each scenario's allowance, by measure and period, in millionths."""
    found: dict[tuple[str, str, date], int] = {}
    rows = Posting.objects.order_by("id").values_list("id", "scenario", "methodology_version_id")
    for posting_id, scenario, version_id in rows.iterator():
        version = methodology.loaded(version_id)
        cap = version.cap
        if cap is None or cap.limit is None or cap.period == "trip":
            continue
        item = calculator.capped_field(version)
        with connection.cursor() as cursor:
            cursor.execute("select amounts from activity_record_chunk where posting_id = %s", [posting_id])
            payloads = [bytes(row[0]) for row in cursor.fetchall()]
        for payload in payloads:
            table = decode_payload(payload)
            if item is not None and item.code not in table.column_names:
                continue  # the quantity is a trace, which may be erased
            granted = table.column("granted").combine_chunks()
            asked = (
                np.full(table.num_rows, calculator.MICRO)
                if item is None
                else _micro(table.column(item.code).combine_chunks())
            )
            micro = np.where(granted.is_valid().to_numpy(zero_copy_only=False), _micro(granted), asked)
            starts = _period_starts(cap.period, table.column("day").to_numpy().astype("datetime64[D]"))
            for start in np.unique(starts):
                key = (scenario, cap.quantity, start.item())
                found[key] = found.get(key, 0) + int(micro[starts == start].sum())
    return found


def _micro(column: pa.Array) -> NDArray[np.int64]:
    """Return an exact decimal column in millionths; a missing value is none of them."""
    whole = pa.compute.fill_null(column.cast(pa.decimal128(28, 6)), pa.scalar(0, pa.decimal128(28, 6)))
    # The low half of a 128-bit number is the number itself where it fits 64 bits, which activity data do.
    halves = np.frombuffer(whole.buffers()[1], "<i8")[2 * whole.offset : 2 * (whole.offset + len(whole))]
    return halves[::2].astype(np.int64)


def _period_starts(period: str, day: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    if period == "week":
        week: NDArray[np.datetime64] = day - ((day - _MONDAY).astype(np.int64) % 7).astype("timedelta64[D]")
        return week
    if period == "lifetime":
        return np.full(len(day), np.datetime64("1970-01-01", "D"))
    return day.astype(_PERIODS[period]).astype("datetime64[D]")
