"""Deferred work of carbon accounts: people are told what was taken back; once a night what waited too long lapses."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.behaviour.carbon_accounts.operations import end_admissions, tell_of_taken_back
from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app
from tanpuhui.foundation.persistence.locks import Busy


@app.periodic(cron="45 17 * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="carbon_accounts.end_admissions",
    queueing_lock="carbon_accounts:end_admissions",
    lock="carbon_accounts:end_admissions",
)
def end_admissions_nightly(timestamp: int) -> None:
    """End at 01:45 in China what nobody accepted in time; an admission without a last day stays open."""
    end_admissions(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))


@app.task(  # type: ignore[untyped-decorator]
    name="carbon_accounts.tell_of_taken_back",
    queue="messages",
    retry=RetryStrategy(max_attempts=20, wait=3, retry_exceptions={Busy, *CONNECTION_LOST}),
)
def tell_of_taken_back_records(run_id: int) -> None:
    """Tell the persons of a run; a second try tells nobody twice."""
    tell_of_taken_back(actor=SYSTEM, at=datetime.now(UTC), run_id=run_id)
