"""What goes in and out of the API. Numbers of the four quantities are whole and carry their unit in the name."""

from __future__ import annotations

from datetime import date, datetime

from ninja import Field, Schema


class Problem(Schema):
    """Every error: a stable code, a sentence for a person, the data it speaks of, and whether the same call can succeed later."""

    code: str = Field(examples=["IDEMPOTENCY_CONFLICT"])
    message: str
    data: dict[str, str]
    retryable: bool


class BatchAccepted(Schema):
    """A file is stored and waits to be posted."""

    batch_id: int
    sha256: str
    state: str
    report_url: str


class RowOutcome(Schema):
    """A row that was not counted in full."""

    row_number: int
    verdict: str
    reason: str
    field: str
    value: str
    text: str


class BatchReport(Schema):
    """What became of a file: counts by verdict and reason, and the rows that were not counted in full.

    `rows_open` are those that the partner can correct and has not; `corrected_by` the batches sent for it.
    """

    batch_id: int
    state: str
    file_name: str
    file_sha256: str
    size_bytes: int
    received_at: datetime
    settled_at: datetime | None
    rows: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    settles_on: dict[date, int]
    grams: int
    points: int
    fault: str
    fault_at: str
    outcomes_total: int
    outcomes: list[RowOutcome]
    corrects: int | None
    rows_open: int
    corrected_by: list[int]
    rejected_csv_url: str


class PushReceipt(Schema):
    """What became of a pushed record at once: received, known (pushed before) or refused with a reason."""

    record_id: str
    day: str
    state: str
    reason: str
    field: str
    text: str


class RecordsAccepted(Schema):
    """One receipt a record, in the order in which they came."""

    receipts: list[PushReceipt]


class PushedRecord(Schema):
    """What became of a pushed record: verdict `received` until it is posted, then that of its row."""

    record_id: str
    day: date
    received_at: datetime
    batch_id: int | None
    row_number: int | None
    verdict: str
    reason: str
    field: str
    text: str
    settles_on: date | None


class CertificateCheck(Schema):
    """One check of a certificate."""

    title: str
    detail: str
    ok: bool


class CertificateDocument(Schema):
    """A certificate as the registry holds it. To check it, download the bundle and verify it yourself."""

    number: str
    quantity_t: int
    retired_at: datetime
    content: dict[str, object]
    page_url: str
    bundle_url: str


class ReconciledBatch(Schema):
    """One batch of a day as it stands now: its rows by verdict, grams and points credited for it."""

    batch_id: int
    file_name: str
    file_sha256: str
    received_at: datetime
    state: str
    rows: int
    verdicts: dict[str, int]
    grams: int
    points: int


class DayReconciliation(Schema):
    """What was received on a day in China, in total and batch by batch."""

    day: date
    rows: int
    verdicts: dict[str, int]
    grams: int
    points: int
    batches: list[ReconciledBatch]
    records_csv_url: str


class Result(Schema):
    """What became of one record. `state` is counted, clipped, not_counted, taken_back, reinstated or recalculated; the last line of a record holds.

    A row that could not be read has no `record_id` and no `day`: `batch_id` and `row_number` say which it was.
    """

    part: int
    batch_id: int
    row_number: int
    record_id: str
    day: date | None
    scenario: str
    methodology: str
    state: str
    reason: str
    grams: int


class ResultsPage(Schema):
    """Results in their order, the cursor to go on with, and whether there is more now."""

    results: list[Result]
    next: str
    more: bool
