"""The clock of a case: working days over the National Day of 2026, stops, a corrected holiday, a deadline that a person sets."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.integration.foundation.workflow.conftest import Province

from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.rulebook.models import Holiday
from tanpuhui.foundation.rulebook.operations import set_holiday
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import NotCaseMember, reckon_deadlines, set_deadline
from tanpuhui.foundation.workflow.tasks import reckon_deadlines_again

pytestmark = pytest.mark.django_db

NOTICE_OF_2026 = Path(__file__).resolve().parents[4] / "jurisdictions" / "shandong" / "holidays.csv"


def moment(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T02:00:00").replace(tzinfo=UTC)


@pytest.fixture
def autumn(province: Province) -> Province:
    """Give a province on Friday 18 September 2026, with the State Council's holidays of that year."""
    Holiday.objects.all().delete()
    with NOTICE_OF_2026.open(encoding="utf-8") as lines:
        Holiday.objects.bulk_create(
            Holiday(day=row["day"], works=row["kind"] == "work", name_zh=row["name_zh"], basis=row["basis"])
            for row in csv.DictReader(lines)
        )
    province.at = moment("2026-09-18")
    return province


def due(case_id: int) -> date | None:
    return queries.case(case_id).deadline_day


def test_ten_working_days_of_a_whole_case_pass_over_mid_autumn_and_national_day(autumn: Province) -> None:
    case_id = autumn.open("admission").case_id
    # Sunday 20 September is worked; 25 to 27 September and 1 to 7 October are free; so the tenth day is 9 October.
    assert (due(case_id), queries.case(case_id).deadline_working_days) == (date(2026, 10, 9), 10)


def test_the_clock_stands_still_while_the_applicant_corrects(autumn: Province) -> None:
    case_id = autumn.open("admission").case_id
    autumn.decide(case_id, "return", Role.MAKER, at=moment("2026-09-22"))
    assert (due(case_id), queries.case(case_id).clock_stopped) == (None, True)
    autumn.decide(case_id, "resubmit", Role.OWNER, at=moment("2026-10-08"))
    # Three days were used (20 to 22 September); seven more, with Saturday 10 October worked, end on the 16th.
    assert due(case_id) == date(2026, 10, 16)


def test_an_expired_deadline_over_the_holiday_is_shown_and_moves_nothing(autumn: Province) -> None:
    case_id = autumn.open("admission").case_id

    def days_left(day: str) -> int | None:
        (line,) = queries.inbox(actor=autumn.actor(Role.MAKER), at=moment(day))
        return line.days_left

    assert days_left("2026-09-30") == 2, "8 and 9 October are all that is left"
    assert days_left("2026-10-05") == 2, "a holiday uses nothing up"
    assert days_left("2026-10-09") == 0
    assert days_left("2026-10-12") == -3, "overdue counts calendar days"
    reckon_deadlines_again()
    assert (queries.case(case_id).state, due(case_id)) == ("applied", date(2026, 10, 9))


def test_a_case_returned_when_its_days_were_used_up_is_due_on_the_day_it_comes_back(autumn: Province) -> None:
    case_id = autumn.open("admission").case_id
    autumn.decide(case_id, "return", Role.MAKER, at=moment("2026-10-12"))
    autumn.decide(case_id, "resubmit", Role.OWNER, at=moment("2026-10-14"))
    assert due(case_id) == date(2026, 10, 14)


def test_a_corrected_holiday_moves_the_deadline_of_running_cases_and_of_no_closed_one(
    autumn: Province,
) -> None:
    running = autumn.open("admission").case_id
    closed = autumn.open("admission", subject_id="2").case_id
    autumn.decide(closed, "withdraw", Role.OWNER)
    keeper = Actor(kind="user", id="7", grants=(Grant(role=Role.SYSTEM_ADMINISTRATOR, area=autumn.area),))
    set_holiday(
        actor=keeper, at=autumn.at, day=date(2026, 10, 8), works=False, name_zh="国庆节", basis="延长通知"
    )
    assert due(running) == date(2026, 10, 9), "the task moves it, not the entry itself"
    reckon_deadlines_again()
    assert due(running) == date(2026, 10, 10), "a worked Saturday"
    assert due(closed) is None


def test_a_year_without_holidays_gives_no_day_until_they_are_entered(autumn: Province) -> None:
    autumn.at = moment("2026-12-28")
    case_id = autumn.open("admission").case_id
    assert (due(case_id), queries.case(case_id).deadline_working_days) == (None, 10)
    Holiday.objects.create(day=date(2027, 1, 1), works=False, name_zh="元旦", basis="test")
    reckon_deadlines_again()
    assert due(case_id) == date(2027, 1, 12)


def set_days(
    province: Province, case_id: int, days: int, *, actor: Actor | None = None, reason: str = "急件"
) -> None:
    set_deadline(
        actor=actor or province.actor(Role.MAKER),
        at=province.at,
        idempotency_key=None,
        case_id=case_id,
        working_days=days,
        reason=reason,
    )


def test_a_person_sets_a_deadline_where_no_rule_does_and_it_ends_with_the_step(autumn: Province) -> None:
    case_id = autumn.open("admission").case_id
    set_days(autumn, case_id, 3)
    assert due(case_id) == date(2026, 9, 22), "nearer than the whole case's"
    reckon_deadlines_again()
    assert due(case_id) == date(2026, 9, 22)
    set_days(autumn, case_id, 200)
    assert due(case_id) == date(2026, 10, 9), "the whole case's is nearer again"
    autumn.decide(case_id, "return", Role.MAKER)
    autumn.decide(case_id, "resubmit", Role.OWNER)
    assert due(case_id) == date(2026, 10, 9)


@pytest.mark.parametrize(("days", "reason"), [(0, "急件"), (251, "急件"), (3, "  ")])
def test_a_deadline_has_sensible_days_and_a_reason(autumn: Province, days: int, reason: str) -> None:
    case_id = autumn.open("admission").case_id
    with pytest.raises(Invalid):
        set_days(autumn, case_id, days, reason=reason)


def test_a_deadline_that_a_rule_sets_is_not_set_by_a_person(autumn: Province) -> None:
    case_id = autumn.open("methodology_filing").case_id
    with pytest.raises(Invalid, match="rule"):
        set_days(autumn, case_id, 3)


def test_only_the_staff_of_the_area_set_a_deadline(autumn: Province) -> None:
    case_id = autumn.open("admission", area="990200").case_id
    with pytest.raises(NotPermitted):
        set_days(autumn, case_id, 3, actor=autumn.actor(Role.OWNER))
    other = Actor(kind="user", id="9", grants=(Grant(role=Role.MAKER, area="990100"),))
    with pytest.raises(NotCaseMember):
        set_days(autumn, case_id, 3, actor=other)


def test_reckoning_in_small_portions_reaches_every_case(autumn: Province) -> None:
    ids = [autumn.open("admission", subject_id=str(number)).case_id for number in range(5)]
    set_holiday(
        actor=SYSTEM, at=autumn.at, day=date(2026, 10, 8), works=False, name_zh="国庆节", basis="延长通知"
    )
    after, changed = 0, 0
    while (done := reckon_deadlines(actor=SYSTEM, at=autumn.at, after_id=after, most=2)).last_id:
        after, changed = done.last_id, changed + done.changed
    assert changed == len(ids)
    assert {due(case_id) for case_id in ids} == {date(2026, 10, 10)}
