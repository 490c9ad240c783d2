"""Deferred work of intake (后台任务)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from procrastinate import RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued

from tanpuhui.behaviour.activity import operations, queries
from tanpuhui.behaviour.activity.domain.exceptions import RecalculationRuns
from tanpuhui.behaviour.activity.domain.recalculations import RecalculationState
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import StorageFull
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app, defer
from tanpuhui.foundation.persistence.locks import Busy

ATTEMPTS_MAX = 20
WAIT_SECONDS = 3
FORGOTTEN_AFTER = timedelta(minutes=10)
AGAIN = RetryStrategy(
    max_attempts=ATTEMPTS_MAX, wait=WAIT_SECONDS, retry_exceptions={Busy, StorageFull, *CONNECTION_LOST}
)


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


@app.task(  # type: ignore[untyped-decorator]
    name="activity.audit_record_ids",
    queue="posting",
    retry=RetryStrategy(
        max_attempts=ATTEMPTS_MAX,
        wait=WAIT_SECONDS,
        retry_exceptions={Busy, RecalculationRuns, *CONNECTION_LOST},
    ),
)
def audit_record_ids(partner_id: int) -> None:
    """Take back what a partner sent again under another day; a second search finds nothing new."""
    operations.audit_record_ids(actor=SYSTEM, at=datetime.now(UTC), partner_id=partner_id)


@app.periodic(cron="20 18 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.audit_all_record_ids",
    queueing_lock="activity:audit_all_record_ids",
    lock="activity:audit_all_record_ids",
)  # type: ignore[untyped-decorator]
def audit_all_record_ids_nightly(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Queue the search, at 02:20 in China, for every partner that was posted since."""
    for partner_id in queries.partners_to_audit():
        _once_more("activity.audit_record_ids", f"activity:audit:{partner_id}", partner_id=partner_id)


@app.periodic(cron="55 17 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.destroy_originals",
    queueing_lock="activity:destroy_originals",
    lock="activity:destroy_originals",
)  # type: ignore[untyped-decorator]
def destroy_originals_nightly(timestamp: int) -> None:
    """Destroy the keys of originals whose retention time is over, at 01:55 in China, some hundreds in a transaction."""
    at = datetime.fromtimestamp(timestamp, UTC)
    while operations.destroy_originals(actor=SYSTEM, at=at).more:
        pass


@app.periodic(cron="*/10 * * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.take_up_again",
    queueing_lock="activity:take_up_again",
    lock="activity:take_up_again",
)  # type: ignore[untyped-decorator]
def take_up_again(timestamp: int) -> None:
    """Queue again what nobody has taken up for long: files whose job gave up (a full disk, an unset rule), and pushes."""
    since = datetime.fromtimestamp(timestamp, UTC) - FORGOTTEN_AFTER
    for batch_id in queries.batches_left(received_before=since):
        _once_more("activity.post_batch", f"activity:post_batch:{batch_id}", batch_id=batch_id)
    for partner_id in queries.partners_to_gather(received_before=since):
        _once_more("activity.gather_pushed", f"activity:gather_pushed:{partner_id}", partner_id=partner_id)


def _once_more(task: str, name: str, **arguments: Any) -> None:
    """Queue a job unless the last such one still waits; a second run of what is done does no harm."""
    with suppress(AlreadyEnqueued):
        defer(task, queueing_lock=name, **arguments)


@app.periodic(cron="* * * * * */20")  # type: ignore[untyped-decorator]
@app.task(
    name="activity.number_results", queueing_lock="activity:number_results", lock="activity:number_results"
)  # type: ignore[untyped-decorator]
def number_results(timestamp: int) -> None:
    """Three times a minute number what became of records, so that partners can read it; an idle province writes nothing."""
    if queries.results_to_number():
        operations.number_results(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="37 * * * *")  # type: ignore[untyped-decorator]
@app.task(name="activity.forget_calls", queueing_lock="activity:forget_calls")  # type: ignore[untyped-decorator]
def forget_calls_hourly(timestamp: int) -> None:
    """Delete the counts of calls of days that are over."""
    operations.forget_calls(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="40 17 * * *")  # type: ignore[untyped-decorator]
@app.task(name="activity.warn_of_quality", queueing_lock="activity:warn_of_quality")  # type: ignore[untyped-decorator]
def warn_of_quality_nightly(timestamp: int) -> None:
    """Look, at 01:40 in China, at what came the day before; nobody is told twice of one day."""
    at = datetime.fromtimestamp(timestamp, UTC)
    operations.warn_of_quality(actor=SYSTEM, at=at, day=business_day(at) - timedelta(days=1))
