"""The clock of admissions: once a night what waited too long lapses."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.behaviour.carbon_accounts.operations import end_admissions
from tanpuhui.foundation.persistence.jobs import SYSTEM, app


@app.periodic(cron="45 17 * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="carbon_accounts.end_admissions",
    queueing_lock="carbon_accounts:end_admissions",
    lock="carbon_accounts:end_admissions",
)
def end_admissions_nightly(timestamp: int) -> None:
    """End at 01:45 in China what nobody accepted in time; an admission without a last day stays open."""
    end_admissions(actor=SYSTEM, at=datetime.fromtimestamp(timestamp, UTC))
