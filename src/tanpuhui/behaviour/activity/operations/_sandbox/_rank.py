"""Nearest-rank percentiles (最近秩百分位): a value of the data itself, chosen by whole numbers."""

from __future__ import annotations

from typing import Any

from tanpuhui.behaviour.activity.adapters.tables import quoted
from tanpuhui.behaviour.activity.operations._post_batch._desk import Desk


def ranked(desk: Desk, relation: str, column: str, percent: int) -> Any:
    """Return the value at rank ⌈n · percent / 100⌉ of the values that are not null; None of nothing."""
    found = desk.tables.execute(
        f"select v from (select {quoted(column)} as v, row_number() over (order by {quoted(column)}) as k, "
        f"count(*) over () as n from {relation} where {quoted(column)} is not null) "
        f"where k = (n * {percent} + 99) // 100"
    ).fetchone()
    return found[0] if found is not None else None
