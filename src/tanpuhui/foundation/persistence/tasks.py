"""Jobs whose worker died are given to another worker (失联任务重派)."""

from __future__ import annotations

from tanpuhui.foundation.persistence.jobs import STALLED_SECONDS, app

EVERY_TEN_SECONDS = "* * * * * */10"
"""Seconds are the sixth field; in the first place they would be minutes."""
AHEAD = 200
"""What a dead worker left is put back before anything new is begun."""


@app.periodic(cron=EVERY_TEN_SECONDS)  # type: ignore[untyped-decorator]
@app.task(name="persistence.retry_stalled_jobs", queueing_lock="persistence:retry_stalled", priority=AHEAD)  # type: ignore[untyped-decorator]
async def retry_stalled_jobs(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Put back every running job whose worker has given no sign of life for STALLED_SECONDS.

    A task is written so that running it twice does no harm; what it had not committed is not there.
    """
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await app.job_manager.retry_job(job)
