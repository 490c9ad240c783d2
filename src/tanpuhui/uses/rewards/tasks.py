"""The clock of rewards: overdue coupons expire once a night."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.foundation.persistence.jobs import SYSTEM, app
from tanpuhui.uses.rewards.operations import expire_coupons


@app.periodic(cron="10 17 * * *")  # type: ignore[untyped-decorator]
@app.task(
    name="rewards.expire_coupons", queueing_lock="rewards:expire_coupons", lock="rewards:expire_coupons"
)  # type: ignore[untyped-decorator]
def expire_coupons_nightly(timestamp: int) -> None:
    """Expire coupons at 01:10 in China, before points lapse, so that points that come back are seen by that run."""
    at = datetime.fromtimestamp(timestamp, UTC)
    while expire_coupons(actor=SYSTEM, at=at).more:
        pass
