"""What an adapter promises: every row of the file leaves it exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from tanpuhui.behaviour.activity.domain.mappings import TextStyle

ENVELOPE = ("record_id", "subject", "scenario", "started_at", "ended_at", "area")
"""The columns every record has (活动信封), research/methodologies.md section 3, common activity envelope."""

TRACES = ("line", "from_place", "to_place", "device")
"""Traces (轨迹信息) that every scenario may send; kept apart from the amounts and erasable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowVerdict:
    """A row that goes no further, with its reason, the column it is about and the offending value."""

    row_number: int
    reason: str
    field: str = ""
    value: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapted:
    """`rows` has int64 row_number and text columns: the envelope, traces, and fields of methodologies."""

    rows: pa.Table
    settled: tuple[RowVerdict, ...]


class Adapter(Protocol):
    """A partner's file format."""

    @property
    def name(self) -> str:
        """What the format is called."""

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that the file must have, found by name."""

    @property
    def person(self) -> tuple[str, ...]:
        """Return the columns that say whose a row is; the rows of one person belong together and come in one slice."""

    @property
    def style(self) -> TextStyle:
        """How the text of the file is written."""

    def wanted(self, fields: Sequence[str]) -> tuple[str, ...]:
        """Return the columns to read, given the field codes of the methodologies in question."""

    def adapt(self, table: pa.Table) -> Adapted:
        """Turn the file's rows into records; pure."""
