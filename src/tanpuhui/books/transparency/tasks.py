"""The sequencer's clock: one head a second while leaves are waiting."""

from __future__ import annotations

from datetime import UTC, datetime

from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.foundation.persistence.jobs import app

AHEAD = 100
"""The log goes before waiting postings, so that a queue of files does not keep proofs pending."""


@app.periodic(cron="* * * * * *")  # type: ignore[untyped-decorator]
@app.task(name="transparency.sequence_leaves", queueing_lock="transparency:sequencer", priority=AHEAD)  # type: ignore[untyped-decorator]
def sequence_waiting_leaves(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Sequence what is waiting now; a head is dated when it is signed, not when the job was due."""
    sequence_leaves(at=datetime.now(UTC))
