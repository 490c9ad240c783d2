"""Everybody sees what waits for them, in their area and for their organisation, in a bounded number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.foundation.workflow.operations import decide

pytestmark = pytest.mark.django_db


def seen(actor: Actor, province: Province) -> list[int]:
    return [line.case.case_id for line in queries.inbox(actor=actor, at=province.at)]


def move(province: Province, case_id: int, outcome: str, role: Role, *, user_id: int = 0) -> None:
    decide(
        actor=province.actor(role, user_id=user_id),
        at=province.at,
        idempotency_key=None,
        case_id=case_id,
        outcome=outcome,
        opinion="同意",
    )


def test_a_case_waits_for_one_role_after_the_other(province: Province) -> None:
    case_id = province.open("issuance").case_id
    owner, verifier = province.actor(Role.OWNER), province.actor(Role.VERIFIER)
    assert (seen(owner, province), seen(verifier, province)) == ([case_id], [])
    move(province, case_id, "submit", Role.OWNER)
    assert (seen(owner, province), seen(verifier, province)) == ([], [case_id])


def test_a_line_says_what_can_be_done_and_how_long_it_waits(province: Province) -> None:
    province.open("issuance")
    (line,) = queries.inbox(actor=province.actor(Role.OWNER), at=province.at + timedelta(days=3))
    assert "submit" in {found.outcome for found in line.outcomes}
    assert line.days_waiting == 3
    assert line.days_left is None, "the rules set no deadline for the owner"


def test_the_time_that_is_left_is_counted_in_working_days(province: Province) -> None:
    case_id = province.open("issuance").case_id
    move(province, case_id, "submit", Role.OWNER)
    (line,) = queries.inbox(actor=province.actor(Role.VERIFIER), at=province.at)
    assert line.case.deadline_working_days is not None
    assert line.days_left == line.case.deadline_working_days


def test_another_organisation_and_another_area_see_nothing(province: Province) -> None:
    case_id = province.open("issuance").case_id
    stranger = province.actor(Role.OWNER, organisation_id=province.verifier_id)
    assert seen(stranger, province) == []
    move(province, case_id, "submit", Role.OWNER)
    move(province, case_id, "verify", Role.VERIFIER)
    elsewhere = Actor(kind="user", id="3", grants=(Grant(role=Role.MAKER, area="880000"),))
    assert seen(elsewhere, province) == []
    assert seen(province.actor(Role.MAKER), province) == [case_id]


def test_a_city_sees_its_own_cases_only(province: Province) -> None:
    cities = [province.area[:2] + city for city in ("0100", "0200")]
    cases = [province.open("methodology_filing", subject_id=city, area=city).case_id for city in cities]
    expert = Actor(kind="user", id="3", grants=(Grant(role=Role.EXPERT, area=cities[0]),))
    assert seen(expert, province) == cases[:1]
    assert sorted(seen(province.actor(Role.EXPERT), province)) == cases


def test_who_prepared_does_not_find_the_case_in_the_checkers_inbox(province: Province) -> None:
    case_id = province.open("issuance").case_id
    move(province, case_id, "submit", Role.OWNER)
    move(province, case_id, "verify", Role.VERIFIER)
    move(province, case_id, "prepare", Role.MAKER, user_id=42)
    same, other = province.actor(Role.CHECKER, user_id=42), province.actor(Role.CHECKER, user_id=43)
    issue_only = {
        found.outcome for line in queries.inbox(actor=same, at=province.at) for found in line.outcomes
    }
    assert "issue" not in issue_only
    assert seen(other, province) == [case_id]


def test_a_closed_case_waits_for_nobody(province: Province) -> None:
    case_id = province.open("methodology_filing").case_id
    move(province, case_id, "recommend", Role.EXPERT)
    move(province, case_id, "file", Role.REGULATOR)
    assert Case.objects.get(pk=case_id).closed_at is not None
    assert all(seen(province.actor(role), province) == [] for role in Role)


def test_the_number_of_queries_does_not_grow_with_the_number_of_cases(province: Province) -> None:
    actor = province.actor(Role.OWNER)
    counts = []
    for size in (2, 30):
        for number in range(size):
            province.open("issuance", subject_id=f"{size}-{number}")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            lines = queries.inbox(actor=actor, at=province.at, limit=100)
        counts.append(len(captured))
    assert len(lines) == 32
    assert counts[0] == counts[1] <= 8


def test_the_limit_is_kept_and_the_nearest_deadline_comes_first(province: Province) -> None:
    for number in range(5):
        province.open("issuance", subject_id=str(number))
    last = Case.objects.order_by("-id").first()
    assert last is not None
    Case.objects.filter(pk=last.pk).update(deadline_day=province.at.date() - timedelta(days=400))
    lines = queries.inbox(actor=province.actor(Role.OWNER), at=province.at, limit=3)
    assert len(lines) == 3
    assert lines[0].case.case_id == last.pk
    assert lines[0].days_left == -400


def test_the_system_has_no_decisions_waiting(province: Province) -> None:
    province.open("issuance")
    assert seen(province.actor(Role.SYSTEM), province) == []
