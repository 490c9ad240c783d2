"""Decisions are signed in a chain, and one that is rescinded leads the case back through the trigger and no other way."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from tests.integration.foundation.workflow.conftest import Province
from tests.integration.foundation.workflow.corruption import corrupt

from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case, Decision

pytestmark = pytest.mark.django_db

SIGNED = "workflow.decision_is_what_was_signed"


def verified(province: Province) -> int:
    """Return a case with two decisions."""
    case_id = province.open("issuance").case_id
    province.decide(case_id, "submit", Role.OWNER)
    province.decide(case_id, "verify", Role.VERIFIER)
    return case_id


def found(case_id: int) -> set[tuple[str, str]]:
    number = queries.case(case_id).number
    return {(b.invariant, b.detail) for b in queries.breaches() if b.subject == f"case:{number}"}


def test_each_decision_signs_the_one_before(province: Province) -> None:
    case_id = verified(province)
    first, second = Decision.objects.filter(case_id=case_id).order_by("step")
    number = queries.case(case_id).number
    assert len(first.sha256) == 64
    assert second.sha256 == queries.decision_sha256(second, number=number, previous=first.sha256)
    assert second.sha256 != queries.decision_sha256(second, number=number, previous="")


@pytest.mark.parametrize(
    "change",
    [
        "opinion = '不同意'",
        "actor_id = '9'",
        "on_behalf_of = '9'",
        "organisation_id = null",
        "at = at + interval '1 second'",
        'values = \'{"batches_a_day": "9"}\'',
        "evidence = '[\"0\"]'",
    ],
)
def test_a_corrupted_decision_is_found(province: Province, change: str) -> None:
    case_id = verified(province)
    assert found(case_id) == set()
    corrupt(f"update workflow_decision set {change} where case_id = {case_id} and step = 1")
    assert (SIGNED, "step 1") in found(case_id)


def test_a_new_signature_over_a_corrupted_decision_breaks_the_chain(province: Province) -> None:
    case_id = verified(province)
    first = Decision.objects.get(case_id=case_id, step=1)
    first.opinion = "另一种意见"
    forged = queries.decision_sha256(first, number=queries.case(case_id).number, previous="")
    corrupt(
        f"update workflow_decision set opinion = '另一种意见', sha256 = '{forged}' where case_id = {case_id} and step = 1"
    )
    assert found(case_id) == {(SIGNED, "step 2")}


def test_a_signature_taken_away_is_found(province: Province) -> None:
    case_id = verified(province)
    corrupt(f"update workflow_decision set sha256 = '' where case_id = {case_id} and step = 2")
    assert found(case_id) == {(SIGNED, "step 2")}


def test_decisions_older_than_signatures_have_none_and_the_chain_begins_after_them(
    province: Province,
) -> None:
    case_id = verified(province)
    corrupt(f"update workflow_decision set sha256 = '' where case_id = {case_id}")
    assert found(case_id) == set()
    province.decide(case_id, "prepare", Role.MAKER)
    assert found(case_id) == set()


def insert_rescission(case_id: int, rescinds: int, *, step: int, source: str, target: str) -> None:
    """Write by hand what the operation writes, past its rules, so that only the trigger judges."""
    gone = Decision.objects.get(case_id=case_id, step=rescinds)
    before = Decision.objects.get(case_id=case_id, step=step - 1)
    row = Decision(
        case_id=case_id,
        step=step,
        outcome=gone.outcome,
        from_state=source,
        to_state=target,
        actor_kind="user",
        actor_id="5",
        role="checker",
        opinion="撤销",
        at=gone.at,
        rescinds=gone,
    )
    row.sha256 = queries.decision_sha256(row, number=row.case.number, previous=before.sha256)
    row.save()
    with connection.cursor() as cursor:
        cursor.execute(
            "update workflow_case set state = %s, step = %s where id = %s", [target, step, case_id]
        )


def test_the_trigger_lets_the_last_standing_decision_be_led_back(province: Province) -> None:
    case_id = verified(province)
    insert_rescission(case_id, 2, step=3, source="verified", target="submitted")
    assert queries.case(case_id).state == "submitted"
    insert_rescission(case_id, 1, step=4, source="submitted", target="draft")
    assert queries.case(case_id).state == "draft"
    assert found(case_id) == set()


@pytest.mark.parametrize(
    ("rescinds", "source", "target"),
    [
        pytest.param(1, "submitted", "draft", id="another decision stands on it"),
        pytest.param(2, "verified", "draft", id="further back than it came from"),
        pytest.param(2, "submitted", "draft", id="from where the case is not"),
    ],
)
def test_the_trigger_lets_no_other_way_back(
    province: Province, rescinds: int, source: str, target: str
) -> None:
    case_id = verified(province)
    with pytest.raises(DatabaseError, match=r"is no transition|has no decision"):
        insert_rescission(case_id, rescinds, step=3, source=source, target=target)


def test_a_decision_is_rescinded_once_and_a_rescission_is_not_rescinded(province: Province) -> None:
    case_id = verified(province)
    insert_rescission(case_id, 2, step=3, source="verified", target="submitted")
    with pytest.raises(DatabaseError):
        insert_rescission(case_id, 3, step=4, source="submitted", target="verified")


def test_a_rescinded_decision_no_longer_counts_for_the_two_person_rule(province: Province) -> None:
    case_id = verified(province)
    province.decide(case_id, "prepare", province.actor(Role.MAKER, user_id=71))
    insert_rescission(case_id, 3, step=4, source="prepared", target="verified")
    province.decide(case_id, "prepare", province.actor(Role.MAKER, user_id=72))
    first = province.actor(Role.CHECKER, user_id=71)
    assert [line.case.case_id for line in queries.inbox(actor=first, at=province.at)] == [case_id]
    assert province.decide(case_id, "issue", first).state == "issued"


def test_a_rescission_written_past_the_trigger_is_found(province: Province) -> None:
    case_id = verified(province)
    insert_rescission(case_id, 2, step=3, source="verified", target="submitted")
    corrupt(f"update workflow_decision set to_state = 'draft' where case_id = {case_id} and step = 3")
    corrupt(f"update workflow_case set state = 'draft' where id = {case_id}")
    assert "workflow.decisions_follow_the_process" in {invariant for invariant, _ in found(case_id)}
    assert Case.objects.get(pk=case_id).step == 3
