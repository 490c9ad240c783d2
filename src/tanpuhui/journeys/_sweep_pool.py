"""Sweep a pool into its project (归集入项目): from the persons' side of the chain to the units' side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.carbon_accounts.queries import pool
from tanpuhui.credits.projects.operations import open_monitoring_report
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Tonnes


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSwept:
    """The report that the pool became."""

    pool_id: int
    report_id: int
    case_id: int
    case_number: str
    tonnes: Tonnes


@operation(roles={Role.MAKER}, subject="pool:{pool_id}")
def sweep_pool(
    *, actor: Actor, at: datetime, pool_id: int, project_id: int, verifier_id: int, idempotency_key: str
) -> PoolSwept:
    """Open the monitoring report of a pool in the project that sweeps its scenario.

    Raises NotFound, NotPermitted, PoolOfAnotherScenario, PoolAlreadyReported, NothingToIssue.
    """
    source = pool(pool_id)
    opened = open_monitoring_report(
        actor=actor,
        at=at,
        project_id=project_id,
        verifier_id=verifier_id,
        pool_id=pool_id,
        pool_scenario=source.scenario,
        pool_root=source.root,
        first_day=source.first_day,
        last_day=source.last_day,
        grams=source.grams + source.carried_in,
        tonnes=source.tonnes,
        remainder=source.remainder,
        methodologies=source.methodologies,
    )
    return PoolSwept(
        pool_id=pool_id,
        report_id=opened.report_id,
        case_id=opened.case_id,
        case_number=opened.case_number,
        tonnes=source.tonnes,
    )
