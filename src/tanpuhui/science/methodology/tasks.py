"""The clock of methodologies: periodic reviews that are due, and what experts are told."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.science.methodology.operations import open_due_reviews, tell_called_expert


@app.periodic(cron="20 17 * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="methodology.open_due_reviews",
    queueing_lock="methodology:open_due_reviews",
    lock="methodology:open_due_reviews",
)
def open_due_reviews_nightly(timestamp: int) -> None:
    """Open the reviews that are due, at 01:20 in China; one that runs already is not opened twice."""
    open_due_reviews(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))


@app.task(  # type: ignore[untyped-decorator]
    name="methodology.tell_called_expert",
    queue="messages",
    retry=RetryStrategy(max_attempts=20, wait=3, retry_exceptions={Busy, *CONNECTION_LOST}),
)
def tell_expert(panel_id: int, expert_number: int, **_event: object) -> None:
    """Tell an expert that they were called; nobody is told twice of one seat."""
    tell_called_expert(actor=SYSTEM, at=datetime.now(UTC), panel_id=panel_id, expert_number=expert_number)
