"""A revised bus factor in the made-up town, and the two people who recalculate with it."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from tests.integration.behaviour.activity.town import DEMONSTRATION, METHODOLOGIES, file_methodology

from tanpuhui.behaviour.activity.operations import (
    StepAdjusted,
    adjust_next_step,
    prepare_recalculation,
    preview_recalculation,
    propose_recalculation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.science.methodology.queries import filed_version

MAKER = Actor(kind="user", id="901", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="902", grants=(Grant(role=Role.CHECKER, area="990000"),))


def key() -> str:
    return uuid.uuid4().hex


def revised_bus(baseline: str, *, valid_from: date = date(2018, 1, 1)) -> int:
    """File the bus methodology with another baseline factor (kg per km; 0.104 before) and return its version."""
    folder = METHODOLOGIES / "a01-bus" / "1.0"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    factors = files["factors/transport.yaml"].decode()
    assert "value: 0.104" in factors
    files["factors/transport.yaml"] = factors.replace("value: 0.104", f"value: {baseline}").encode()
    return file_methodology("a01-bus", parameter_set=DEMONSTRATION, files=files, valid_from=valid_from)


def bus_version(at: datetime) -> int:
    return filed_version(scenario="bus", day=at.date()).id


def previewed(at: datetime, old: int, new: int, *, month: str = "2026-11", last: str = "") -> int:
    """Prepare a recalculation and have its preview; return its number."""
    prepared = prepare_recalculation(
        actor=MAKER, at=at, idempotency_key=key(), scenario="bus", from_version_id=old, to_version_id=new,
        first_month=month, last_month=last or month, reason="因子修订",
    )  # fmt: skip
    preview_all(at, prepared.recalculation_id)
    return prepared.recalculation_id


def preview_all(at: datetime, number: int) -> None:
    """Work out every slice of a preview."""
    while preview_recalculation(actor=SYSTEM, at=at, recalculation_id=number).state == "prepared":
        pass


def approved(at: datetime, old: int, new: int, *, month: str = "2026-11", last: str = "") -> int:
    """Prepare, preview, propose and approve a recalculation; return its number."""
    number = previewed(at, old, new, month=month, last=last)
    approve(at, number)
    return number


def approve(at: datetime, number: int) -> None:
    """Propose a previewed recalculation as its maker, and approve it as the checker."""
    proposed = propose_recalculation(
        actor=MAKER, at=at, idempotency_key=key(), recalculation_id=number, opinion="试算无误"
    )
    decide(
        actor=CHECKER,
        at=at,
        idempotency_key=key(),
        case_id=proposed.case_id,
        outcome="approve",
        opinion="同意",
    )


def adjust_all(at: datetime, number: int) -> StepAdjusted:
    """Post every step that is left."""
    while (done := adjust_next_step(actor=SYSTEM, at=at, recalculation_id=number)).state != "done":
        pass
    return done
