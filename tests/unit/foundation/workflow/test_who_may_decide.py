"""The verdicts of a case: role, area, organisation, two persons, opinion, deadline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role, area_covers
from tanpuhui.foundation.workflow.domain import (
    NUMBER_PATTERN,
    CaseFacts,
    CaseMoved,
    GuardUnproven,
    OpinionMissing,
    OpinionTooLong,
    PastDecision,
    SamePerson,
    acting_grant,
    area_prefix,
    case_number,
    checked_opinion,
    deadline_working_days,
    two_person_refusal,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    source: str = "prepared"
    target: str = "issued"
    outcome: str = "issue"
    role: str = "checker"
    two_person: str | None = None
    independent: bool = False
    deadline_working_days: int | None = None


CASE = CaseFacts(
    number="X-1",
    state="prepared",
    step=3,
    area="370200",
    opened_by=("user", "9"),
    organisation_id=5,
    parties={"verifier": 6},
    decisions=(),
    opened_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def somebody(
    role: Role, *, organisation_id: int | None = 1, area: str = "370000", user_id: str = "1"
) -> Actor:
    return Actor(
        kind="user", id=user_id, grants=(Grant(role=role, organisation_id=organisation_id, area=area),)
    )


def test_the_role_in_the_area_of_the_case_may_decide() -> None:
    assert acting_grant(transition=Row(), case=CASE, actor=somebody(Role.CHECKER)) is not None
    assert acting_grant(transition=Row(), case=CASE, actor=somebody(Role.CHECKER, area="370200")) is not None


@pytest.mark.parametrize("area", ["370100", "370202", "410000"])
def test_another_area_may_not(area: str) -> None:
    assert acting_grant(transition=Row(), case=CASE, actor=somebody(Role.CHECKER, area=area)) is None


def test_another_role_may_not() -> None:
    assert acting_grant(transition=Row(), case=CASE, actor=somebody(Role.MAKER)) is None


def test_an_owner_acts_only_for_the_organisation_whose_case_it_is() -> None:
    row = Row(role="owner")
    assert acting_grant(transition=row, case=CASE, actor=somebody(Role.OWNER, organisation_id=5)) is not None
    assert acting_grant(transition=row, case=CASE, actor=somebody(Role.OWNER, organisation_id=6)) is None
    assert acting_grant(transition=row, case=CASE, actor=somebody(Role.OWNER, organisation_id=None)) is None


def test_a_verifier_acts_only_where_the_case_names_its_organisation() -> None:
    row = Row(role="verifier")
    unnamed = replace(CASE, parties={})
    assert (
        acting_grant(transition=row, case=CASE, actor=somebody(Role.VERIFIER, organisation_id=6)) is not None
    )
    assert acting_grant(transition=row, case=CASE, actor=somebody(Role.VERIFIER, organisation_id=5)) is None
    assert (
        acting_grant(transition=row, case=unnamed, actor=somebody(Role.VERIFIER, organisation_id=6)) is None
    )
    assert (
        acting_grant(transition=row, case=unnamed, actor=somebody(Role.VERIFIER, organisation_id=5)) is None
    )


def test_a_citizen_acts_only_on_the_case_that_is_their_own() -> None:
    row = Row(role="citizen")
    own = somebody(Role.CITIZEN, organisation_id=None, area="370200", user_id="9")
    other = somebody(Role.CITIZEN, organisation_id=None, area="370200", user_id="8")
    assert acting_grant(transition=row, case=CASE, actor=own) is not None
    assert acting_grant(transition=row, case=CASE, actor=other) is None


def test_the_worker_never_takes_a_persons_decision() -> None:
    assert acting_grant(transition=Row(), case=CASE, actor=SYSTEM) is None
    assert acting_grant(transition=Row(role="system"), case=CASE, actor=SYSTEM) is not None


def decided(outcome: str, actor_id: str, *, step: int) -> PastDecision:
    return PastDecision(
        step=step,
        outcome=outcome,
        actor_kind="user",
        actor_id=actor_id,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        to_state="prepared",
    )


def test_who_prepared_may_not_issue_and_a_colleague_may() -> None:
    case = replace(CASE, decisions=(decided("prepare", "1", step=1),))
    row = Row(two_person="prepare")
    assert isinstance(two_person_refusal(transition=row, case=case, actor=somebody(Role.CHECKER)), SamePerson)
    assert two_person_refusal(transition=row, case=case, actor=somebody(Role.CHECKER, user_id="2")) is None


def test_after_a_return_the_latest_preparer_counts() -> None:
    case = replace(CASE, decisions=(decided("prepare", "1", step=1), decided("prepare", "2", step=3)))
    row = Row(two_person="prepare")
    assert two_person_refusal(transition=row, case=case, actor=somebody(Role.CHECKER, user_id="1")) is None
    assert isinstance(
        two_person_refusal(transition=row, case=case, actor=somebody(Role.CHECKER, user_id="2")), SamePerson
    )


def test_a_step_that_was_never_taken_does_not_pass_the_two_person_rule() -> None:
    verdict = two_person_refusal(
        transition=Row(two_person="prepare"), case=CASE, actor=somebody(Role.CHECKER)
    )
    assert isinstance(verdict, GuardUnproven)


@pytest.mark.parametrize("area", ["", "370000", "370200", "370202", "410000"])
@pytest.mark.parametrize("inner", ["370000", "370200", "370202", "370100", "410100"])
def test_the_area_rule_in_sql_is_the_area_rule(area: str, inner: str) -> None:
    assert inner.startswith(area_prefix(area)) == area_covers(area, inner)


def test_an_opinion_is_mandatory_and_bounded() -> None:
    assert checked_opinion("  同意  ") == "同意"
    with pytest.raises(OpinionMissing):
        checked_opinion(" \n　")
    with pytest.raises(OpinionTooLong):
        checked_opinion("长" * 10_001)


def test_the_shortest_deadline_on_a_way_out_counts_and_unset_stays_unset() -> None:
    rows = (
        Row(deadline_working_days=20),
        Row(outcome="return", deadline_working_days=5),
        Row(source="x", deadline_working_days=1),
    )
    assert deadline_working_days(rows, "prepared") == 5
    assert deadline_working_days((Row(),), "prepared") is None


def test_case_numbers_follow_the_pattern() -> None:
    number = case_number(NUMBER_PATTERN, prefix="AB", process="methodology_filing", year=2026, seq=7)
    assert number == "AB-METHODOLOGY-FILING-2026-000007"


def test_a_moved_case_says_what_happened_in_both_languages_and_gives_the_opinion_back() -> None:
    moved = CaseMoved(
        number="X-1",
        who="王芳",
        when="2026-11-20 10:00",
        outcome="return",
        outcome_zh="退回",
        state="returned",
        opinion="同意",
    )
    assert "王芳" in moved.message("zh")
    assert "2026-11-20 10:00" in moved.message("zh")
    assert "return" in moved.message("en")
    assert moved.data["opinion"] == "同意"
