"""What intake shows (数据接入的视图): frozen facts that pages and other rooms read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from tanpuhui.behaviour.activity.domain.refusals import FileUnusable
from tanpuhui.behaviour.activity.domain.verdicts import reason_text
from tanpuhui.foundation.kernel.quantities import Grams, Points
from tanpuhui.science.engine.explanation import Explanation


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioView:
    """A scenario of the scheme; `standing` is how it stands today, since the day `since`.

    `scenario_class` and `reach` are empty where it was opened without an application.
    """

    id: int
    code: str
    name_zh: str
    name_en: str
    area: str
    scenario_class: str
    reach: str
    opened_at: datetime
    standing: str
    since: date


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedView:
    """What a partner may send: scenario, format and evidence tier (1 operator's record to 4 self check-in)."""

    id: int
    partner_id: int
    scenario: str
    adapter: str
    evidence_tier: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchView:
    """A batch as a page lists it; counts are zero until it is settled. `corrects` is the batch whose rows it sends again."""

    id: int
    partner_id: int
    adapter: str
    file_name: str
    file_sha256: str
    size_bytes: int
    received_at: datetime
    settled_at: datetime | None
    state: str
    rows: int
    verdicts: Mapping[str, int]
    grams: Grams
    points: Points
    corrects: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resent:
    """The batches that a partner has sent since they were last asked for a correction, the oldest first."""

    asked_at: datetime
    batches: tuple[BatchView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeView:
    """A row that was not counted in full: its number in the file, why, the column and the offending value."""

    row_number: int
    verdict: str
    reason: str
    field: str
    value: str

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence."""
        return reason_text(self.reason, locale)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchReport:
    """The report of a batch: counts by verdict and reason, and the first rows that were not counted in full.

    `settles_on` counts the rows that wait, by the day on which they are settled.
    `fault` (code) and `fault_at` say why a whole file was refused, and where.
    """

    batch: BatchView
    reasons: Mapping[str, int]
    fault: str
    fault_at: str
    posting_ids: tuple[int, ...]
    outcomes: tuple[OutcomeView, ...]
    outcomes_total: int
    settles_on: Mapping[date, int]

    def fault_text(self, locale: str = "zh") -> str:
        """Return why the whole file was refused, as a sentence; empty where it was not."""
        if not self.fault:
            return ""
        return FileUnusable(fault=self.fault, at=self.fault_at).message(locale)

    def reason_text(self, code: str, locale: str = "zh") -> str:
        """Return the sentence of a reason; a methodology's own code is returned as it is."""
        return reason_text(code, locale)


@dataclass(frozen=True, kw_only=True, slots=True)
class PostingView:
    """One posting: the records of a batch for one scenario, methodology version, evidence tier and month."""

    id: int
    partner_id: int
    batch_id: int
    scenario: str
    methodology_version_id: int
    evidence_tier: int
    month: str
    records: int
    account_days: int
    accounts: int
    grams: Grams
    points: Points
    points_rules: tuple[Mapping[str, str], ...]
    hash: str
    journal_id: int | None
    posted_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordView:
    """One counted record: the inputs it was calculated with, and its traces while they are kept.

    `granted` is the allowance that the cap left, None where the record was not clipped. `values` are the fields of
    the methodology by code; times are aware; traces are empty once erased.
    """

    posting_id: int
    row: int
    account_id: int
    day: date
    scenario: str
    area: str
    verdict: str
    variant: str
    granted: Decimal | None
    grams: Grams
    floor: Grams
    remainder_g: Decimal
    values: Mapping[str, Decimal | str | None]
    record_id: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    traces: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordExplanation:
    """Why a record gave so many grams and how they became points: the engine's explanation, cap and points rule."""

    record: RecordView
    posting: PostingView
    explanation: Explanation
    points_rule: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySettlementView:
    """One settlement of a business day: the rows that waited, those that counted, and why the others did not."""

    id: int
    day: date
    settled_at: datetime
    rows: int
    counted: int
    reasons: Mapping[str, int]
    grams: Grams
    points: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingView:
    """A record that waits: until other sources have been heard, on the day `settles_on`, or (None) until it is reviewed."""

    scenario: str
    day: date
    started_at: datetime
    settles_on: date | None
    batch_id: int
    row: int
    held_for: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAsideView:
    """A record that was not counted, why, and the record that counts instead (None where no single one does).

    `started_at` is None once its traces are erased. `values` and `traces` are the cells as they were sent. `readmitted`: an appeal let it count, so it stands here as history.
    """

    waiting_id: int
    partner_id: int
    scenario: str
    day: date
    started_at: datetime | None
    batch_id: int
    row: int
    reason: str
    winner_batch_id: int | None
    winner_row: int | None
    readmitted: bool = False
    ended_at: datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    traces: Mapping[str, str] = field(default_factory=dict)

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence."""
        return reason_text(self.reason, locale)


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedRecordView:
    """What became of a pushed record: received (not posted yet), or the verdict of its row with its reason."""

    record_id: str
    day: date
    received_at: datetime
    batch_id: int | None
    row: int | None
    verdict: str
    reason: str
    field: str
    settles_on: date | None

    def text(self, locale: str = "zh") -> str:
        """Return the reason as a sentence, empty where there is none."""
        return reason_text(self.reason, locale) if self.reason else ""
