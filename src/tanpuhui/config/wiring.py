"""The composition root: what a decision sets off, who hears of an event, who may open an address.

The only file in which calls go up. An outcome, an event or a route that is missing here stops its use, and a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tanpuhui import journeys
from tanpuhui.behaviour.activity import operations as activity
from tanpuhui.behaviour.activity import queries as activity_queries
from tanpuhui.behaviour.activity.events import (
    BatchReceived,
    DaySettlementDue,
    RecalculationApproved,
    RecalculationPrepared,
    RecordsPushed,
    RecordsTakenBack,
)
from tanpuhui.behaviour.carbon_accounts import operations as carbon_accounts
from tanpuhui.behaviour.carbon_accounts.events import MonthPooled
from tanpuhui.credits.projects import operations as projects
from tanpuhui.credits.projects import queries as projects_queries
from tanpuhui.credits.registry import operations as registry
from tanpuhui.foundation.identity.events import ClosureDue, ContractEnding, PersonInvited
from tanpuhui.foundation.persistence.events import install_subscribers
from tanpuhui.foundation.rulebook.events import HolidaysChanged
from tanpuhui.foundation.workflow import operations as workflow
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
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    NOTHING_TO_UNDO,
    Effect,
    Guard,
    Instead,
    Undo,
    install_effects,
    install_guards,
    install_undo,
)
from tanpuhui.interfaces.access.domain import PUBLIC
from tanpuhui.interfaces.access.table import install_routes
from tanpuhui.interfaces.api.routes import ROUTES as API_ROUTES
from tanpuhui.interfaces.citizen.routes import ROUTES as CITIZEN_ROUTES
from tanpuhui.interfaces.portal.routes import ROUTES as PORTAL_ROUTES
from tanpuhui.interfaces.workbench.routes import ROUTES as WORKBENCH_ROUTES
from tanpuhui.science.methodology import operations as methodology
from tanpuhui.science.methodology import queries as methodology_queries
from tanpuhui.science.methodology.events import ExpertCalled
from tanpuhui.uses.rewards import operations as rewards

EFFECTS: Mapping[tuple[str, str], Effect] = {
    ("methodology_version", "recommend"): methodology.recommend_version,
    ("methodology_version", "file"): methodology.file_version,
    ("methodology_version", "return"): methodology.return_version,
    ("methodology_version", "reject"): methodology.reject_version,
    ("methodology_version", "resubmit"): methodology.resubmit_version,
    ("methodology_version", "assess"): NO_EFFECT,
    ("methodology_version", "keep"): methodology.confirm_version,
    ("methodology_version", "revise"): NO_EFFECT,
    ("methodology_version", "suspend"): methodology.suspend_version,
    ("methodology_version", "resume"): methodology.resume_version,
    ("methodology_version", "repeal"): methodology.repeal_version,
    ("methodology_version", "dismiss"): NO_EFFECT,
    ("methodology_version", "withdraw"): NO_EFFECT,
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
    ("account_freeze", "propose"): NO_EFFECT,
    ("account_freeze", "approve"): carbon_accounts.approve_freeze,
    ("account_freeze", "reject"): carbon_accounts.reject_freeze,
    ("account_freeze", "withdraw"): carbon_accounts.withdraw_freeze,
    ("impact_assessment", "propose"): NO_EFFECT,
    ("impact_assessment", "approve"): activity.approve_assessment,
    ("impact_assessment", "reject"): activity.reject_assessment,
    ("impact_assessment", "withdraw"): activity.withdraw_assessment,
    ("data_agreement", "propose"): NO_EFFECT,
    ("data_agreement", "confirm"): NO_EFFECT,
    ("data_agreement", "decline"): activity.reject_agreement,
    ("data_agreement", "approve"): activity.approve_agreement,
    ("data_agreement", "reject"): activity.reject_agreement,
    ("data_agreement", "withdraw"): activity.withdraw_agreement,
    ("data_agreement_end", "propose"): NO_EFFECT,
    ("data_agreement_end", "approve"): activity.end_agreement,
    ("data_agreement_end", "reject"): activity.keep_agreement,
    ("data_agreement_end", "withdraw"): activity.keep_agreement,
    ("claw_back", "propose"): NO_EFFECT,
    ("claw_back", "approve"): activity.approve_claw_back,
    ("claw_back", "reject"): activity.reject_claw_back,
    ("claw_back", "withdraw"): activity.withdraw_claw_back,
    ("record_disowning", "lodge"): NO_EFFECT,
    ("record_disowning", "examine"): NO_EFFECT,
    ("record_disowning", "uphold"): carbon_accounts.uphold_disowning,
    ("record_disowning", "dismiss"): carbon_accounts.dismiss_disowning,
    ("record_disowning", "withdraw"): carbon_accounts.withdraw_disowning,
    ("record_appeal", "lodge"): NO_EFFECT,
    ("record_appeal", "examine"): carbon_accounts.examine_record_appeal,
    ("record_appeal", "uphold"): carbon_accounts.uphold_record_appeal,
    ("record_appeal", "dismiss"): carbon_accounts.dismiss_record_appeal,
    ("record_appeal", "withdraw"): carbon_accounts.withdraw_record_appeal,
    ("programme_admission", "propose"): carbon_accounts.check_admission_terms,
    ("programme_admission", "approve"): carbon_accounts.approve_admission,
    ("programme_admission", "reject"): carbon_accounts.reject_admission,
    ("programme_admission", "withdraw"): carbon_accounts.withdraw_admission,
    ("monitoring_report", "submit"): projects.check_submission,
    ("monitoring_report", "verify"): projects.sign_verification,
    ("monitoring_report", "prepare"): projects.check_preparation,
    ("monitoring_report", "issue"): registry.issue_units,
    ("monitoring_report", "return"): NO_EFFECT,
    ("monitoring_report", "reject"): NO_EFFECT,
    ("batch", "resubmit"): activity.check_resubmission,
    ("batch", "declare"): NO_EFFECT,
    ("batch", "close"): NO_EFFECT,
    ("batch", "mended"): NO_EFFECT,
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
    ("decision", "propose_correction"): NO_EFFECT,
    ("decision", "propose_rescission"): NO_EFFECT,
    ("decision", "confirm_correction"): workflow.correct_decision,
    ("decision", "confirm_rescission"): workflow.rescind_decision,
    ("decision", "reject"): NO_EFFECT,
    ("case", "lodge"): NO_EFFECT,
    ("case", "admit"): NO_EFFECT,
    ("case", "refuse_admission"): NO_EFFECT,
    ("case", "uphold"): workflow.uphold_appeal,
    ("case", "dismiss"): NO_EFFECT,
    ("case", "withdraw"): NO_EFFECT,
}
"""(subject type, outcome) → the operation that runs in the deciding transaction."""

IN_THE_REGISTRY = Instead(
    zh="减排量已经签发；发现差错的，请在登记簿中冻结或作废相应的减排量，原决定和签发记录都保留",
    en="units were issued; where something is wrong, freeze or cancel them in the registry; decision and issuance stay on record",
)
BY_A_NEW_VERSION = Instead(
    zh="方法学已经备案，备案号和哈希已进入公开日志；请提出修订版，或按规定停用",
    en="the methodology is filed and its hashes are in the public log; propose a revised version, or suspend it",
)
BY_ITS_STANDING = Instead(
    zh="场景已经开通并可能有了入账；请另案暂停或关闭场景",
    en="the scenario is live and may have postings; suspend or close it in a case of its own",
)
BY_ENTRIES = Instead(
    zh="差额已按分录入账；请提出新的重算，以新的分录更正",
    en="the differences are posted; propose another recalculation, which posts new entries",
)
BY_AN_EARLY_END = Instead(
    zh="协议已经生效，期间收到的数据照常有效；请另案提前终止",
    en="the agreement holds and what was received under it stands; end it early in a case of its own",
)
BY_THE_NEXT_SHEET = Instead(
    zh="结算单已经确认并据以付款；请在下一张结算单中调整",
    en="the sheet is confirmed and paid by; settle the difference in the next one",
)

UNDO: Mapping[tuple[str, str], Undo | Instead] = {
    **{
        (subject, outcome): NOTHING_TO_UNDO
        for (subject, outcome), effect in EFFECTS.items()
        if effect is NO_EFFECT and subject not in {"decision", "case"}
    },
    ("monitoring_report", "submit"): NOTHING_TO_UNDO,
    ("monitoring_report", "prepare"): NOTHING_TO_UNDO,
    ("batch", "resubmit"): NOTHING_TO_UNDO,
    ("methodology_version", "recommend"): methodology.restore_version,
    ("methodology_version", "return"): methodology.restore_version,
    ("methodology_version", "reject"): methodology.restore_version,
    ("methodology_filing", "return"): methodology.restore_filing,
    ("methodology_filing", "reject"): methodology.restore_filing,
    ("scenario_application", "reject"): activity.restore_application,
    ("account_freeze", "approve"): carbon_accounts.restore_freeze,
    ("claw_back", "approve"): activity.restore_claw_back,
    ("impact_assessment", "approve"): activity.restore_assessment,
    ("impact_assessment", "reject"): activity.restore_assessment,
    ("monitoring_report", "issue"): IN_THE_REGISTRY,
    ("methodology_version", "file"): BY_A_NEW_VERSION,
    ("methodology_filing", "file"): BY_A_NEW_VERSION,
    ("scenario_application", "go_live"): BY_ITS_STANDING,
    ("recalculation", "approve"): BY_ENTRIES,
    ("data_agreement", "approve"): BY_AN_EARLY_END,
    ("settlement_sheet", "confirm"): BY_THE_NEXT_SHEET,
}
"""(subject type, outcome) → what undoes its effect when the decision is rescinded, or what to do instead.

An outcome that changed nothing but the case is undone with it, and so is one whose effect only checked. The others are
listed one by one; one that is not listed cannot be rescinded.
"""

GUARDS: Mapping[tuple[str, str], Guard] = {
    ("decision", "rescindable"): workflow.rescindable,
    ("batch", "every_row_mended"): activity_queries.every_row_mended,
    ("scenario_application", "no_subcentre"): activity_queries.no_subcentre,
    ("scenario_application", "sample_tried"): activity_queries.sample_tried,
    ("scenario_application", "sample_passed"): activity_queries.sample_passed,
    ("scenario_application", "methodology_filed"): activity_queries.methodology_filed,
    ("methodology_filing", "panel_seated"): methodology_queries.panel_seated,
    ("methodology_filing", "reviews_complete"): methodology_queries.reviews_complete,
    ("methodology_filing", "conclusion_recommends"): methodology_queries.conclusion_recommends,
    ("methodology_filing", "conclusion_returns"): methodology_queries.conclusion_returns,
    ("methodology_filing", "conclusion_rejects"): methodology_queries.conclusion_rejects,
    ("methodology_filing", "conclusion_void"): methodology_queries.conclusion_void,
    ("methodology_version", "version_in_force"): methodology_queries.version_in_force,
    ("methodology_version", "version_suspended"): methodology_queries.version_suspended,
    ("methodology_version", "version_not_repealed"): methodology_queries.version_not_repealed,
}
"""(subject type, guard) → the check that a process demands; `notice_over` and `objections_answered` are workflow's own."""

SUBSCRIBERS: Mapping[type, Sequence[str]] = {
    PersonInvited: ("identity.send_invitation",),
    ContractEnding: (),
    ClosureDue: ("journeys.close_account",),
    BatchReceived: ("activity.post_batch",),
    DaySettlementDue: ("activity.settle_day",),
    RecordsTakenBack: ("carbon_accounts.tell_of_taken_back",),
    RecordsPushed: ("activity.gather_pushed",),
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
    ExpertCalled: ("methodology.tell_called_expert",),
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
    install_undo(UNDO)
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
