"""Calls that go up stand in one file, and nothing is missing from it."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest
import yaml

from tanpuhui.config.wiring import EFFECTS, GUARDS, SUBSCRIBERS
from tanpuhui.foundation.audit.operations import registered_operations
from tanpuhui.foundation.persistence.events import publish, subscribed_tasks
from tanpuhui.foundation.persistence.jobs import app, defer

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tanpuhui"
PROCESSES = sorted((ROOT / "jurisdictions").glob("*/processes/*.yaml"))


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
    assert (
        open_to_anybody
        <= {
            "identity.register_citizen",  # a visitor registers themselves
            *(
                f"identity.{verb}" for verb in ("issue_code", "check_code", "record_attempt")
            ),  # before anybody is signed in
            *(
                f"messages.{verb}"
                for verb in (
                    "read_messages",
                    "choose_channels",
                    "give_mail_address",
                    "confirm_mail_address",
                    "remove_mail_address",
                )
            ),  # everybody, on what is their own
            "identity.end_delegation",  # giver and receiver, whatever their roles are by then
            *(
                f"identity.{verb}"
                for verb in (
                    "begin_totp",
                    "confirm_totp",
                    "check_totp",
                    "check_recovery_code",
                    "replace_recovery_codes",
                    "record_passkey",
                    "use_passkey",
                    "remove_passkey",
                    "set_password",
                    "open_session",
                    "close_session",
                    "end_other_sessions",
                )
            ),  # everybody's own factors, password and sessions, before and after signing in: the body refuses all others
            "workflow.open_case",  # the calling operation says who may
            "workflow.decide",  # the rows of the process version say who may
            *(f"workflow.{verb}" for verb in ("assign_case", "urge_case", "follow_case", "attach", "remark")),
            # who takes part in the case, by its area, organisation and parties
            *(f"workflow.{verb}" for verb in ("enter_comment", "withdraw_comment")),
            # anybody signed in, while the notice runs; their own only
            "carbon_accounts.open_carbon_account",  # a citizen opens their own
            *(f"activity.{verb}_recalculation" for verb in ("approve", "reject")),
            *(
                f"activity.{verb}_application"
                for verb in ("return", "revise", "resubmit", "reject", "withdraw")
            ),
            *(f"activity.{verb}_standing" for verb in ("approve", "reject", "withdraw")),
            "activity.go_live",
            *(f"methodology.{verb}_expert" for verb in ("appoint", "decline", "withdraw")),
            *(
                f"methodology.{verb}_filing"
                for verb in ("conclude", "reconvene", "complete", "return", "resubmit", "reject", "withdraw")
            ),
            *(
                f"methodology.{verb}_version"
                for verb in ("recommend", "file", "return", "reject", "resubmit")
            ),
            # effects: they refuse unless the case's latest decision is this outcome on this subject
        }
    )
