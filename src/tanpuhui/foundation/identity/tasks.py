"""Deferred work of signing in (后台任务)."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.foundation.identity.operations import forget_sign_ins as forget
from tanpuhui.foundation.persistence.jobs import SYSTEM, app

EVERY_NIGHT = "23 3 * * *"


@app.periodic(cron=EVERY_NIGHT)  # type: ignore[untyped-decorator]
@app.task(name="identity.forget_sign_ins", queueing_lock="identity:forget_sign_ins")  # type: ignore[untyped-decorator]
def forget_sign_ins(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Delete what is past its retention, in small transactions. A second run finds nothing and does no harm."""
    while forget(actor=SYSTEM, at=datetime.now(UTC)).more:
        continue
