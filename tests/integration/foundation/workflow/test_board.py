"""Every number of the board is the length of the list behind it, and steps are timed in working days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.integration.foundation.workflow.conftest import Province
from tests.integration.foundation.workflow.corruption import corrupt

from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.rulebook.models import Holiday
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import Case, Decision
from tanpuhui.foundation.workflow.operations import decide
from tanpuhui.foundation.workflow.queries import Criteria, Scope

pytestmark = pytest.mark.django_db
EVERYWHERE = ("990000",)


def move(province: Province, case_id: int, outcome: str, role: Role, *, days: int = 0) -> None:
    decide(
        actor=province.actor(role), at=province.at + timedelta(days=days), idempotency_key=None, case_id=case_id,
        outcome=outcome, opinion="同意",
    )  # fmt: skip


def listed(province: Province, areas: tuple[str, ...], **criteria: str) -> int:
    found = queries.find_cases(
        scope=Scope(areas=areas), actor=SYSTEM, at=province.at, criteria=Criteria(status="running", **criteria), limit=200
    )  # fmt: skip
    return len(found.cases)


def test_every_number_is_the_length_of_the_list_that_it_leads_to(province: Province) -> None:
    today = business_day(province.at)
    dues = (None, today, today - timedelta(days=1), today - timedelta(days=40), today + timedelta(days=30))
    for number in range(30):
        area = ("990100", "990101", "990200")[number % 3]
        process = ("issuance", "methodology_filing")[number % 2]
        case_id = province.open(process, subject_id=str(number), area=area).case_id
        Case.objects.filter(pk=case_id).update(deadline_day=dues[number % len(dues)])
        if number % 7 == 0 and process == "methodology_filing":
            move(province, case_id, "recommend", Role.EXPERT)
            move(province, case_id, "file", Role.REGULATOR)
    corrupt("update rulebook_processstate set clock_stops = true where code = 'draft'")
    for areas in (EVERYWHERE, ("990100",)):
        board = queries.board(areas=areas, at=province.at)
        assert board.lines
        for line in board.lines:
            where = {"process": line.process, "area": line.city + "00"}
            numbers = (line.running, line.due_this_week, line.overdue, line.stopped)
            assert numbers == (
                listed(province, areas, **where),
                listed(province, areas, due="week", **where),
                listed(province, areas, due="overdue", **where),
                listed(province, areas, due="stopped", **where),
            )
        assert sum(line.running for line in board.lines) == listed(province, areas)
    assert any(line.stopped for line in queries.board(areas=EVERYWHERE, at=province.at).lines)


def test_nobodys_area_shows_nothing(province: Province) -> None:
    province.open("issuance")
    board = queries.board(areas=(), at=province.at)
    assert (board.lines, board.steps) == ((), ())


def test_a_step_is_timed_in_working_days_over_holidays(province: Province) -> None:
    """From Friday, 20 November: Monday is free, the Saturday after is worked (the made-up calendar)."""
    for number, days in enumerate((3, 4, 5, 8)):
        case_id = province.open("issuance", subject_id=str(number)).case_id
        move(province, case_id, "submit", Role.OWNER, days=days)
    board = queries.board(areas=EVERYWHERE, at=province.at + timedelta(days=10))
    (step,) = board.steps
    assert (step.process, step.state, step.taken) == ("issuance", "draft", 4)
    assert (step.median_days, step.p90_days) == (1, 5), "0, 1, 2 and 5 working days"
    assert board.unmeasured == 0


def test_a_step_begins_with_the_decision_before_it(province: Province) -> None:
    case_id = province.open("issuance").case_id
    move(province, case_id, "submit", Role.OWNER, days=4)
    move(province, case_id, "verify", Role.VERIFIER, days=6)
    board = queries.board(areas=EVERYWHERE, at=province.at + timedelta(days=10))
    assert {step.state: step.median_days for step in board.steps} == {"draft": 1, "submitted": 2}


def test_steps_of_other_areas_processes_and_longer_ago_are_not_counted(province: Province) -> None:
    case_id = province.open("issuance", area="990100").case_id
    move(province, case_id, "submit", Role.OWNER, days=4)
    at = province.at + timedelta(days=10)
    assert queries.board(areas=("990200",), at=at).steps == ()
    assert queries.board(areas=EVERYWHERE, at=at, process="methodology_filing").steps == ()
    assert queries.board(areas=EVERYWHERE, at=at, area="990200").steps == ()
    assert len(queries.board(areas=EVERYWHERE, at=at, area="990100").steps) == 1
    late = province.at + timedelta(days=queries.STEP_DAYS + 5)
    assert queries.board(areas=EVERYWHERE, at=late).steps == ()


def test_a_year_without_a_calendar_is_said_to_be_unmeasured(province: Province) -> None:
    case_id = province.open("issuance").case_id
    move(province, case_id, "submit", Role.OWNER, days=4)
    Holiday.objects.all().delete()
    board = queries.board(areas=EVERYWHERE, at=province.at + timedelta(days=10))
    assert (board.steps, board.unmeasured) == ((), Decision.objects.count())
