"""Deferred work of intake (后台任务)."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.behaviour.activity import operations
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app
from tanpuhui.foundation.persistence.locks import Busy

ATTEMPTS_MAX = 20
WAIT_SECONDS = 3


@app.task(  # type: ignore[untyped-decorator]
    name="activity.post_batch",
    queue="posting",
    retry=RetryStrategy(
        max_attempts=ATTEMPTS_MAX, wait=WAIT_SECONDS, retry_exceptions={Busy, *CONNECTION_LOST}
    ),
)
def post_batch(batch_id: int) -> None:
    """Post one received batch. A batch that is settled already is left as it is, so a second run does no harm."""
    operations.post_batch(actor=SYSTEM, at=datetime.now(UTC), batch_id=batch_id)
