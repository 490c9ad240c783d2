"""Deferred work of journeys: accounts that are to be closed (后台任务)."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.foundation.identity.queries import closures_due
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app, defer
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.journeys._close_account import close_account, give_up_late_points

AGAIN = RetryStrategy(max_attempts=20, wait=3, retry_exceptions={Busy, *CONNECTION_LOST})


@app.task(name="journeys.close_account", queue="posting", retry=AGAIN)  # type: ignore[untyped-decorator]
def close_one_account(closure_id: int) -> None:
    """Close one account that is due; one that is put off is tried again at night."""
    close_account(actor=SYSTEM, at=datetime.now(UTC), closure_id=closure_id)


@app.periodic(cron="15 19 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="journeys.close_due_accounts",
    queueing_lock="journeys:close_due_accounts",
    lock="journeys:close_due_accounts",
)  # type: ignore[untyped-decorator]
def close_due_accounts_nightly(timestamp: int) -> None:
    """Queue, at 03:15 in China, every closure that is due, behind what waits to be posted; take late points back."""
    at = datetime.fromtimestamp(timestamp, UTC)
    for closure_id in closures_due(at=at):
        defer("journeys.close_account", closure_id=closure_id)
    give_up_late_points(actor=SYSTEM, at=at)
