"""The owner submits the monitoring report (提交监测报告): an effect of the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.credits.projects.queries import report
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Tonnes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSubmitted:
    """What the owner stands for."""

    report_id: int
    tonnes: Tonnes


@operation(roles={Role.OWNER}, subject="monitoring_report:{report_id}")
def check_submission(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ReportSubmitted:
    """Let only the project's own owner submit it.

    Raises NotPermitted, NotFound.
    """
    view = report(report_id=int(subject_id))
    actor.require(Role.OWNER, operation="projects.check_submission", organisation_id=view.project.owner_id)
    return ReportSubmitted(report_id=view.report_id, tonnes=view.tonnes)
