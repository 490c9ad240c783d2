"""Step 1, gather (取数): the waiting rows of a slice of the accounts, and what earlier settlements of the day posted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute
from django.db import connection

from tanpuhui.behaviour.activity.adapters.chunks import decode_payload
from tanpuhui.behaviour.activity.adapters.waiting import waiting_rows
from tanpuhui.behaviour.activity.domain.plausibility import REFUSED_IN_REVIEW
from tanpuhui.behaviour.activity.models import WaitingRows

RIDES = pa.schema(
    [
        ("account_id", pa.int64()), ("row_number", pa.int64()), ("started", pa.timestamp("us")),
        ("ended", pa.timestamp("us")), ("area", pa.string()), ("line", pa.string()), ("scenario", pa.string()),
        ("tier", pa.int16()), ("partner_id", pa.int64()), ("batch_id", pa.int64()), ("received", pa.int64()),
        ("version_id", pa.int64()), ("posted", pa.bool_()), ("waiting_id", pa.int64()),
    ]
)  # fmt: skip
"""What the records of a day are compared by. `received` in microseconds; `waiting_id` 0 where it is posted, `version_id` 0 where not."""


LOST = pa.schema(
    [
        ("waiting_id", pa.int64()), ("row_number", pa.int64()), ("reason", pa.string()), ("field", pa.string()),
        ("winner_batch", pa.int64()), ("winner_row", pa.int64()),
    ]
)  # fmt: skip
"""Rows that do not count: why, and by which record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The waiting rows of one batch, slice, scenario and tier, of the accounts of a slice."""

    waiting: WaitingRows
    rows: pa.Table

    @property
    def stands(self) -> bool:
        """Say whether an appeal decided that the rows count: they lose to nothing."""
        return self.waiting.part < 0

    @property
    def refused(self) -> np.ndarray:
        """Say of each row whether it was held and then refused."""
        if not self.waiting.held_for:
            return np.zeros(self.rows.num_rows, bool)
        decision = self.waiting.decision
        if decision.refuse_all:
            return np.ones(self.rows.num_rows, bool)
        return np.isin(self.rows.column("row_number").to_numpy(), decision.refused_rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A slice of the accounts: account % slices = index; `slices` is a power of two."""

    slices: int
    index: int


def gather(several: Sequence[WaitingRows], share: Share) -> list[Part]:
    """Return what waits of the slice, in the order of the given ones."""
    found = []
    for one in several:
        rows = waiting_rows(one.pk, chunks=one.chunks, slices=share.slices, index=share.index)
        if rows is not None:
            found.append(Part(waiting=one, rows=rows))
    return found


def rides(parts: Sequence[Part]) -> pa.Table:
    """Return the waiting rows as RIDES. What was refused in a review competes with nothing; what an appeal lets count stands."""
    tables = []
    for part in parts:
        one = part.waiting
        said = {
            "scenario": one.scenario, "tier": one.evidence_tier, "partner_id": one.batch.partner_id,
            "batch_id": one.batch_id, "received": int(one.batch.received_at.timestamp() * 1_000_000),
            "version_id": 0, "posted": part.stands, "waiting_id": one.pk,
        }  # fmt: skip
        tables.append(_ride_table(part.rows.filter(pa.array(~part.refused)), said))
    return pa.concat_tables([RIDES.empty_table(), *tables])


def refused(parts: Sequence[Part]) -> pa.Table:
    """Return the rows that a review refused, as LOST; no other record counts instead of them."""
    tables = []
    for part in parts:
        rows = part.rows.column("row_number").filter(pa.array(part.refused))
        n = len(rows)
        said = {
            "waiting_id": part.waiting.pk, "reason": REFUSED_IN_REVIEW, "field": part.waiting.held_for,
            "winner_batch": None, "winner_row": None,
        }  # fmt: skip
        arrays = [
            rows.combine_chunks()
            if item.name == "row_number"
            else pa.repeat(pa.scalar(said[item.name], item.type), n)
            for item in LOST
        ]
        tables.append(pa.Table.from_arrays(arrays, schema=LOST))
    return pa.concat_tables([LOST.empty_table(), *tables])


_POSTED = """
select p.id, p.scenario, p.evidence_tier, p.partner_id, p.batch_id, p.methodology_version_id, c.amounts, c.traces
from activity_posting p join activity_day_settlement s on s.id = p.day_settlement_id and s.day = %(day)s
join activity_record_chunk c on c.posting_id = p.id
  and c.bucket %% least(p.chunks, %(slices)s) = %(index)s %% least(p.chunks, %(slices)s)
order by p.id, c.bucket
"""


def rides_posted(day: date, accounts: pa.Array, share: Share) -> pa.Table:
    """Return what earlier settlements of the day posted for these accounts, as RIDES; a record without traces has no moments."""
    tables = []
    with connection.cursor() as cursor:
        cursor.execute(_POSTED, {"day": day, "slices": share.slices, "index": share.index})
        for _, scenario, tier, partner_id, batch_id, version_id, amounts, traces in cursor.fetchall():
            held = decode_payload(bytes(amounts)).select(["row", "account_id", "area"])
            if traces:
                seen = decode_payload(bytes(traces))
                for name, source in (("started", "started_at"), ("ended", "ended_at"), ("line", "line")):
                    held = held.append_column(name, seen.column(source))
            held = held.rename_columns({"row": "row_number"})
            held = held.filter(pa.compute.is_in(held.column("account_id"), value_set=accounts))
            said = {
                "scenario": scenario, "tier": tier, "partner_id": partner_id, "batch_id": batch_id, "received": 0,
                "version_id": version_id, "posted": True, "waiting_id": 0,
            }  # fmt: skip
            tables.append(_ride_table(held, said))
    return pa.concat_tables([RIDES.empty_table(), *tables])


def _ride_table(rows: pa.Table, said: dict[str, object]) -> pa.Table:
    arrays = []
    for item in RIDES:
        if item.name in said:
            arrays.append(pa.repeat(pa.scalar(said[item.name], item.type), rows.num_rows))
        elif item.name in rows.column_names:
            arrays.append(rows.column(item.name).cast(item.type).combine_chunks())
        else:
            arrays.append(pa.nulls(rows.num_rows, item.type))
    return pa.Table.from_arrays(arrays, schema=RIDES)


def accounts_of(parts: Sequence[Part]) -> pa.Array:
    """Return the accounts whose rows wait, each once."""
    several = [part.rows.column("account_id").to_numpy() for part in parts]
    return pa.array(np.unique(np.concatenate([np.empty(0, np.int64), *several])))
