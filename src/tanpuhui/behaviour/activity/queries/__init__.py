"""Reads of intake: batches and their reports, records out of chunks, explanations, postings, invariants."""

from tanpuhui.behaviour.activity.domain import rows_to_mend
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
from tanpuhui.behaviour.activity.queries._records import explain_record, record, records_of_account

__all__ = [
    "BatchReport",
    "BatchView",
    "FeedView",
    "OutcomeView",
    "PostingView",
    "RecordExplanation",
    "RecordView",
    "Resent",
    "ScenarioView",
    "batch",
    "batch_report",
    "batch_report_csv",
    "batches",
    "breaches",
    "explain_record",
    "feeds",
    "posting",
    "postings",
    "postings_of_scenario",
    "record",
    "records_of_account",
    "resent_since_asked",
    "rows_to_mend",
    "scenario",
    "scenarios",
]
