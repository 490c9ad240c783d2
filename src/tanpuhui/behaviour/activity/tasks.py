"""Deferred work of intake (后台任务)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from procrastinate import RetryStrategy

from tanpuhui.behaviour.activity import operations, queries
from tanpuhui.behaviour.activity.domain.recalculations import RecalculationState
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app, defer
from tanpuhui.foundation.persistence.locks import Busy

ATTEMPTS_MAX = 20
WAIT_SECONDS = 3
AGAIN = RetryStrategy(max_attempts=ATTEMPTS_MAX, wait=WAIT_SECONDS, retry_exceptions={Busy, *CONNECTION_LOST})


@app.task(  # type: ignore[untyped-decorator]
    name="activity.post_batch",
    queue="posting",
    retry=AGAIN,
)
def post_batch(batch_id: int) -> None:
    """Post one received batch. A batch that is settled already is left as it is, so a second run does no harm."""
    operations.post_batch(actor=SYSTEM, at=datetime.now(UTC), batch_id=batch_id)


@app.task(  # type: ignore[untyped-decorator]
    name="activity.preview_recalculation",
    queue="posting",
    retry=AGAIN,
)
def preview_recalculation(recalculation_id: int) -> None:
    """Work out one slice of a preview and queue the next behind what waits; one that is there is left as it is."""
    seen = operations.preview_recalculation(
        actor=SYSTEM, at=datetime.now(UTC), recalculation_id=recalculation_id
    )
    if seen.state == RecalculationState.PREPARED:
        defer("activity.preview_recalculation", recalculation_id=recalculation_id)


@app.task(  # type: ignore[untyped-decorator]
    name="activity.adjust_recalculation",
    queue="posting",
    # Without an end: an approved recalculation is never left half done because intake was busy for a while.
    retry=RetryStrategy(wait=WAIT_SECONDS, retry_exceptions={Busy, *CONNECTION_LOST}),
)
def adjust_recalculation(recalculation_id: int) -> None:
    """Post one step and queue the next behind what waits, so that intake never waits for a whole recalculation."""
    done = operations.adjust_next_step(actor=SYSTEM, at=datetime.now(UTC), recalculation_id=recalculation_id)
    if done.state != RecalculationState.DONE:
        defer("activity.adjust_recalculation", recalculation_id=recalculation_id)


@app.periodic(cron="40 17 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.erase_due_samples",
    queueing_lock="activity:erase_due_samples",
    lock="activity:erase_due_samples",
)  # type: ignore[untyped-decorator]
def erase_due_samples_nightly(timestamp: int) -> None:
    """Erase sandbox samples whose retention time is over, at 01:40 in China, some hundreds in a transaction."""
    at = datetime.fromtimestamp(timestamp, UTC)
    while operations.erase_due_samples(actor=SYSTEM, at=at).more:
        pass


@app.task(  # type: ignore[untyped-decorator]
    name="activity.gather_pushed",
    queue="posting",
    retry=AGAIN,
)
def gather_pushed(partner_id: int) -> None:
    """Make one batch of all that a partner pushed and that waits; the next such job may find nothing, which does no harm."""
    operations.gather_pushed(actor=SYSTEM, at=datetime.now(UTC), partner_id=partner_id)


@app.task(  # type: ignore[untyped-decorator]
    name="activity.settle_day",
    queue="posting",
    retry=AGAIN,
)
def settle_day(day: str) -> None:
    """Settle what waits of a business day (ISO 8601); a day on which nothing is due is left as it is."""
    operations.settle_day(actor=SYSTEM, at=datetime.now(UTC), day=date.fromisoformat(day))


@app.periodic(cron="10 16 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.settle_due_days",
    queueing_lock="activity:settle_due_days",
    lock="activity:settle_due_days",
)  # type: ignore[untyped-decorator]
def settle_due_days_nightly(timestamp: int) -> None:
    """Queue, at 00:10 in China, every business day of which something is to be settled today."""
    for day in queries.days_to_settle(today=business_day(datetime.fromtimestamp(timestamp, UTC))):
        defer("activity.settle_day", day=day.isoformat())
