"""Calls that go up stand in one file, and nothing is missing from it."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest
import yaml

from tanpuhui.config.wiring import EFFECTS, GUARDS, SUBSCRIBERS, UNDO
from tanpuhui.foundation.audit.operations import registered_operations
from tanpuhui.foundation.persistence.events import publish, subscribed_tasks
from tanpuhui.foundation.persistence.jobs import app, defer
from tanpuhui.foundation.workflow.operations import NO_EFFECT, NOTHING_TO_UNDO, Instead

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tanpuhui"
PROCESSES = sorted((ROOT / "jurisdictions").glob("*/processes/*.yaml"))


OPEN_TO_ANYBODY = {
    "activity.approve_recalculation": "an effect: refuses unless it is what the case decided last",
    "activity.approve_standing": "an effect: refuses unless it is what the case decided last",
    "activity.go_live": "an effect: refuses unless it is what the case decided last",
    "activity.reject_application": "an effect: refuses unless it is what the case decided last",
    "activity.reject_recalculation": "an effect: refuses unless it is what the case decided last",
    "activity.reject_standing": "an effect: refuses unless it is what the case decided last",
    "activity.resubmit_application": "an effect: refuses unless it is what the case decided last",
    "activity.return_application": "an effect: refuses unless it is what the case decided last",
    "activity.revise_application": "an effect: refuses unless it is what the case decided last",
    "activity.withdraw_application": "an effect: refuses unless it is what the case decided last",
    "activity.withdraw_standing": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.approve_admission": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.check_admission_terms": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.reject_admission": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.withdraw_admission": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.approve_freeze": "an effect: refuses unless it is what the case decided last",
    "activity.approve_agreement": "an effect: refuses unless it is what the case decided last",
    "activity.end_agreement": "an effect: refuses unless it is what the case decided last",
    "activity.keep_agreement": "an effect: refuses unless it is what the case decided last",
    "activity.reject_agreement": "an effect: refuses unless it is what the case decided last",
    "activity.withdraw_agreement": "an effect: refuses unless it is what the case decided last",
    "activity.approve_assessment": "an effect: refuses unless it is what the case decided last",
    "activity.reject_assessment": "an effect: refuses unless it is what the case decided last",
    "activity.withdraw_assessment": "an effect: refuses unless it is what the case decided last",
    "activity.approve_claw_back": "an effect: refuses unless it is what the case decided last",
    "activity.reject_claw_back": "an effect: refuses unless it is what the case decided last",
    "activity.withdraw_claw_back": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.dismiss_disowning": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.uphold_disowning": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.withdraw_disowning": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.dismiss_record_appeal": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.examine_record_appeal": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.uphold_record_appeal": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.withdraw_record_appeal": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.reject_freeze": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.withdraw_freeze": "an effect: refuses unless it is what the case decided last",
    "carbon_accounts.open_carbon_account": "a citizen opens their own",
    "audit.hand_over_set": "whoever the page gives the data to; it only adds a line",
    "audit.hand_over_own_data": "everybody, on what is their own",
    "identity.begin_totp": "everybody, on what is their own; before and after signing in",
    "identity.bind_identity": "everybody, on what is their own; before and after signing in",
    "identity.check_code": "before anybody is signed in",
    "identity.check_recovery_code": "everybody, on what is their own; before and after signing in",
    "identity.check_totp": "everybody, on what is their own; before and after signing in",
    "identity.close_session": "everybody, on what is their own; before and after signing in",
    "identity.confirm_totp": "everybody, on what is their own; before and after signing in",
    "identity.end_delegation": "giver and receiver, whatever their roles are by then",
    "identity.end_other_sessions": "everybody, on what is their own; before and after signing in",
    "identity.issue_code": "before anybody is signed in",
    "identity.open_session": "everybody, on what is their own; before and after signing in",
    "identity.record_attempt": "before anybody is signed in",
    "identity.record_passkey": "everybody, on what is their own; before and after signing in",
    "identity.register_citizen": "a visitor registers themselves",
    "identity.remove_passkey": "everybody, on what is their own; before and after signing in",
    "identity.replace_recovery_codes": "everybody, on what is their own; before and after signing in",
    "identity.set_password": "everybody, on what is their own; before and after signing in",
    "identity.unbind_identity": "everybody, on what is their own; before and after signing in",
    "identity.use_identity": "everybody, on what is their own; before and after signing in",
    "identity.use_invitation": "before anybody is signed in",
    "identity.use_passkey": "everybody, on what is their own; before and after signing in",
    "journeys.admit_organisation": "an effect: refuses unless it is what the case decided last",
    "journeys.reject_organisation": "an effect: refuses unless it is what the case decided last",
    "journeys.withdraw_application": "an effect: refuses unless it is what the case decided last",
    "messages.choose_channels": "everybody, on what is their own",
    "messages.confirm_mail_address": "everybody, on what is their own",
    "messages.give_mail_address": "everybody, on what is their own",
    "messages.read_messages": "everybody, on what is their own",
    "messages.remove_mail_address": "everybody, on what is their own",
    "methodology.appoint_expert": "an effect: refuses unless it is what the case decided last",
    "methodology.complete_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.conclude_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.decline_expert": "an effect: refuses unless it is what the case decided last",
    "methodology.file_version": "an effect: refuses unless it is what the case decided last",
    "methodology.recommend_version": "an effect: refuses unless it is what the case decided last",
    "methodology.reconvene_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.reject_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.reject_version": "an effect: refuses unless it is what the case decided last",
    "methodology.resubmit_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.resubmit_version": "an effect: refuses unless it is what the case decided last",
    "methodology.return_filing": "an effect: refuses unless it is what the case decided last",
    "methodology.suspend_version": "an effect: refuses unless it is what the case decided last",
    "methodology.resume_version": "an effect: refuses unless it is what the case decided last",
    "methodology.repeal_version": "an effect: refuses unless it is what the case decided last",
    "methodology.confirm_version": "an effect: refuses unless it is what the case decided last",
    "methodology.return_version": "an effect: refuses unless it is what the case decided last",
    "methodology.withdraw_expert": "an effect: refuses unless it is what the case decided last",
    "methodology.withdraw_filing": "an effect: refuses unless it is what the case decided last",
    "workflow.assign_case": "who takes part in the case, by its area, organisation and parties",
    "workflow.assign_cases": "who takes part in the cases, each as in assign_case",
    "workflow.attach": "who takes part in the case, by its area, organisation and parties",
    "workflow.decide": "the rows of the process version say who may",
    "workflow.enter_comment": "anybody signed in, while the notice runs; their own only",
    "workflow.file_own_appeal": "a citizen; the calling operation says that the decision concerns them",
    "workflow.follow_case": "who takes part in the case, by its area, organisation and parties",
    "workflow.forget_filter": "everybody, on their own filters",
    "workflow.open_case": "the calling operation says who may",
    "workflow.record_export": "everybody: what leaves is what they may see",
    "workflow.remark": "who takes part in the case, by its area, organisation and parties",
    "workflow.save_filter": "everybody, on their own filters",
    "workflow.urge_case": "who takes part in the case, by its area, organisation and parties",
    "workflow.withdraw_comment": "anybody signed in, while the notice runs; their own only",
    **{
        f"workflow.{verb}": "an effect: it refuses unless the case's latest decision is this outcome on this subject"
        for verb in ("correct_decision", "rescind_decision", "uphold_appeal")
    },
    "workflow.take_archive": "whoever sees the case, which the page says",
    **dict.fromkeys(
        (
            "methodology.restore_version",
            "methodology.restore_filing",
            "activity.restore_application",
            "activity.restore_assessment",
            "activity.restore_claw_back",
            "carbon_accounts.restore_freeze",
        ),
        "undoes an effect: it refuses unless the case's latest decision rescinds one",
    ),
}
"""Operations that name no role, and who decides there who may: one line each, so that two additions do not meet."""


def event_types() -> set[type]:
    found = set()
    for path in SOURCE.glob("*/*/events.py"):
        if path.parent.name == "persistence":
            continue
        module = importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
        found |= {
            value for value in vars(module).values()
            if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
        }  # fmt: skip
    return found


@pytest.mark.parametrize("path", PROCESSES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_outcome_of_every_process_has_an_effect(path: Path) -> None:
    process = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  the base loader makes text only
    subject = process["subject_type"]
    outcomes = {transition["outcome"] for transition in process["transitions"]}
    assert outcomes
    assert {outcome for outcome in outcomes if (subject, outcome) not in EFFECTS} == set()


@pytest.mark.parametrize("path", PROCESSES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_guard_of_every_process_is_installed(path: Path) -> None:
    process = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  the base loader makes text only
    named = {guard for transition in process["transitions"] for guard in transition.get("guards", [])}
    installed = {guard for subject, guard in GUARDS if subject == process["subject_type"]}
    assert named - installed - {"notice_over", "objections_answered"} == set()


CHECKED_ONLY = {("monitoring_report", "submit"), ("monitoring_report", "prepare"), ("batch", "resubmit")}
"""Outcomes whose effect refuses or passes and writes nothing."""

UNDONE = {
    *(("methodology_version", outcome) for outcome in ("recommend", "return", "reject")),
    *(("methodology_filing", outcome) for outcome in ("return", "reject")),
    ("scenario_application", "reject"),
    ("account_freeze", "approve"),
    ("claw_back", "approve"),
    *(("impact_assessment", outcome) for outcome in ("approve", "reject")),
}
"""Outcomes whose effect an operation takes back: tests/integration/**/test_rescinded.py and test_freeze_appeals.py show each of them."""


def test_every_outcome_that_can_be_rescinded_changed_nothing_or_is_undone_by_an_operation_that_a_test_shows() -> (
    None
):
    assert set(UNDO) <= set(EFFECTS)
    nothing = {key for key, undo in UNDO.items() if undo is NOTHING_TO_UNDO}
    assert {key for key in nothing if EFFECTS[key] is not NO_EFFECT} == CHECKED_ONLY
    operations = {key for key, undo in UNDO.items() if key not in nothing and not isinstance(undo, Instead)}
    assert operations == UNDONE
    assert {key for key in UNDO if key[0] in {"decision", "case"}} == set(), "an amendment is final"


def test_there_are_processes_to_check() -> None:
    assert PROCESSES


def test_every_event_is_listed_and_every_listed_event_exists() -> None:
    assert event_types() == set(SUBSCRIBERS)


def test_every_task_that_hears_of_an_event_exists() -> None:
    app.perform_import_paths()
    assert {task for tasks in SUBSCRIBERS.values() for task in tasks} <= set(app.tasks)


@pytest.mark.django_db
def test_an_event_or_task_nobody_knows_is_refused() -> None:
    @dataclasses.dataclass(frozen=True)
    class Unheard:
        x: int

    with pytest.raises(LookupError, match="wiring"):
        publish(Unheard(x=1))
    with pytest.raises(LookupError, match="no such task"):
        defer("nobody.wrote_this")
    assert subscribed_tasks(Unheard) == ()


def test_every_operation_says_who_may_call_it_or_decides_in_its_body() -> None:
    open_to_anybody = {name for name, spec in registered_operations().items() if not spec.roles}
    assert open_to_anybody - OPEN_TO_ANYBODY.keys() == set()
