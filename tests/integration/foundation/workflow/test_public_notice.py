"""A public notice opens and closes by itself on working days; objections stop the case until they are answered."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from tests.integration.foundation.workflow.conftest import Province
from tests.integration.foundation.workflow.corruption import corrupt
from tests.integration.foundation.workflow.made_up_province import write_province
from tests.integration.foundation.workflow.notices import (
    DAY_AFTER,
    FIRST_DAY,
    LAST_MOMENT,
    announced,
    answer,
    citizen,
    object_to,
    refused,
)

from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.rulebook.operations import set_holiday
from tanpuhui.foundation.rulebook.queries import HolidaysUnset
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import (
    ObjectionsOpen,
    ValueMissing,
    attach,
    decide,
    end_notices,
    extend_notice,
)
from tanpuhui.foundation.workflow.queries import NoticeState

pytestmark = pytest.mark.django_db
SHANDONG = Path(__file__).resolve().parents[4] / "jurisdictions" / "shandong"


def take(province: Province, case_id: int, outcome: str, role: Role, *, at: datetime, **values: str) -> None:
    decide(
        actor=province.actor(role),
        at=at,
        idempotency_key=None,
        case_id=case_id,
        outcome=outcome,
        opinion="按规定办理",
        values=values,
    )


def test_a_notice_opens_with_the_days_basis_and_confidence_of_its_rule(province: Province) -> None:
    view = announced(province)
    assert (view.working_days, view.days_basis, view.days_confidence) == (5, "试验规则第三条；类比", "GK-M")
    assert (view.opens_on, view.closes_on, view.last_day) == (
        date(2026, 11, 20), date(2026, 11, 28), date(2026, 11, 28),
    )  # fmt: skip
    assert (view.state, view.days_left, view.step_zh) == (NoticeState.RUNNING, 5, "公示")


def test_a_notice_whose_days_no_rule_sets_takes_those_of_the_decider_with_the_opinion_as_reason(
    province: Province,
) -> None:
    case_id = province.open("public_admission").case_id
    with refused(ValueMissing):
        take(province, case_id, "announce_anew", Role.MAKER, at=FIRST_DAY)
    take(province, case_id, "announce_anew", Role.MAKER, at=FIRST_DAY, notice_working_days="2")
    (view,) = queries.notices_of(case_id, at=FIRST_DAY)
    assert (view.working_days, view.days_basis, view.days_confidence) == (2, "按规定办理", "NOT ESTABLISHED")
    assert view.last_day == date(2026, 11, 25)


def test_the_button_asks_for_the_days_only_where_no_rule_sets_them(province: Province) -> None:
    case_id = province.open("public_admission").case_id
    found = queries.available_outcomes(actor=province.actor(Role.MAKER), case_id=case_id, at=FIRST_DAY)
    asked = {one.outcome: [ask.name for ask in one.asks] for one in found}
    assert asked == {"announce": [], "announce_anew": ["notice_working_days"]}


def test_it_closes_by_itself_the_day_after_its_last_and_not_before(province: Province) -> None:
    view = announced(province)
    assert end_notices(at=LAST_MOMENT) == ()
    assert queries.notice(view.notice_id, at=LAST_MOMENT).state == NoticeState.RUNNING
    assert queries.notice(view.notice_id, at=DAY_AFTER).state == NoticeState.WAITING
    assert end_notices(at=DAY_AFTER) == (view.case_id,)
    closed = queries.notice(view.notice_id, at=DAY_AFTER)
    assert (closed.state, closed.result, closed.result_en) == (
        NoticeState.ENDED, "公示期满准入", "Admitted after notice",
    )  # fmt: skip
    assert queries.case(view.case_id).state == "admitted"
    assert end_notices(at=DAY_AFTER) == ()
    assert list(queries.breaches()) == []


@pytest.mark.parametrize(
    ("opened", "days", "last_day"),
    [
        ("2026-09-24", 5, "2026-10-09"),  # 中秋 25–27, 国庆 1–7
        ("2026-09-30", 3, "2026-10-10"),  # Saturday the 10th is worked
        ("2026-02-13", 2, "2026-02-24"),  # Saturday the 14th is worked, 春节 15–23
        ("2026-04-30", 4, "2026-05-09"),  # 劳动节 1–5, Saturday the 9th is worked
    ],
)
def test_it_runs_over_the_holidays_as_the_state_council_set_them(
    province_of: Callable[[Path], Province], tmp_path: Path, opened: str, days: int, last_day: str
) -> None:
    folder = write_province(tmp_path / "made-up")
    shutil.copy(SHANDONG / "holidays.csv", folder / "holidays.csv")
    province = province_of(folder)
    at = datetime.fromisoformat(opened).replace(hour=9, tzinfo=CHINA)
    case_id = province.open("public_admission").case_id
    take(province, case_id, "announce_anew", Role.MAKER, at=at, notice_working_days=str(days))
    (view,) = queries.notices_of(case_id, at=at)
    assert view.last_day == date.fromisoformat(last_day)
    over = datetime.combine(view.last_day + timedelta(days=1), datetime.min.time(), tzinfo=CHINA)
    assert end_notices(at=over - timedelta(seconds=1)) == ()
    assert end_notices(at=over) == (case_id,)


def test_it_does_not_open_into_a_year_whose_holidays_are_not_entered(
    province_of: Callable[[Path], Province], tmp_path: Path
) -> None:
    folder = write_province(tmp_path / "made-up")
    shutil.copy(SHANDONG / "holidays.csv", folder / "holidays.csv")
    province = province_of(folder)
    at = datetime(2026, 12, 28, 9, 0, tzinfo=CHINA)
    case_id = province.open("public_admission").case_id
    with refused(HolidaysUnset) as found:
        take(province, case_id, "announce", Role.MAKER, at=at)
    assert found.value.data["year"] == 2027
    assert queries.case(case_id).state == "applied"
    assert queries.notices_of(case_id, at=at) == ()
    set_holiday(actor=SYSTEM, at=at, day=date(2027, 1, 1), works=False, name_zh="元旦", basis="试验通知")
    take(province, case_id, "announce", Role.MAKER, at=at)
    assert queries.notices_of(case_id, at=at)[0].last_day == date(2027, 1, 5)


def test_a_holiday_entered_later_leaves_the_announced_days_and_is_told_to_those_in_charge(
    province: Province,
) -> None:
    view = announced(province)
    set_holiday(
        actor=SYSTEM, at=FIRST_DAY, day=date(2026, 11, 26), works=False, name_zh="校庆", basis="补发通知"
    )
    after = queries.notice(view.notice_id, at=FIRST_DAY)
    assert after.last_day == date(2026, 11, 28)
    assert queries.reckoned_last_day(after) == date(2026, 11, 30)
    assert after.days_left == 4


def test_the_days_of_a_notice_never_change(province: Province) -> None:
    view = announced(province)
    for change in ("closes_on = '2026-12-31'", "opens_on = '2026-11-01'", "title = 'x'", "documents = '[1]'"):
        with refused(DatabaseError) as found, connection.cursor() as cursor:
            cursor.execute(f"update workflow_notice set {change} where id = {view.notice_id}")
        assert "never change" in str(found.value)


def test_an_extension_puts_off_the_last_day_and_keeps_the_one_first_announced(province: Province) -> None:
    view = announced(province)
    done = extend_notice(
        actor=province.actor(Role.MAKER), at=LAST_MOMENT, idempotency_key=None, notice_id=view.notice_id,
        working_days=2, reason="附件更正，多给两天",
    )  # fmt: skip
    assert done.last_day == date(2026, 12, 1)
    assert end_notices(at=DAY_AFTER) == ()
    late = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
    object_to(view, citizen(province), at=late, objection=False)
    after = queries.notice(view.notice_id, at=late)
    assert (after.closes_on, after.last_day, after.days_left) == (date(2026, 11, 28), date(2026, 12, 1), 0)
    assert [one.reason for one in after.extensions] == ["附件更正，多给两天"]
    assert [one.notice_id for one in queries.notices(at=late, state=NoticeState.RUNNING).notices] == [
        view.notice_id
    ]
    assert end_notices(at=late + timedelta(hours=1)) == (view.case_id,)
    assert list(queries.breaches()) == []


def test_an_objection_without_answer_stops_the_case_and_one_found_wrong_does_not(province: Province) -> None:
    view = announced(province)
    comment_id = object_to(view, citizen(province))
    assert end_notices(at=DAY_AFTER) == ()
    waiting = queries.notice(view.notice_id, at=DAY_AFTER)
    assert (waiting.state, waiting.waiting, waiting.upheld) == (NoticeState.WAITING, 1, 0)
    answer(province, comment_id, upheld=False, at=DAY_AFTER)
    assert end_notices(at=DAY_AFTER) == (view.case_id,)
    assert list(queries.breaches()) == []


def test_an_upheld_objection_stops_the_system_until_people_return_the_case(province: Province) -> None:
    view = announced(province)
    answer(province, object_to(view, citizen(province)), upheld=True)
    assert end_notices(at=DAY_AFTER) == ()
    with refused(ObjectionsOpen):
        take(province, view.case_id, "admit", Role.SYSTEM, at=DAY_AFTER)
    take(province, view.case_id, "return", Role.MAKER, at=DAY_AFTER)
    assert queries.notice(view.notice_id, at=DAY_AFTER).result == "退回补正"
    take(province, view.case_id, "announce", Role.MAKER, at=DAY_AFTER)
    second, first = queries.notices_of(view.case_id, at=DAY_AFTER)
    assert (second.objections, first.objections) == (0, 1)
    over = datetime.combine(second.last_day + timedelta(days=1), datetime.min.time(), tzinfo=CHINA)
    assert end_notices(at=over) == (view.case_id,)


def test_attachments_of_the_published_kinds_are_published_as_they_were_when_it_opened(
    province: Province,
) -> None:
    case_id = province.open("public_admission").case_id
    maker = province.actor(Role.MAKER)

    def put(kind: str, content: bytes) -> str:
        stored = store_document(content=content, name="x.pdf", media_type="application/pdf", at=FIRST_DAY)
        attach(
            actor=maker, at=FIRST_DAY, idempotency_key=None, case_id=case_id, kind=kind, name="方案.pdf",
            sha256=stored.sha256,
        )  # fmt: skip
        return stored.sha256

    put("plan", b"first")
    second = put("plan", b"second")
    put("secret", b"not for the public")
    take(province, case_id, "announce", Role.MAKER, at=FIRST_DAY)
    put("plan", b"third")
    (view,) = queries.notices_of(case_id, at=FIRST_DAY)
    assert [(one.kind, one.version, one.sha256, one.size) for one in view.documents] == [
        ("plan", 2, second, 6)
    ]


def test_lists_tell_where_each_notice_stands_by_process_and_area(province: Province) -> None:
    first = announced(province)
    second = announced(province, subject_id="2", at=datetime(2026, 11, 24, 2, 0, tzinfo=UTC))
    assert end_notices(at=DAY_AFTER) == (first.case_id,)
    page = queries.notices(at=DAY_AFTER)
    assert {state.value: count for state, count in page.counts.items()} == {
        "running": 1,
        "waiting": 0,
        "ended": 1,
    }
    assert [view.notice_id for view in page.notices] == [second.notice_id, first.notice_id]
    ended = queries.notices(
        at=DAY_AFTER, state=NoticeState.ENDED, process="public_admission", areas=(province.area,)
    )
    assert [view.notice_id for view in ended.notices] == [first.notice_id]
    assert queries.notices(at=DAY_AFTER, areas=("110000",)).total == 0
    assert queries.notices(at=DAY_AFTER, process="issuance").total == 0
    assert queries.notice_processes() == (("public_admission", "公示准入", "Admission"),)


def test_those_in_charge_are_told_where_an_objection_waits(province: Province) -> None:
    view = announced(province)
    assert queries.notices_waiting(province.actor(Role.MAKER), at=FIRST_DAY) == ()
    comment_id = object_to(view, citizen(province), files=())
    (waiting,) = queries.notices_waiting(province.actor(Role.MAKER), at=FIRST_DAY)
    assert waiting.notice_id == view.notice_id
    assert queries.notices_waiting(province.actor(Role.CHECKER), at=FIRST_DAY) == ()
    answer(province, comment_id, upheld=False)
    assert queries.notices_waiting(province.actor(Role.MAKER), at=FIRST_DAY) == ()


@pytest.mark.parametrize(
    ("statement", "invariant"),
    [
        ("update workflow_notice set step = step + 1", "workflow.notice_is_of_the_present_step"),
        (
            "update workflow_notice set closed_at = opened_at, result = 'x'",
            "workflow.notice_state_has_its_notice",
        ),
        (
            "update workflow_noticecomment set at = at + interval '20 days'",
            "workflow.comment_lies_in_its_notice",
        ),
    ],
)
def test_a_corrupted_notice_is_found(province: Province, statement: str, invariant: str) -> None:
    object_to(announced(province), citizen(province))
    corrupt(statement)
    assert invariant in {breach.invariant for breach in queries.breaches()}


def test_an_objection_passed_over_is_found(province: Province) -> None:
    view = announced(province)
    answer(province, object_to(view, citizen(province)), upheld=False)
    end_notices(at=DAY_AFTER)
    corrupt("update workflow_commentanswer set upheld = true")
    assert "workflow.no_objection_is_passed_over" in {breach.invariant for breach in queries.breaches()}
