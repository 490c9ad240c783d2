"""Flows that span sibling contexts.

sweep_pool: a month's pool becomes the monitoring report of its project. apply_for_organisation, resubmit_application
and the effects of the case: an outside organisation comes in with its contract and its people.
ask_to_close_account, close_account, give_up_late_points: a person leaves, the books stay.
"""

from tanpuhui.journeys._close_account import (
    AccountClosureTried,
    ClosureAsked,
    ClosureBlocked,
    InTheWay,
    LatePointsGivenUp,
    Obstacle,
    ask_to_close_account,
    close_account,
    closure_breaches,
    give_up_late_points,
    obstacles,
)
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
    "AccountClosureTried",
    "ApplicationEnded",
    "ClosureAsked",
    "ClosureBlocked",
    "InTheWay",
    "LatePointsGivenUp",
    "Obstacle",
    "OrganisationAdmitted",
    "OrganisationApplied",
    "PoolSwept",
    "admit_organisation",
    "apply_for_organisation",
    "ask_to_close_account",
    "case_of",
    "close_account",
    "closure_breaches",
    "give_up_late_points",
    "obstacles",
    "own_application",
    "reject_organisation",
    "resubmit_application",
    "sweep_pool",
    "withdraw_application",
]
