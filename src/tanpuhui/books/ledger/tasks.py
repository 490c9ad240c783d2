"""The ledger's clock: once a night what is due is taken, then lapsed points."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.books.ledger.operations import expire_points, settle_due
from tanpuhui.foundation.persistence.jobs import SYSTEM, app
from tanpuhui.foundation.rulebook.queries import parameter


@app.periodic(cron="30 18 * * *")  # type: ignore[untyped-decorator]
@app.task(name="ledger.expire_points", queueing_lock="ledger:expire_points", lock="ledger:expire_points")  # type: ignore[untyped-decorator]
def expire_points_nightly(timestamp: int) -> None:
    """Let points lapse at 02:30 in China; do nothing while nobody has decided how long points are valid."""
    at = datetime.fromtimestamp(timestamp, UTC)
    if parameter(key="points.validity_days", at=at).value is not None:
        expire_points(actor=SYSTEM, at=at)


@app.periodic(cron="15 18 * * *")  # type: ignore[untyped-decorator]
@app.task(name="ledger.settle_due", queueing_lock="ledger:settle_due", lock="ledger:settle_due")  # type: ignore[untyped-decorator]
def settle_due_nightly(timestamp: int) -> None:
    """Take what is due at 02:15 in China, before points lapse, so that a debt is paid with the oldest points."""
    settle_due(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))
