"""The clock of cases: notices that are over move on, deadlines follow the holiday table."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.foundation.persistence.jobs import SYSTEM, app
from tanpuhui.foundation.workflow.operations import end_notices, reckon_deadlines


@app.periodic(cron="*/10 * * * *")  # type: ignore[untyped-decorator]
@app.task(name="workflow.end_notices", queueing_lock="workflow:end_notices")  # type: ignore[untyped-decorator]
def end_notices_that_are_over(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Move on every case whose public notice is over and whose objections are answered."""
    end_notices(at=datetime.now(UTC))


@app.task(name="workflow.reckon_deadlines", lock="workflow:reckon_deadlines")  # type: ignore[untyped-decorator]
def reckon_deadlines_again() -> None:
    """Reckon the deadlines of all running cases, some hundred in a transaction."""
    after = 0
    while True:
        done = reckon_deadlines(actor=SYSTEM, at=datetime.now(UTC), after_id=after)
        if done.last_id == 0:
            return
        after = done.last_id
