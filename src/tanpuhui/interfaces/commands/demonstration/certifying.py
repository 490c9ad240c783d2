"""Act three: months are pooled, reports travel, units are issued, transferred and retired; some of it waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tanpuhui.behaviour.carbon_accounts.operations import MonthPooled, pool_month
from tanpuhui.credits.projects.queries import projects
from tanpuhui.credits.registry.operations import Beneficiary, accept_transfer, offer_transfer, retire_units
from tanpuhui.credits.registry.queries import Purpose, issuances
from tanpuhui.foundation.kernel.calendar import Month
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.journeys import sweep_pool

STEPS = (
    ("submit", "owner", "owner", "监测数据与归集池一致，提交核查。演示意见。"),
    ("verify", "verifier", "verifier", "抽查原始批次与归集池根哈希，吨数相符。演示意见。"),
    ("prepare", "centre", "maker", "核查声明齐备，拟签发。演示意见。"),
    ("issue", "centre", "checker", "与经办数据逐项核对，同意签发。演示意见。"),
)
"""Outcome, kind of organisation, role and opinion of each step from a report to its issuance."""

HOW_FAR: dict[tuple[int, int], int] = {(0, 0): 4, (0, 1): 3, (0, 2): 1, (1, 0): 0, (1, 1): 0}
"""(month, project) → how many steps its report has gone; the rest waits in somebody's inbox."""


def full_months(stage: Stage) -> tuple[Month, ...]:
    """Return the calendar months that lie wholly within the story, oldest first, at most the last two."""
    months = []
    day = stage.today.replace(day=1)
    while (day := (day - timedelta(days=1)).replace(day=1)) >= stage.first_day:
        months.append(Month.of(day))
    return tuple(reversed(months[:2]))


def certify(stage: Stage) -> None:
    """Pool the full months of every project's scenario, and take the reports as far as the story says.

    The last project's last month is left for whoever looks around: a pool cannot be taken again, so that without it
    the maker's page could only refuse until this month ends.
    """
    months, plans = full_months(stage), stage.cast.projects
    for month_place, month in enumerate(months):
        for project_place, plan in enumerate(plans):
            if len(plans) > 1 and month == months[-1] and plan == plans[-1]:
                continue
            at = stage.moment(month.last_day + timedelta(days=2 + project_place))
            maker = stage.actor(stage.with_role("centre", "maker"), at)
            pooled = pool_month(
                actor=maker,
                at=at,
                idempotency_key=stage.key("pool", plan.scenario, month),
                scenario=plan.scenario,
                month=str(month),
            )
            steps = HOW_FAR.get((month_place, project_place))
            if steps is not None and pooled.tonnes > Tonnes(0):
                _sweep(stage, pooled=pooled, code=plan.code, at=at + timedelta(hours=1), steps=STEPS[:steps])


def _sweep(
    stage: Stage, *, pooled: MonthPooled, code: str, at: datetime, steps: Sequence[tuple[str, str, str, str]]
) -> None:
    project = next(row for row in projects() if row.code == code)
    swept = sweep_pool(
        actor=stage.actor(stage.with_role("centre", "maker"), at),
        at=at,
        pool_id=pooled.pool_id,
        project_id=project.project_id,
        verifier_id=stage.organisation_ids[stage.cast.of_kind("verifier")[0].key],
        idempotency_key=stage.key("sweep", pooled.pool_id),
    )
    for outcome, kind, role, opinion in steps:
        at += timedelta(hours=5)
        username = _owner_of(stage, project.owner_id) if role == "owner" else stage.with_role(kind, role)
        decide(
            actor=stage.actor(username, at),
            at=at,
            idempotency_key=stage.key("report", swept.report_id, outcome),
            case_id=swept.case_id,
            outcome=outcome,
            opinion=opinion,
        )


def _owner_of(stage: Stage, owner_id: int) -> str:
    key = next(key for key, value in stage.organisation_ids.items() if value == owner_id)
    return stage.player(key)


def trade_and_retire(stage: Stage) -> None:
    """Move units of the first issuance to the buyer, who accepts and retires some; a second offer waits."""
    issued = issuances()[-1]
    plan = next(plan for plan in stage.cast.projects if plan.code == issued.project_code)
    at = stage.moment(stage.today - timedelta(days=8))
    owner_id, buyer_id = stage.organisation_ids[plan.owner], stage.organisation_ids["buyer"]
    owner, buyer = stage.actor(stage.player(plan.owner), at), stage.actor(stage.player("buyer"), at)
    offered = offer_transfer(
        actor=owner,
        at=at,
        issuance_id=issued.issuance_id,
        source_organisation_id=owner_id,
        target_organisation_id=buyer_id,
        quantity=Tonnes(stage.cast.transfer_tonnes),
        idempotency_key=stage.key("transfer", 1),
    )
    accept_transfer(
        actor=buyer,
        at=at + timedelta(hours=3),
        transfer_id=offered.transfer_id,
        idempotency_key=stage.key("transfer", 1, "accept"),
    )
    retire_units(
        actor=buyer,
        at=at + timedelta(days=1),
        organisation_id=buyer_id,
        issuance_id=issued.issuance_id,
        quantity=Tonnes(stage.cast.retirement_tonnes),
        beneficiary=Beneficiary(kind="event", name=stage.cast.beneficiary),
        purpose=Purpose.EVENT,
        purpose_text=stage.cast.purpose_text,
        idempotency_key=stage.key("retirement", 1),
    )
    offer_transfer(
        actor=owner,
        at=at + timedelta(days=2),
        issuance_id=issued.issuance_id,
        source_organisation_id=owner_id,
        target_organisation_id=buyer_id,
        quantity=Tonnes(1),
        idempotency_key=stage.key("transfer", 2),
    )
