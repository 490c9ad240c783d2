"""Deferred work of identity: activation codes, contracts that end, sign-ins past their retention (后台任务)."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.foundation.identity.operations import forget_nonces, send_invitation, warn_of_contracts
from tanpuhui.foundation.identity.operations import forget_sign_ins as forget
from tanpuhui.foundation.persistence.jobs import SYSTEM, app

EVERY_MORNING = "5 0 * * *"
"""In UTC: 08:05 in China."""
EVERY_NIGHT = "23 3 * * *"
AGAIN = RetryStrategy(max_attempts=8, exponential_wait=3)
"""A gateway that does not answer is asked again after seconds, then minutes, then some hours."""


@app.task(name="identity.send_invitation", retry=AGAIN)  # type: ignore[untyped-decorator]
def send_invitation_by_text(user_id: int) -> None:
    """Send an activation code; who has set a password in the meantime gets none."""
    send_invitation(user_id=user_id, at=datetime.now(UTC))


@app.periodic(cron=EVERY_MORNING)  # type: ignore[untyped-decorator]
@app.task(name="identity.warn_of_contracts", queueing_lock="identity:warn_of_contracts")  # type: ignore[untyped-decorator]
def warn_of_contracts_that_end(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Tell of contracts that end soon, once each."""
    warn_of_contracts(actor=SYSTEM, at=datetime.now(UTC))


@app.periodic(cron=EVERY_NIGHT)  # type: ignore[untyped-decorator]
@app.task(name="identity.forget_sign_ins", queueing_lock="identity:forget_sign_ins")  # type: ignore[untyped-decorator]
def forget_sign_ins(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Delete what is past its retention, in small transactions. A second run finds nothing and does no harm."""
    while forget(actor=SYSTEM, at=datetime.now(UTC)).more:
        continue


@app.periodic(cron="41 * * * *")  # type: ignore[untyped-decorator]
@app.task(name="identity.forget_nonces", queueing_lock="identity:forget_nonces")  # type: ignore[untyped-decorator]
def forget_nonces_hourly(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Delete nonces that no signature can use again."""
    forget_nonces(actor=SYSTEM, at=datetime.now(UTC))
