"""The clock of methodologies: periodic reviews that are due."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.foundation.persistence.jobs import SYSTEM, app
from tanpuhui.science.methodology.operations import open_due_reviews


@app.periodic(cron="20 17 * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="methodology.open_due_reviews",
    queueing_lock="methodology:open_due_reviews",
    lock="methodology:open_due_reviews",
)
def open_due_reviews_nightly(timestamp: int) -> None:
    """Open the reviews that are due, at 01:20 in China; one that runs already is not opened twice."""
    open_due_reviews(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))
