"""Reads of intake: batches and their reports, records out of chunks, explanations, postings, invariants."""

from tanpuhui.behaviour.activity.domain import reason_text, rows_to_mend
from tanpuhui.behaviour.activity.domain.recalculations import BANDS
from tanpuhui.behaviour.activity.domain.reproductions import Finding, Reproduction
from tanpuhui.behaviour.activity.domain.views import (
    BatchReport,
    BatchView,
    FeedView,
    OutcomeView,
    PostingView,
    RecordExplanation,
    RecordView,
    Resent,
    ScenarioView,
)
from tanpuhui.behaviour.activity.queries._breaches import breaches
from tanpuhui.behaviour.activity.queries._intake import (
    batch,
    batch_report,
    batch_report_csv,
    batches,
    feeds,
    posting,
    postings,
    postings_of_scenario,
    resent_since_asked,
    scenario,
    scenarios,
)
from tanpuhui.behaviour.activity.queries._recalculations import (
    MonthAdjustment,
    RecalculationView,
    month_adjustments,
    recalculation,
    recalculation_of_journal,
    recalculations,
)
from tanpuhui.behaviour.activity.queries._records import explain_record, record, records_of_account
from tanpuhui.behaviour.activity.queries._reproduction import (
    reproduce_postings,
    reproduce_recalculations,
)

__all__ = [
    "BANDS",
    "BatchReport",
    "BatchView",
    "FeedView",
    "Finding",
    "MonthAdjustment",
    "OutcomeView",
    "PostingView",
    "RecalculationView",
    "RecordExplanation",
    "RecordView",
    "Reproduction",
    "Resent",
    "ScenarioView",
    "batch",
    "batch_report",
    "batch_report_csv",
    "batches",
    "breaches",
    "explain_record",
    "feeds",
    "month_adjustments",
    "posting",
    "postings",
    "postings_of_scenario",
    "reason_text",
    "recalculation",
    "recalculation_of_journal",
    "recalculations",
    "record",
    "records_of_account",
    "reproduce_postings",
    "reproduce_recalculations",
    "resent_since_asked",
    "rows_to_mend",
    "scenario",
    "scenarios",
]
