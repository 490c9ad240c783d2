"""What leaves the platform leaves by these jobs (投递任务)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.foundation.messages.operations import deliver
from tanpuhui.foundation.messages.queries import due_deliveries
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, app
from tanpuhui.foundation.persistence.locks import Busy

SWEEP_MAX = 500


@app.task(  # type: ignore[untyped-decorator]
    name="messages.deliver",
    queue="messages",
    retry=RetryStrategy(max_attempts=20, wait=3, retry_exceptions={Busy, *CONNECTION_LOST}),
)
def deliver_now(delivery_ids: Sequence[int]) -> None:
    """Try the deliveries of one event; what is not taken now is tried again by the sweep."""
    for delivery_id in delivery_ids:
        deliver(delivery_id=delivery_id, at=datetime.now(UTC))


@app.periodic(cron="* * * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="messages.sweep", queue="messages", queueing_lock="messages:sweep", lock="messages:sweep"
)
def sweep(timestamp: int) -> None:
    """Try every delivery whose time has come, the longest due first; a minute later the rest."""
    at = datetime.fromtimestamp(timestamp, UTC)
    for delivery_id in due_deliveries(at=at, limit=SWEEP_MAX):
        deliver(delivery_id=delivery_id, at=datetime.now(UTC))
