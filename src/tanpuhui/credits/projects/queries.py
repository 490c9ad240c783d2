"""Reads of projects and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from tanpuhui.credits.projects.models import MonitoringReport, Project
from tanpuhui.foundation.kernel.breaches import Breach
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.kernel.quantities import GRAMS_PER_TONNE, Grams, Tonnes
from tanpuhui.science.methodology.queries import Interest


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """A project as others see it."""

    project_id: int
    code: str
    owner_id: int
    scenario: str
    name_zh: str
    name_en: str
    area: str
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A monitoring report with its project and, where there is one, its verification."""

    report_id: int
    project: ProjectView
    pool_id: int
    first_day: date
    last_day: date
    grams: Grams
    tonnes: Tonnes
    remainder: Grams
    methodologies: tuple[str, ...]
    pool_root: str
    opened_at: datetime
    verified_tonnes: Tonnes | None
    verifier_id: int | None
    verified_at: datetime | None

    @property
    def vintage(self) -> int:
        """Return the year in which the reductions happened (减排年份)."""
        return self.last_day.year


def project(*, project_id: int) -> ProjectView:
    """Return one project; raises NotFound."""
    row = Project.objects.filter(pk=project_id).first()
    if row is None:
        raise NotFound(what="项目", id=project_id)
    return _project_view(row)


def projects(*, owner_id: int | None = None) -> tuple[ProjectView, ...]:
    """Return all projects, or those of one owner, by code."""
    rows = Project.objects.order_by("code")
    if owner_id is not None:
        rows = rows.filter(owner_id=owner_id)
    return tuple(_project_view(row) for row in rows)


def project_of_scenario(*, scenario: str) -> ProjectView | None:
    """Return the project that sweeps a scenario, or None where none is registered."""
    row = Project.objects.filter(scenario=scenario).first()
    return None if row is None else _project_view(row)


def interests_in_scenario(scenario: str) -> tuple[Interest, ...]:
    """Return the owners of projects that sweep a scenario, as those who win or lose by its methodology."""
    rows = Project.objects.filter(scenario=scenario).select_related("owner").order_by("code")
    return tuple(Interest(uscc=row.owner.uscc, tie="project", reference=row.code) for row in rows)


def report(*, report_id: int) -> ReportView:
    """Return one monitoring report; raises NotFound."""
    row = _reports().filter(pk=report_id).first()
    if row is None:
        raise NotFound(what="监测报告", id=report_id)
    return _report_view(row)


def reports(*, project_id: int | None = None) -> tuple[ReportView, ...]:
    """Return reports, newest first."""
    rows = _reports().order_by("-id")
    if project_id is not None:
        rows = rows.filter(project_id=project_id)
    return tuple(_report_view(row) for row in rows)


def breaches() -> Iterator[Breach]:
    """Yield every report whose tonnes and remainder do not add up to its grams, or whose statement disagrees."""
    for row in _reports():
        if row.tonnes.value * GRAMS_PER_TONNE + row.remainder_g.value != row.grams.value:
            yield Breach(
                invariant="4 pool and report",
                subject=f"monitoring_report:{row.pk}",
                detail=f"{row.tonnes} t and {row.remainder_g} g are not {row.grams} g",
            )
        for statement in row.statements.all():
            if statement.tonnes == row.tonnes:
                continue
            yield Breach(
                invariant="4 pool and report",
                subject=f"monitoring_report:{row.pk}",
                detail=f"verified {statement.tonnes} t, reported {row.tonnes} t",
            )


def _reports() -> QuerySet[MonitoringReport]:
    return MonitoringReport.objects.select_related("project").prefetch_related("statements")


def _project_view(row: Project) -> ProjectView:
    return ProjectView(
        project_id=row.pk,
        code=row.code,
        owner_id=row.owner_id,
        scenario=row.scenario,
        name_zh=row.name_zh,
        name_en=row.name_en,
        area=row.area,
        registered_at=row.registered_at,
    )


def _report_view(row: MonitoringReport) -> ReportView:
    statement = max(row.statements.all(), key=lambda one: one.round, default=None)
    return ReportView(
        report_id=row.pk,
        project=_project_view(row.project),
        pool_id=row.pool_id,
        first_day=row.first_day,
        last_day=row.last_day,
        grams=row.grams,
        tonnes=row.tonnes,
        remainder=row.remainder_g,
        methodologies=tuple(row.methodologies),
        pool_root=row.pool_root,
        opened_at=row.opened_at,
        verified_tonnes=None if statement is None else statement.tonnes,
        verifier_id=None if statement is None else statement.verifier_id,
        verified_at=None if statement is None else statement.signed_at,
    )
