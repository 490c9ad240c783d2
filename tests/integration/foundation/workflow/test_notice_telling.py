"""Those in charge hear of an objection, and whoever commented hears of the answer; never of words or names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings
from tests.integration.foundation.workflow.conftest import Province, organisation
from tests.integration.foundation.workflow.notices import (
    FIRST_DAY,
    announced,
    answer,
    citizen,
    object_to,
    withdraw,
)

from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor
from tanpuhui.foundation.messages.models import Message
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.workflow.operations import NoticeNews, tell_of_answer, tell_of_objection

pytestmark = pytest.mark.django_db
JURISDICTIONS = sorted((Path(__file__).resolve().parents[4] / "jurisdictions").glob("*/messages"))


@pytest.fixture(params=JURISDICTIONS, ids=lambda folder: folder.parent.name)
def worded(request: pytest.FixtureRequest, province: Province, settings: Settings) -> Province:
    """Give the province the wordings of a real jurisdiction: each of them has what notices say."""
    folder = Path(settings.TANPUHUI_JURISDICTION_DIR)
    shutil.copytree(request.param, folder / "messages", dirs_exist_ok=True)
    load_templates(actor=SYSTEM, at=province.at, folder=folder)
    return province


def official(province: Province, role: str) -> int:
    number = User.objects.count() + 20
    body = organisation("centre", number, at=province.at, area=province.area)
    user = User.objects.create(
        username=f"{role}{number}",
        display_name=role,
        area=province.area,
        is_citizen=False,
        joined_at=FIRST_DAY,
    )
    Membership.objects.create(
        user=user, organisation_id=body, role=role, area=province.area, valid_from=FIRST_DAY
    )
    return int(user.pk)


def told(template: str) -> set[int]:
    return set(Message.objects.filter(template__key=template).values_list("user_id", flat=True))


def hear_of(comment_id: int) -> int:
    return tell_of_objection(actor=SYSTEM, at=FIRST_DAY, comment_id=comment_id).told


def test_those_who_answer_hear_of_an_objection_once_and_nobody_else(worded: Province) -> None:
    maker, regulator = official(worded, "maker"), official(worded, "regulator")
    official(worded, "checker")
    comment_id = object_to(announced(worded), citizen(worded), text="秘密的内容", name="赵小六")
    assert hear_of(comment_id) == 2
    assert hear_of(comment_id) == 0
    assert told(NoticeNews.OBJECTION) == {maker, regulator}
    assert all("秘密" not in str(row.data) and "赵" not in str(row.data) for row in Message.objects.all())


def test_a_remark_and_an_objection_settled_since_are_not_told_of(worded: Province) -> None:
    official(worded, "maker")
    view = announced(worded)
    person: Actor = citizen(worded)
    assert hear_of(object_to(view, person, objection=False)) == 0
    gone = object_to(view, person)
    withdraw(gone, person)
    assert hear_of(gone) == 0
    answered = object_to(view, person)
    answer(worded, answered, upheld=False)
    assert hear_of(answered) == 0


def test_whoever_commented_hears_of_the_answer(worded: Province) -> None:
    person = citizen(worded)
    comment_id = object_to(announced(worded), person)
    assert tell_of_answer(actor=SYSTEM, at=FIRST_DAY, comment_id=comment_id).told == 0
    answer(worded, comment_id, upheld=False)
    assert tell_of_answer(actor=SYSTEM, at=FIRST_DAY, comment_id=comment_id).told == 1
    (message,) = Message.objects.filter(template__key=NoticeNews.ANSWERED)
    assert message.user_id == int(person.id)
    assert message.link.startswith("/notices/")
    assert message.link.endswith("#answers")
