"""Facts of intake that others act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReceived:
    """A file is safely stored and waits to be posted (批次已接收)."""

    batch_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationPrepared:
    """A recalculation waits for its preview (等待试算)."""

    recalculation_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalculationApproved:
    """The differences of a recalculation are to be posted (重算已批准)."""

    recalculation_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsTakenBack:
    """Posted records stopped counting, and their persons do not know it yet (记录已冲回)."""

    run_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySettlementDue:
    """Rows of a business day (ISO 8601) wait whose time has come already (待结算已到期)."""

    day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsPushed:
    """Single records of a partner wait to be gathered into a batch (推送记录待汇集)."""

    partner_id: int
