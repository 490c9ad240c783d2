"""What the database refuses, whoever writes, and what the invariant finds where somebody wrote past it."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from tests.integration.foundation.workflow.conftest import Province
from tests.integration.foundation.workflow.corruption import corrupt

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import decide

pytestmark = pytest.mark.django_db


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def submitted(province: Province) -> int:
    case_id = province.open("issuance").case_id
    decide(
        actor=province.actor(Role.OWNER),
        at=province.at,
        idempotency_key=None,
        case_id=case_id,
        outcome="submit",
        opinion="提交",
    )
    return case_id


def test_a_case_cannot_begin_in_another_state(province: Province) -> None:
    case_id = province.open("issuance").case_id
    copied = (
        "process, process_version_id, subject_type, title, area, organisation_id, step, opened_at, opened_by_kind, "
        "opened_by_id, entered_at"
    )
    with pytest.raises(DatabaseError, match="no initial state"):
        execute(
            f"insert into workflow_case (number, subject_id, state, {copied}) "
            f"select 'X', 'x', 'issued', {copied} from workflow_case where id = {case_id}"
        )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("state = 'issued', step = step + 1", "no transition"),
        ("state = 'verified', step = step + 1", "has no decision"),
        ("state = 'verified'", "has no decision"),
        ("step = step + 1", "no transition"),
        ("process_version_id = process_version_id + 1", "never change"),
        ("number = 'X'", "never change"),
        ("organisation_id = null", "never change"),
        ("area = '000000'", "never change"),
    ],
)
def test_a_case_moves_along_transitions_with_a_decision_only(
    province: Province, change: str, why: str
) -> None:
    case_id = submitted(province)
    with pytest.raises(DatabaseError, match=why):
        execute(f"update workflow_case set {change} where id = {case_id}")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from workflow_case",
        "delete from workflow_decision",
        "update workflow_decision set opinion = 'other'",
        "update workflow_caseparty set role = 'owner'",
        "truncate workflow_decision cascade",
        "truncate workflow_case cascade",
    ],
)
def test_what_was_decided_stays(province: Province, statement: str) -> None:
    submitted(province)
    execute("set constraints all immediate")
    with pytest.raises(DatabaseError, match="pgtrigger: Cannot"):
        execute(statement)


def test_the_database_wants_an_opinion_too(province: Province) -> None:
    case_id = submitted(province)
    with pytest.raises(DatabaseError, match="decision_has_opinion"):
        execute(
            "insert into workflow_decision (case_id, step, outcome, from_state, to_state, actor_kind, actor_id, role, "
            f"opinion, evidence, at, on_behalf_of, values, sha256) values ({case_id}, 2, 'verify', 'submitted', 'verified', 'user', '1', 'verifier', "
            "' ', '[]', now(), '', '{}', '')"
        )


def test_untouched_cases_break_nothing(province: Province) -> None:
    submitted(province)
    assert list(queries.breaches()) == []


@pytest.mark.parametrize(
    ("corruption", "invariant"),
    [
        ("update workflow_case set state = 'issued'", "workflow.state_is_what_was_decided"),
        ("update workflow_case set step = 7", "workflow.state_is_what_was_decided"),
        ("delete from workflow_decision", "workflow.state_is_what_was_decided"),
        ("update workflow_decision set outcome = 'issue'", "workflow.decisions_follow_the_process"),
        ("update workflow_decision set role = 'maker'", "workflow.decisions_follow_the_process"),
        ("update workflow_decision set step = 3", "workflow.decisions_follow_the_process"),
    ],
)
def test_a_corrupted_row_is_found(province: Province, corruption: str, invariant: str) -> None:
    submitted(province)
    corrupt(corruption)
    assert invariant in {breach.invariant for breach in queries.breaches()}
