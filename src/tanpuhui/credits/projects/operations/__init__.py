"""Verbs of the project library.

register_project: ProjectCodeTaken, ScenarioTaken. open_monitoring_report: PoolAlreadyReported, NothingToIssue,
PoolOfAnotherScenario. check_submission, sign_verification, check_preparation are effects of the issuance case:
NotVerified, NotPermitted.
"""

from tanpuhui.credits.projects.domain import NotVerified
from tanpuhui.credits.projects.operations._check_preparation import check_preparation
from tanpuhui.credits.projects.operations._check_submission import check_submission
from tanpuhui.credits.projects.operations._open_monitoring_report import (
    MonitoringReportOpened,
    open_monitoring_report,
)
from tanpuhui.credits.projects.operations._register_project import ProjectRegistered, register_project
from tanpuhui.credits.projects.operations._sign_verification import VerificationSigned, sign_verification

__all__ = [
    "MonitoringReportOpened",
    "NotVerified",
    "ProjectRegistered",
    "VerificationSigned",
    "check_preparation",
    "check_submission",
    "open_monitoring_report",
    "register_project",
    "sign_verification",
]
