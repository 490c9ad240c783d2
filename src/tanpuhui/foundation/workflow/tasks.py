"""The clock of cases: notices that are over move on, deadlines follow the holiday table, and people hear of it all."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import RetryStrategy

from tanpuhui.foundation.persistence.jobs import CONNECTION_LOST, SYSTEM, app
from tanpuhui.foundation.persistence.locks import Busy
from tanpuhui.foundation.workflow import operations

AGAIN = RetryStrategy(max_attempts=20, wait=3, retry_exceptions={Busy, *CONNECTION_LOST})


@app.periodic(cron="*/10 * * * *")  # type: ignore[untyped-decorator]
@app.task(name="workflow.end_notices", queueing_lock="workflow:end_notices")  # type: ignore[untyped-decorator]
def end_notices_that_are_over(timestamp: int) -> None:  # noqa: ARG001  a periodic task is called with the moment it was due
    """Move on every case whose public notice is over and whose objections are answered."""
    operations.end_notices(at=datetime.now(UTC))


@app.task(name="workflow.reckon_deadlines", lock="workflow:reckon_deadlines")  # type: ignore[untyped-decorator]
def reckon_deadlines_again() -> None:
    """Reckon the deadlines of all running cases, some hundred in a transaction."""
    after = 0
    while True:
        done = operations.reckon_deadlines(actor=SYSTEM, at=datetime.now(UTC), after_id=after)
        if done.last_id == 0:
            return
        after = done.last_id


@app.task(name="workflow.tell_of_opening", queue="messages", retry=AGAIN)  # type: ignore[untyped-decorator]
def tell_of_opening(case_id: int, **_event: object) -> None:
    """Tell of a new case; twice does no harm, for nobody is told twice of one event."""
    operations.tell_of_opening(actor=SYSTEM, at=datetime.now(UTC), case_id=case_id)


@app.task(name="workflow.tell_of_decision", queue="messages", retry=AGAIN)  # type: ignore[untyped-decorator]
def tell_of_decision(case_id: int, decision_id: int, **_event: object) -> None:
    """Tell the people whom a decision concerns."""
    operations.tell_of_decision(actor=SYSTEM, at=datetime.now(UTC), case_id=case_id, decision_id=decision_id)


@app.task(name="workflow.tell_of_act", queue="messages", retry=AGAIN)  # type: ignore[untyped-decorator]
def tell_of_act(case_id: int, act_id: int, **_event: object) -> None:
    """Tell whom a case was passed to, or those who are urged."""
    operations.tell_of_act(actor=SYSTEM, at=datetime.now(UTC), case_id=case_id, act_id=act_id)


@app.task(name="workflow.tell_of_objection", queue="messages", retry=AGAIN)  # type: ignore[untyped-decorator]
def tell_of_objection(comment_id: int, **_event: object) -> None:
    """Tell those in charge of an objection that waits for them."""
    operations.tell_of_objection(actor=SYSTEM, at=datetime.now(UTC), comment_id=comment_id)


@app.task(name="workflow.tell_of_answer", queue="messages", retry=AGAIN)  # type: ignore[untyped-decorator]
def tell_of_answer(comment_id: int, **_event: object) -> None:
    """Tell whoever commented that the answer is public."""
    operations.tell_of_answer(actor=SYSTEM, at=datetime.now(UTC), comment_id=comment_id)


@app.periodic(cron="0 23 * * *")  # type: ignore[untyped-decorator]
@app.task(  # type: ignore[untyped-decorator]
    name="workflow.warn_of_deadlines", queueing_lock="workflow:warn", lock="workflow:warn"
)
def warn_of_deadlines(timestamp: int) -> None:
    """Tell of near and passed deadlines at 07:00 in China, before the offices open."""
    at = datetime.fromtimestamp(timestamp, UTC)
    after: int | None = 0
    while after is not None:
        after = operations.warn_of_deadlines(actor=SYSTEM, at=at, after=after).after
