"""Flows that span sibling contexts.

sweep_pool: a month's pool becomes the monitoring report of its project. apply_for_organisation, resubmit_application
and the effects of the case: an outside organisation comes in with its contract and its people.
"""

from tanpuhui.journeys._onboard_organisation import (
    ApplicationEnded,
    OrganisationAdmitted,
    OrganisationApplied,
    admit_organisation,
    apply_for_organisation,
    case_of,
    own_application,
    reject_organisation,
    resubmit_application,
    withdraw_application,
)
from tanpuhui.journeys._sweep_pool import PoolSwept, sweep_pool

__all__ = [
    "ApplicationEnded",
    "OrganisationAdmitted",
    "OrganisationApplied",
    "PoolSwept",
    "admit_organisation",
    "apply_for_organisation",
    "case_of",
    "own_application",
    "reject_organisation",
    "resubmit_application",
    "sweep_pool",
    "withdraw_application",
]
