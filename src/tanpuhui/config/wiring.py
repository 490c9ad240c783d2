"""The composition root: what a decision sets off, who hears of an event, who may open an address.

The only file in which calls go up. An outcome, an event or a route that is missing here stops its use, and a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tanpuhui import journeys
from tanpuhui.behaviour.activity import operations as activity
from tanpuhui.behaviour.activity import queries as activity_queries
from tanpuhui.behaviour.activity.events import BatchReceived, RecalculationApproved, RecalculationPrepared
from tanpuhui.behaviour.carbon_accounts.events import MonthPooled
from tanpuhui.credits.projects import operations as projects
from tanpuhui.credits.projects import queries as projects_queries
from tanpuhui.credits.registry import operations as registry
from tanpuhui.foundation.identity.events import ContractEnding, PersonInvited
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.events import HolidaysChanged
from tanpuhui.foundation.workflow.events import (
    CaseAssigned,
    CaseDecided,
    CaseStarted,
    CaseUrged,
    NoticeClosed,
    NoticeCommentAnswered,
    NoticeCommented,
    NoticeExtended,
    NoticeOpened,
)
from tanpuhui.foundation.workflow.operations import NO_EFFECT, Effect, Guard, install_effects, install_guards
from tanpuhui.interfaces.access.domain import PUBLIC
from tanpuhui.interfaces.access.table import install_routes
from tanpuhui.interfaces.api.routes import ROUTES as API_ROUTES
from tanpuhui.interfaces.citizen.routes import ROUTES as CITIZEN_ROUTES
from tanpuhui.interfaces.portal.routes import ROUTES as PORTAL_ROUTES
from tanpuhui.interfaces.workbench.routes import ROUTES as WORKBENCH_ROUTES
from tanpuhui.science.methodology import operations as methodology
from tanpuhui.uses.rewards import operations as rewards

EFFECTS: Mapping[tuple[str, str], Effect] = {
    ("methodology_version", "recommend"): methodology.recommend_version,
    ("methodology_version", "file"): methodology.file_version,
    ("methodology_version", "return"): methodology.return_version,
    ("methodology_version", "reject"): methodology.reject_version,
    ("methodology_version", "resubmit"): methodology.resubmit_version,
    ("methodology_filing", "accept"): NO_EFFECT,
    ("methodology_filing", "conclude"): methodology.conclude_filing,
    ("methodology_filing", "reconvene"): methodology.reconvene_filing,
    ("methodology_filing", "close_notice"): NO_EFFECT,
    ("methodology_filing", "file"): methodology.complete_filing,
    ("methodology_filing", "return"): methodology.return_filing,
    ("methodology_filing", "resubmit"): methodology.resubmit_filing,
    ("methodology_filing", "reject"): methodology.reject_filing,
    ("methodology_filing", "withdraw"): methodology.withdraw_filing,
    ("expert_term", "appoint"): methodology.appoint_expert,
    ("expert_term", "decline"): methodology.decline_expert,
    ("expert_term", "withdraw"): methodology.withdraw_expert,
    ("recalculation", "propose"): NO_EFFECT,
    ("recalculation", "approve"): activity.approve_recalculation,
    ("recalculation", "reject"): activity.reject_recalculation,
    **{
        ("scenario_application", outcome): NO_EFFECT
        for outcome in ("first_check", "accept", "ready", "again", "pass", "endorse")
    },
    ("scenario_application", "return"): activity.return_application,
    ("scenario_application", "revise"): activity.revise_application,
    ("scenario_application", "resubmit"): activity.resubmit_application,
    ("scenario_application", "reject"): activity.reject_application,
    ("scenario_application", "withdraw"): activity.withdraw_application,
    ("scenario_application", "go_live"): activity.go_live,
    ("scenario_standing", "propose"): NO_EFFECT,
    ("scenario_standing", "approve"): activity.approve_standing,
    ("scenario_standing", "reject"): activity.reject_standing,
    ("scenario_standing", "withdraw"): activity.withdraw_standing,
    ("monitoring_report", "submit"): projects.check_submission,
    ("monitoring_report", "verify"): projects.sign_verification,
    ("monitoring_report", "prepare"): projects.check_preparation,
    ("monitoring_report", "issue"): registry.issue_units,
    ("monitoring_report", "return"): NO_EFFECT,
    ("monitoring_report", "reject"): NO_EFFECT,
    ("batch", "resubmit"): activity.check_resubmission,
    ("batch", "declare"): NO_EFFECT,
    ("batch", "close"): NO_EFFECT,
    ("batch", "return"): NO_EFFECT,
    ("organisation_application", "complete"): NO_EFFECT,
    ("organisation_application", "return"): NO_EFFECT,
    ("organisation_application", "resubmit"): NO_EFFECT,
    ("organisation_application", "admit"): journeys.admit_organisation,
    ("organisation_application", "reject"): journeys.reject_organisation,
    ("organisation_application", "withdraw"): journeys.withdraw_application,
    ("settlement_sheet", "confirm"): rewards.confirm_settlement,
    ("settlement_sheet", "object"): NO_EFFECT,
    ("settlement_sheet", "answer"): NO_EFFECT,
    ("settlement_sheet", "end"): NO_EFFECT,
}
"""(subject type, outcome) → the operation that runs in the deciding transaction."""

GUARDS: Mapping[tuple[str, str], Guard] = {
    ("scenario_application", "no_subcentre"): activity_queries.no_subcentre,
    ("scenario_application", "sample_tried"): activity_queries.sample_tried,
    ("scenario_application", "sample_passed"): activity_queries.sample_passed,
    ("scenario_application", "methodology_filed"): activity_queries.methodology_filed,
}
"""(subject type, guard) → the check that a process demands; `notice_over` and `objections_answered` are workflow's own."""

SUBSCRIBERS: Mapping[type, Sequence[str]] = {
    PersonInvited: ("identity.send_invitation",),
    ContractEnding: (),
    BatchReceived: ("activity.post_batch",),
    CaseStarted: ("workflow.tell_of_opening",),
    CaseDecided: ("workflow.tell_of_decision",),
    CaseAssigned: ("workflow.tell_of_act",),
    CaseUrged: ("workflow.tell_of_act",),
    NoticeOpened: (),
    NoticeClosed: (),
    NoticeExtended: (),
    NoticeCommented: ("workflow.tell_of_objection",),
    NoticeCommentAnswered: ("workflow.tell_of_answer",),
    HolidaysChanged: ("workflow.reckon_deadlines",),
    RecalculationPrepared: ("activity.preview_recalculation",),
    RecalculationApproved: ("activity.adjust_recalculation",),
    MonthPooled: (),
}
"""Event → names of the tasks that are deferred in the transaction that published it."""

INTERESTS: Sequence[methodology.InterestSource] = (
    projects_queries.interests_in_scenario,
    activity_queries.interests_in_scenario,
)
"""Who says which organisations have something to win or lose in a scenario; experts of theirs are recused."""


def install() -> None:
    """Hand the tables to the rooms that use them."""
    install_effects(EFFECTS)
    install_guards(GUARDS)
    install_subscribers(SUBSCRIBERS)
    methodology.install_interest_sources(INTERESTS)
    install_routes(
        {
            "portal": PORTAL_ROUTES,
            "citizen": CITIZEN_ROUTES,
            "workbench": WORKBENCH_ROUTES,
            "api": API_ROUTES,
            "design": {"parts": PUBLIC, "sample": PUBLIC},
            "": {"set_language": PUBLIC},
        }
    )
