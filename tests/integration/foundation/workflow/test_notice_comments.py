"""Anybody comments on a notice under their real name; those in charge answer, and only what is answered is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from tests.integration.foundation.workflow.conftest import Province, organisation
from tests.integration.foundation.workflow.notices import (
    DAY_AFTER,
    FIRST_DAY,
    LAST_MOMENT,
    PDF,
    announced,
    answer,
    citizen,
    object_to,
    refused,
    withdraw,
)

from tanpuhui.foundation.documents.models import Document
from tanpuhui.foundation.documents.queries import open_document
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted, Refusal
from tanpuhui.foundation.rulebook.models import Parameter
from tanpuhui.foundation.rulebook.queries import ParameterUnset
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import NoticeComment
from tanpuhui.foundation.workflow.operations import (
    CommentAnswered,
    CommenterDecides,
    CommenterUnknown,
    CommentMissing,
    CommentTakenBack,
    CommentTooLong,
    FileKindRefused,
    FileTooBig,
    NewFile,
    NoticeOver,
    NotYourAnswer,
    OwnComment,
    RealNameNeeded,
    TooManyComments,
    TooManyFiles,
    UpheldMissing,
    answer_comment,
    comment_on_notice,
    decide,
    end_notices,
    extend_notice,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def worker(province: Province, organisation_id: int, *, role: Role = Role.PARTNER) -> Actor:
    """Insert an organisation's person without phone."""
    user = User.objects.create(
        username=f"p{organisation_id}",
        display_name="王五",
        area=province.area,
        is_citizen=False,
        joined_at=province.at,
    )
    grant = Grant(role=role, organisation_id=organisation_id, area=province.area)
    return Actor(kind="user", id=str(user.pk), grants=(grant,))


def test_a_comment_is_kept_with_the_name_declared_and_what_stands_behind_it(province: Province) -> None:
    view = announced(province)
    object_to(view, citizen(province), name=" 买买提·艾力 ")
    (comment,) = queries.comments_of_notice(view.notice_id)
    assert (comment.name, comment.known_by, comment.masked_phone) == ("买买提·艾力", "phone", "138****0001")
    assert comment.objection
    assert not comment.name_public


def test_an_organisations_person_may_speak_for_it_and_for_no_other(province: Province) -> None:
    view = announced(province)
    partner_id = organisation("partner", 7, at=province.at, area=province.area)
    person = worker(province, partner_id)

    def speak(organisation_id: int) -> None:
        comment_on_notice(
            actor=person, at=FIRST_DAY, idempotency_key=None, notice_id=view.notice_id, name="王五",
            text="建议补充数据来源。", objection=False, organisation_id=organisation_id,
        )  # fmt: skip

    with refused(Invalid):
        speak(province.owner_id)
    speak(partner_id)
    (comment,) = queries.comments_of_notice(view.notice_id)
    assert (comment.organisation_id, comment.known_by, comment.masked_phone) == (
        partner_id,
        "organisation",
        "",
    )


def nobody(province: Province) -> Actor:
    user = User.objects.create(
        username="nobody", display_name="x", area=province.area, is_citizen=False, joined_at=province.at
    )
    return Actor(kind="user", id=str(user.pk))


WRONG: dict[str, tuple[type[Refusal], Callable[[Province], dict[str, object]]]] = {
    "digits": (RealNameNeeded, lambda _: {"name": "13800000001"}),
    "one letter": (RealNameNeeded, lambda _: {"name": "李"}),
    "signs": (RealNameNeeded, lambda _: {"name": "李明<b>"}),
    "long name": (RealNameNeeded, lambda _: {"name": "李" * 41}),
    "empty": (CommentMissing, lambda _: {"text": " \n "}),
    "long": (CommentTooLong, lambda _: {"text": "长" * 201}),
    "too late": (NoticeOver, lambda _: {"at": DAY_AFTER}),
    "in charge": (CommenterDecides, lambda province: {"actor": province.actor(Role.MAKER)}),
    "nobody knows them": (CommenterUnknown, lambda province: {"actor": nobody(province)}),
    "a program": (CommenterUnknown, lambda _: {"actor": Actor(kind="partner", id="1")}),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_comment_is_refused_and_says_why(province: Province, why: str) -> None:
    kind, change = WRONG[why]
    view = announced(province)
    given: dict[str, object] = {"actor": citizen(province), "text": "说明", **change(province)}
    with refused(kind):
        object_to(view, **given)  # type: ignore[arg-type]
    assert not NoticeComment.objects.exists()


def test_a_comment_is_taken_in_the_last_second_of_the_last_day_in_china(province: Province) -> None:
    view = announced(province)
    object_to(view, citizen(province), at=LAST_MOMENT)
    assert queries.notice(view.notice_id, at=LAST_MOMENT).objections == 1
    with refused(NoticeOver) as found:
        object_to(view, citizen(province, 2), at=LAST_MOMENT + timedelta(seconds=1))
    assert found.value.data["last_day"] == "2026-11-28"


def test_a_notice_that_ended_early_takes_no_comment(province: Province) -> None:
    view = announced(province)
    decide(
        actor=province.actor(Role.REGULATOR), at=FIRST_DAY, idempotency_key=None, case_id=view.case_id,
        outcome="refuse", opinion="不符合条件",
    )  # fmt: skip
    with refused(NoticeOver):
        object_to(view, citizen(province))


def test_there_is_no_comment_on_a_notice_that_is_not_there(province: Province) -> None:
    with refused(NotFound):
        object_to(replace(announced(province), notice_id=999_999), citizen(province))


def test_files_are_kept_by_their_hash(province: Province) -> None:
    view = announced(province)
    object_to(view, citizen(province), files=(NewFile(name="C:\\docs\\证据.PDF", content=PDF),))
    (comment,) = queries.comments_of_notice(view.notice_id)
    (kept,) = comment.files
    assert (kept.name, kept.size) == ("证据.PDF", len(PDF))
    with open_document(kept.sha256) as stream:
        assert stream.read() == PDF


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        (FileKindRefused, [("a.exe", PDF)]),
        (FileKindRefused, [("a.pdf", b"MZ not a pdf")]),
        (FileKindRefused, [("pdf", PDF)]),
        (FileKindRefused, [("a.jpg", b"\xff\xd8\xff")]),  # known, but not named by this province's rule
        (FileKindRefused, [("", PDF)]),
        (FileTooBig, [("a.pdf", PDF + b"x" * 1000)]),
        (TooManyFiles, [("a.pdf", PDF), ("b.pdf", PDF), ("c.pdf", PDF)]),
    ],
)
def test_files_of_another_kind_size_or_number_are_refused_and_not_kept(
    province: Province, kind: type[Refusal], files: list[tuple[str, bytes]]
) -> None:
    view, person = announced(province), citizen(province)
    with refused(kind):
        object_to(view, person, files=[NewFile(name=name, content=content) for name, content in files])
    assert not Document.objects.exists()


def test_a_comment_that_comes_too_late_leaves_no_file(province: Province) -> None:
    view, person = announced(province), citizen(province)
    with refused(NoticeOver):
        object_to(view, person, at=DAY_AFTER, files=(NewFile(name="a.pdf", content=PDF),))
    assert not Document.objects.exists()


def test_one_person_cannot_drown_the_others(province: Province) -> None:
    first, second, person = announced(province), announced(province, subject_id="2"), citizen(province)
    for number in range(3):
        object_to(first, person, text=f"{number}")
    with refused(TooManyComments):
        object_to(first, person)
    object_to(second, person)
    with refused(TooManyComments):
        object_to(second, person)
    object_to(second, person, at=FIRST_DAY + timedelta(days=1))
    object_to(first, citizen(province, 2))


def test_a_limit_that_no_rule_sets_refuses_instead_of_being_guessed(province: Province) -> None:
    view, person = announced(province), citizen(province)
    Parameter.objects.filter(key="notice.comments_per_person_max").delete()
    with refused(ParameterUnset):
        object_to(view, person)


def test_sending_the_same_comment_twice_is_one_comment_even_after_the_notice(province: Province) -> None:
    view, person = announced(province), citizen(province)

    def send(at: datetime) -> int:
        return comment_on_notice(
            actor=person, at=at, idempotency_key="k", notice_id=view.notice_id, name="李明", text="说明",
            objection=False, files=(NewFile(name="a.pdf", content=PDF),),
        ).comment_id  # fmt: skip

    assert send(FIRST_DAY) == send(DAY_AFTER)
    assert NoticeComment.objects.count() == 1


def test_an_objection_taken_back_stays_on_file_and_no_longer_stops_the_case(province: Province) -> None:
    view, person = announced(province), citizen(province)
    comment_id = object_to(view, person)
    with refused(NotFound):
        withdraw(comment_id, citizen(province, 2))
    withdraw(comment_id, person)
    with refused(CommentTakenBack):
        withdraw(comment_id, person)
    with refused(CommentTakenBack):
        answer(province, comment_id, upheld=False)
    (kept,) = queries.comments_of_notice(view.notice_id)
    assert kept.withdrawn_at == FIRST_DAY
    after = queries.notice(view.notice_id, at=FIRST_DAY)
    assert (after.comments, after.objections, after.withdrawn, after.waiting) == (0, 0, 1, 0)
    assert queries.published_comments(view.notice_id) == ()
    assert end_notices(at=DAY_AFTER) == (view.case_id,)
    assert list(queries.breaches()) == []


def test_what_was_answered_or_closed_is_not_taken_back(province: Province) -> None:
    view, person = announced(province), citizen(province)
    answered, remark = object_to(view, person), object_to(view, person, objection=False)
    answer(province, answered, upheld=False)
    with refused(CommentAnswered):
        withdraw(answered, person)
    end_notices(at=DAY_AFTER)
    with refused(NoticeOver):
        withdraw(remark, person, at=DAY_AFTER)


def test_only_those_who_may_leave_the_notice_in_that_area_answer(province: Province) -> None:
    comment_id = object_to(announced(province), citizen(province))
    elsewhere = Actor(kind="user", id="7", grants=(Grant(role=Role.MAKER, area="110000"),))
    for actor, kind in (
        (province.actor(Role.CHECKER), NotYourAnswer),
        (elsewhere, NotYourAnswer),
        (province.actor(Role.OWNER), NotPermitted),
        (citizen(province, 2), NotPermitted),
    ):
        with refused(kind):
            answer_comment(
                actor=actor,
                at=FIRST_DAY,
                idempotency_key=None,
                comment_id=comment_id,
                text="不成立",
                upheld=False,
            )
    answer_comment(
        actor=province.actor(Role.REGULATOR), at=FIRST_DAY, idempotency_key=None, comment_id=comment_id,
        text="不成立", upheld=False,
    )  # fmt: skip


def test_an_answer_says_whether_an_objection_is_right_and_of_a_remark_does_not(province: Province) -> None:
    view, person = announced(province), citizen(province)
    objection, remark = object_to(view, person), object_to(view, person, objection=False)
    with refused(UpheldMissing):
        answer(province, objection, upheld=None)
    with refused(Invalid):
        answer(province, remark, upheld=True)
    with refused(CommentMissing):
        answer(province, remark, upheld=None, text=" ")
    answer(province, remark, upheld=None)
    with refused(NotFound):
        answer(province, 999_999, upheld=None)


def test_the_second_answer_is_refused_and_keeps_what_was_written(province: Province) -> None:
    comment_id = object_to(announced(province), citizen(province))
    answer(province, comment_id, upheld=False)
    with refused(CommentAnswered) as found:
        answer(province, comment_id, upheld=True, text="我的答复")
    assert found.value.data["text"] == "我的答复"
    assert found.value.data["when"] == "2026-11-20 10:00"


def test_nobody_answers_their_own_comment(province: Province) -> None:
    person = citizen(province)
    comment_id = object_to(announced(province), person)
    promoted = replace(person, grants=(*person.grants, Grant(role=Role.MAKER, area=province.area)))
    with refused(OwnComment):
        answer_comment(
            actor=promoted,
            at=FIRST_DAY,
            idempotency_key=None,
            comment_id=comment_id,
            text="不成立",
            upheld=False,
        )


def test_nobody_answers_the_comment_of_whoever_delegated_to_them(province: Province) -> None:
    person = citizen(province)
    comment_id = object_to(announced(province), person)
    deputy = Actor(
        kind="user", id="77", grants=(Grant(role=Role.MAKER, area=province.area, on_behalf_of=person.id),)
    )
    with refused(OwnComment):
        answer_comment(
            actor=deputy,
            at=FIRST_DAY,
            idempotency_key=None,
            comment_id=comment_id,
            text="不成立",
            upheld=False,
        )


def test_a_refused_comment_leaves_no_file(province: Province) -> None:
    view, person = announced(province), citizen(province)
    with refused(RealNameNeeded):
        object_to(view, person, name="1", files=(NewFile(name="a.pdf", content=PDF),))
    assert not Document.objects.exists()


def test_only_answered_comments_are_published_and_names_masked_unless_chosen(province: Province) -> None:
    view = announced(province)
    shy = object_to(view, citizen(province), text="匿去全名")
    open_ = object_to(view, citizen(province, 2), text="公开全名", name="张三", name_public=True)
    object_to(view, citizen(province, 3), text="还没有答复")
    answer(province, shy, upheld=False)
    answer(province, open_, upheld=True, text="成立，已退回。")
    found = queries.published_comments(view.notice_id)
    assert [(one.name, one.text, one.answer.upheld) for one in found] == [
        ("李**", "匿去全名", False),
        ("张三", "公开全名", True),
    ]
    assert all("1380000" not in repr(one) for one in found)


def test_a_person_sees_what_they_said_and_the_answers(province: Province) -> None:
    view, person = announced(province), citizen(province)
    first, second = object_to(view, person, text="一"), object_to(view, person, text="二")
    object_to(view, citizen(province, 2), text="别人的")
    answer(province, first, upheld=False)
    found = queries.comments_of_person(int(person.id))
    assert [(one.comment_id, one.answer is not None) for one in found] == [(second, False), (first, True)]


def test_a_comment_is_answered_after_the_notice_too(province: Province) -> None:
    view = announced(province)
    remark = object_to(view, citizen(province), objection=False)
    end_notices(at=DAY_AFTER)
    answer(province, remark, upheld=None, at=DAY_AFTER)
    assert len(queries.published_comments(view.notice_id)) == 1


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"working_days": 0}, Invalid),
        ({"working_days": 251}, Invalid),
        ({"reason": " "}, Invalid),
        ({"at": DAY_AFTER}, NoticeOver),
        ({"notice_id": 999_999}, NotFound),
        ({"role": Role.CHECKER}, NotYourAnswer),
        ({"role": Role.OWNER}, NotPermitted),
    ],
)
def test_an_extension_is_refused_and_says_why(
    province: Province, change: dict[str, object], kind: type[Refusal]
) -> None:
    view = announced(province)
    given: dict[str, object] = {
        "at": FIRST_DAY,
        "notice_id": view.notice_id,
        "working_days": 1,
        "reason": "补充材料",
    }
    given |= change
    actor = province.actor(Role(given.pop("role", Role.MAKER)))
    with refused(kind):
        extend_notice(actor=actor, idempotency_key=None, **given)  # type: ignore[arg-type]
    assert queries.notice(view.notice_id, at=FIRST_DAY).extensions == ()


def test_the_calendar_day_of_a_comment_is_that_of_china(province: Province) -> None:
    """20:00 UTC is the next day in China: the daily limit begins anew then."""
    view, person = announced(province), citizen(province)
    other = announced(province, subject_id="2")
    for number in range(3):
        object_to(view, person, at=datetime(2026, 11, 20, 15, number, tzinfo=UTC))
    object_to(other, person, at=datetime(2026, 11, 20, 15, 30, tzinfo=UTC))
    with refused(TooManyComments):
        object_to(other, person, at=datetime(2026, 11, 20, 15, 59, tzinfo=UTC))
    object_to(other, person, at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
