"""The maker prepares the issuance (制单): an effect of the case that lets nothing unverified pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.credits.projects.domain import NotVerified
from tanpuhui.credits.projects.queries import report
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.quantities import Tonnes


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuancePrepared:
    """What the checker will see."""

    report_id: int
    tonnes: Tonnes


@operation(roles={Role.MAKER}, subject="monitoring_report:{report_id}")
def check_preparation(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> IssuancePrepared:
    """Refuse to prepare an issuance without a verification statement.

    Raises NotVerified, NotPermitted.
    """
    view = report(report_id=int(subject_id))
    actor.require(Role.MAKER, operation="projects.check_preparation", area=view.project.area)
    if view.verified_tonnes is None:
        raise NotVerified(report_id=view.report_id)
    return IssuancePrepared(report_id=view.report_id, tonnes=view.verified_tonnes)
