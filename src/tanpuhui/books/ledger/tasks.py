"""The ledger's clock: lapsed points are taken once a night."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.books.ledger.operations import expire_points
from tanpuhui.foundation.persistence.jobs import SYSTEM, app
from tanpuhui.foundation.rulebook.queries import parameter


@app.periodic(cron="30 18 * * *")  # type: ignore[untyped-decorator]
@app.task(name="ledger.expire_points", queueing_lock="ledger:expire_points", lock="ledger:expire_points")  # type: ignore[untyped-decorator]
def expire_points_nightly(timestamp: int) -> None:
    """Let points lapse at 02:30 in China; do nothing while nobody has decided how long points are valid."""
    at = datetime.fromtimestamp(timestamp, UTC)
    if parameter(key="points.validity_days", at=at).value is not None:
        expire_points(actor=SYSTEM, at=at)
