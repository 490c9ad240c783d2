"""Begin a monitoring report (监测报告) from a pool, and the case that carries it to issuance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.credits.projects.domain import NothingToIssue, PoolAlreadyReported, PoolOfAnotherScenario
from tanpuhui.credits.projects.models import MonitoringReport, Project
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import Grams, Tonnes
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow.operations import open_case


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringReportOpened:
    """The report, and the case in which it is decided."""

    report_id: int
    case_id: int
    case_number: str


@operation(roles={Role.MAKER}, subject="monitoring_report:{report_id}")
def open_monitoring_report(
    *,
    actor: Actor,
    at: datetime,
    project_id: int,
    verifier_id: int,
    pool_id: int,
    pool_scenario: str,
    pool_root: str,
    first_day: date,
    last_day: date,
    grams: Grams,
    tonnes: Tonnes,
    remainder: Grams,
    methodologies: tuple[str, ...],
    idempotency_key: str | None = None,
) -> MonitoringReportOpened:
    """Open the report of one pool for one project; `grams` is what was pooled plus what was carried in.

    Raises NotFound, PoolOfAnotherScenario, PoolAlreadyReported, NothingToIssue.
    """
    lock_names(f"projects:pool:{pool_id}")
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise NotFound(what="项目", id=project_id)
    actor.require(Role.MAKER, operation="projects.open_monitoring_report", area=project.area)
    if project.scenario != pool_scenario:
        raise PoolOfAnotherScenario(
            pool_scenario=pool_scenario, project_code=project.code, scenario=project.scenario
        )
    earlier = MonitoringReport.objects.filter(pool_id=pool_id).first()
    if earlier is not None:
        raise PoolAlreadyReported(pool_id=pool_id, report_id=earlier.pk)
    if tonnes <= Tonnes(0):
        raise NothingToIssue
    row = MonitoringReport.objects.create(
        project=project,
        pool_id=pool_id,
        first_day=first_day,
        last_day=last_day,
        grams=grams,
        tonnes=tonnes,
        remainder_g=remainder,
        methodologies=list(methodologies),
        pool_root=pool_root,
        opened_at=at,
    )
    case = open_case(
        actor=actor,
        at=at,
        process="issuance",
        subject_type="monitoring_report",
        subject_id=str(row.pk),
        title=f"{project.name_zh} {first_day:%Y-%m-%d}–{last_day:%Y-%m-%d}，{tonnes} t",
        area=project.area,
        organisation_id=project.owner_id,
        parties={Role.VERIFIER: verifier_id},
    )
    return MonitoringReportOpened(report_id=row.pk, case_id=case.case_id, case_number=case.number)
