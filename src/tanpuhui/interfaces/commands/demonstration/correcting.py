"""Partners answer for what was wrong in their files (数据更正): most cases are closed, two of each partner wait."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.foundation.workflow.queries import CaseView, Criteria, Scope, find_cases
from tanpuhui.interfaces.commands.demonstration.behaviour_generator import FUTURE_DAYS, moved
from tanpuhui.interfaces.commands.demonstration.cast import Troupe
from tanpuhui.interfaces.commands.demonstration.living import file_stem, plans, rides, send
from tanpuhui.interfaces.commands.demonstration.stage import Stage

DECLARED = "设备故障造成的个别行，源数据已不可恢复，不再报送。演示意见。"
CLOSED = "与逐行结论核对，说明成立，办结。演示意见。"
RESENT = "距离取反、设备时钟超前的行已更正并重新报送，记录编号不变。演示意见。"


def answer_corrections(stage: Stage) -> None:
    """Leave each partner's latest case to the partner and the one before to a maker; the others are closed."""
    for troupe in stage.cast.troupes:
        if troupe.feed is None:
            continue
        asked = find_cases(
            scope=Scope(organisation_ids=(stage.organisation_ids[troupe.key],)),
            actor=SYSTEM,
            at=stage.founding(),
            criteria=Criteria(process="batch_correction"),
        )
        for place, case in enumerate(asked.cases):
            if place == 1:
                _resend(stage, troupe, case)
                _decide(stage, case, "resubmit", stage.player(troupe.key), RESENT, hours=30)
            elif place > 1:
                _decide(stage, case, "declare", stage.player(troupe.key), DECLARED, hours=30)
                _decide(stage, case, "close", stage.with_role("centre", "maker"), CLOSED, hours=52)


def _decide(stage: Stage, case: CaseView, outcome: str, username: str, opinion: str, *, hours: int) -> None:
    at = case.opened_at + timedelta(hours=hours)
    decide(
        actor=stage.actor(username, at),
        at=at,
        idempotency_key=stage.key("correction", case.number, outcome),
        case_id=case.case_id,
        outcome=outcome,
        opinion=opinion,
    )


def _resend(stage: Stage, troupe: Troupe, case: CaseView) -> None:
    """Send the rows that can still be mended as a file of their own, and post it."""
    wrong = activity.batch(int(case.subject_id))
    plan = next(plan for plan in plans(stage) if wrong.file_name.startswith(file_stem(troupe, plan)))
    at = case.opened_at + timedelta(hours=28)
    received = send(
        stage,
        troupe,
        rows=_mended(rides(stage, troupe, plan), received_at=wrong.received_at),
        name=f"{file_stem(troupe, plan)}-corrected",
        key=stage.key("batch", troupe.key, plan.number, "corrected"),
        at=at,
    )
    post_batch(actor=SYSTEM, at=at + timedelta(minutes=1), batch_id=received.batch_id)


def _mended(rows: Iterator[dict[str, str]], *, received_at: datetime) -> Iterator[dict[str, str]]:
    """Yield the impossible rows put right, each once; what a device never wrote stays lost."""
    right: dict[str, dict[str, str]] = {}
    today = f"{received_at:%Y-%m-%d}"
    for row in rows:
        if row["distance_km"].startswith("-"):
            right[row["record_id"]] = row | {"distance_km": row["distance_km"].removeprefix("-")}
        elif row["started_at"].isascii() and row["started_at"][:10] > today:
            right[row["record_id"]] = moved(row, days=-FUTURE_DAYS)
    yield from right.values()
