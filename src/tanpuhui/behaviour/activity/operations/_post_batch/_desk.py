"""The desk (工作台) of one posting run: the tables in memory, what is known of the batch, and the outcomes so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tanpuhui.behaviour.activity.adapters import RowVerdict
from tanpuhui.behaviour.activity.domain import REASONS, Verdict
from tanpuhui.behaviour.activity.domain.agreements import Days
from tanpuhui.behaviour.activity.domain.standing import Span
from tanpuhui.science.engine.model import MethodologyVersion

VALUE_CHARACTERS_MAX = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedTerms:
    """What holds for one scenario of this partner and format; lateness in days, None when nobody set it.

    `settle_days` after the activity's day its records are compared with other partners' and settled; None: at once, without.
    `stops` are the days on which the scenario does not run, `unagreed` those that no agreement with the partner covers.
    """

    scenario: str
    evidence_tier: int
    default_area: str
    lateness_days_max: int | None
    settle_days: int | None = None
    stops: tuple[Span, ...] = ()
    unagreed: tuple[Days, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PointsRule:
    """The dated rule that turns grams into points on one day, and which text it comes from."""

    per_gram: Fraction
    value: str
    basis: str
    pack: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordKeys:
    """The record ids of rows as 128-bit keys in two halves, sorted by day and key; all belong together place by place."""

    row_number: NDArray[np.int64]
    day: NDArray[np.datetime64]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> RecordKeys:
        """Return the chosen ones, in the order chosen."""
        return RecordKeys(
            row_number=self.row_number[chosen],
            day=self.day[chosen],
            high=self.high[chosen],
            low=self.low[chosen],
        )

    def as_bytes(self, start: int, end: int) -> bytes:
        """Return the keys from a place to another, 16 bytes each, big-endian, so that they sort as bytes."""
        return np.column_stack([self.high[start:end], self.low[start:end]]).astype(">u8").tobytes()


@dataclass(kw_only=True, slots=True)
class Desk:
    """One run. `versions` and `rules` are filled by the step that finds the methodology.

    `raw` is the file as text, trimmed, also to be had as the relation `raw`; its column `person` is the place of the row's
    subject among `subjects`. The tables between the steps: `judged` (one row a row, with its first fault) → `ruled`
    (with a version) → `owned` (with an account) → `eligible` → `keyed` (what counts); `inputs_<id>` and `result_<id>` hold
    what each version calculates with and gives. All are narrow: text is fetched from `raw` by row number. `stands`: an appeal
    decided that these rows count; what was noted of them before stays noted.
    `users` are the people of the file, looked up when `closures_before` accounts had been closed.
    """

    tables: Any
    batch_id: int
    partner_id: int
    file_sha256: str
    received_at: datetime
    at: datetime
    feeds: Mapping[str, FeedTerms]
    slice_number: int = 0
    day_settlement_id: int | None = None
    stands: bool = False
    rows: int = 0
    waiting: dict[date, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    users: NDArray[np.int64] | None = None
    closures_before: int = 0
    raw: pa.Table | None = None
    subjects: pa.Array | None = None
    keys: RecordKeys | None = None
    versions: dict[int, MethodologyVersion] = field(default_factory=dict)
    rules: dict[tuple[str, int, date], PointsRule] = field(default_factory=dict)

    def open(self) -> None:
        """Create the table of outcomes."""
        self.tables.execute(
            "create table outcome (row_number bigint, verdict varchar, reason varchar, field varchar, value varchar)"
        )

    def settle(self, verdicts: Iterable[RowVerdict]) -> None:
        """Note outcomes that were found outside the tables."""
        several = list(verdicts)
        if not several:
            return
        found = pa.table(
            {
                "row_number": pa.array([v.row_number for v in several], pa.int64()),
                "reason": pa.array([v.reason for v in several], pa.string()),
                "field": pa.array([v.field for v in several], pa.string()),
                "value": pa.array([v.value for v in several], pa.string()),
            }
        )
        self.tables.register("found_outside", found)
        self.settle_from("select * from found_outside")
        self.tables.unregister("found_outside")

    def settle_from(self, select: str) -> None:
        """Note outcomes from a SELECT of row_number, reason, field, value; the verdict follows from the reason.

        A code that intake does not know is a methodology's own eligibility reason, so the row is rejected.
        """
        branches = " ".join(
            f"when '{code}' then '{known.verdict}'"
            for code, known in REASONS.items()
            if known.verdict is not Verdict.REJECTED
        )
        self.tables.execute(
            f"insert into outcome select row_number, case reason {branches} else 'rejected' end, reason, "
            f"coalesce(field, ''), left(replace(coalesce(value, ''), chr(0), ''), {VALUE_CHARACTERS_MAX}) "
            f"from ({select})"
        )

    def rest_after(self, table: str, into: str) -> None:
        """Keep the rows of a table that have no outcome yet."""
        self.tables.execute(
            f"create table {into} as select t.* from {table} as t anti join outcome as o using (row_number)"
        )
        self.tables.execute(f"drop table {table}")

    def counts(self, table: str) -> int:
        """Return the number of rows of a table."""
        return int(self.tables.execute(f"select count(*) from {table}").fetchall()[0][0])

    def has(self, table: str) -> bool:
        """Say whether a step made this table."""
        return bool(
            self.tables.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchall()
        )
