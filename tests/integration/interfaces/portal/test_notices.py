"""Everybody reads a public notice; whoever is signed in comments on it; nothing personal stands on it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.integration.foundation.workflow.conftest import Province, province, province_of
from tests.integration.foundation.workflow.notices import (
    DAY_AFTER,
    FIRST_DAY,
    PDF,
    announced,
    answer,
    citizen,
    object_to,
    withdraw,
)
from tests.integration.interfaces.portal.test_pages import text_of

from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.models import NoticeComment
from tanpuhui.foundation.workflow.operations import attach, decide, end_notices, extend_notice

__all__ = ["province", "province_of"]

pytestmark = pytest.mark.django_db


class Clock:
    """The moment at which the pages are asked."""

    def __init__(self) -> None:
        self.at = FIRST_DAY

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(timezone, "now", found.now)
    return found


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> None:
    settings.TANPUHUI_DATA_DIR = tmp_path / "data"


@pytest.fixture
def person(province: Province, client: Client, clock: Clock) -> Client:
    """Give the browser of a citizen who is signed in."""
    client.force_login(get_user_model().objects.get(pk=int(citizen(province, 9).id)))
    return client


def given(**change: object) -> dict[str, object]:
    return {
        "kind": "objection",
        "name": "李明",
        "text": "基准线取值偏高。",
        "idempotency_key": "k1",
        **change,
    }


def test_a_notice_says_what_until_when_by_which_rule_and_who_decides(
    province: Province, client: Client, clock: Clock
) -> None:
    view = announced(province)
    text = text_of(client.get(f"/notices/{view.notice_id}"))
    for said in (
        "一件事", "公示准入", "5 个工作日", "11 月 28 日 24 时止", "试验规则第三条；类比", "通行知识，可信度中",
        "公示期满准入", "系统，期满且没有未答复或成立的异议时", "退回补正", "还没有收到意见", "登录后提意见",
    ):  # fmt: skip
        assert said in text, said
    assert (
        f"next=%2Fnotices%2F{view.notice_id}%23say"
        in client.get(f"/notices/{view.notice_id}").content.decode()
    )


def test_a_notice_whose_days_somebody_chose_says_so_with_the_reason(
    province: Province, client: Client, clock: Clock
) -> None:
    case_id = province.open("public_admission").case_id
    decide(
        actor=province.actor(Role.MAKER), at=FIRST_DAY, idempotency_key=None, case_id=case_id,
        outcome="announce_anew", opinion="参照同类事项，公示三天。", values={"notice_working_days": "3"},
    )  # fmt: skip
    (view,) = queries.notices_of(case_id, at=FIRST_DAY)
    text = text_of(client.get(f"/notices/{view.notice_id}"))
    assert "没有规则规定天数，由办理人员决定。理由：参照同类事项，公示三天。" in text


def test_the_list_sorts_by_state_kind_and_area(province: Province, client: Client, clock: Clock) -> None:
    assert "还没有公示。" in text_of(client.get("/notices/"))
    first = announced(province)
    clock.at = DAY_AFTER
    end_notices(at=DAY_AFTER)
    second = announced(province, subject_id="2", at=DAY_AFTER)
    body = client.get("/notices/").content.decode()
    assert body.index(f'href="/notices/{second.notice_id}"') < body.index(
        f'href="/notices/{first.notice_id}"'
    )
    running = client.get("/notices/?state=running").content.decode()
    assert f'href="/notices/{first.notice_id}"' not in running
    assert "剩 5 个工作日" in running
    assert "公示期满准入" in text_of(client.get("/notices/?state=ended&kind=public_admission"))
    assert "没有这样的公示" in text_of(client.get("/notices/?kind=nothing"))
    assert client.get("/notices/?page=99&state=nonsense&area=x").status_code == 200


def test_many_notices_stand_on_pages(
    province: Province, client: Client, clock: Clock, django_assert_max_num_queries: Any
) -> None:
    for number in range(22):
        announced(province, subject_id=str(number))
    with django_assert_max_num_queries(20):
        first = client.get("/notices/?state=running")
    assert first.content.decode().count('<span class="nt-k">') == 20
    assert client.get("/notices/?state=running&page=2").content.decode().count('<span class="nt-k">') == 2


def test_every_page_is_english_throughout_but_for_what_people_wrote(
    province: Province, english: Client, clock: Clock
) -> None:
    view = announced(province)
    answer(
        province,
        object_to(view, citizen(province), text="objection", name="Li Ming"),
        upheld=False,
        text="No.",
    )
    extend_notice(
        actor=province.actor(Role.MAKER), at=FIRST_DAY, idempotency_key=None, notice_id=view.notice_id,
        working_days=1, reason="more time",
    )  # fmt: skip
    user = get_user_model().objects.get(pk=int(citizen(province, 8).id))
    user.display_name = "Wang"
    user.save()
    english.force_login(user)
    object_to(view, citizen(province, 7), text="second")
    for address in ("/notices/", f"/notices/{view.notice_id}", "/notices/mine"):
        text = text_of(english.get(address))
        for data in ("中文", "一件事", "某省", "试验规则第三条；类比", "owner1", "李**"):
            text = text.replace(data, "")
        assert [sign for sign in text if "\u4e00" <= sign <= "\u9fff"] == [], address


def test_published_files_are_sent_as_they_were_and_no_others(
    province: Province, client: Client, clock: Clock
) -> None:
    case_id = province.open("public_admission").case_id
    stored = {}
    for kind in ("plan", "secret"):
        stored[kind] = store_document(
            content=kind.encode(), name="x", media_type="text/html", at=FIRST_DAY
        ).sha256
        attach(
            actor=province.actor(Role.MAKER), at=FIRST_DAY, idempotency_key=None, case_id=case_id, kind=kind,
            name="方案.html", sha256=stored[kind],
        )  # fmt: skip
    decide(
        actor=province.actor(Role.MAKER), at=FIRST_DAY, idempotency_key=None, case_id=case_id, outcome="announce",
        opinion="公示",
    )  # fmt: skip
    (view,) = queries.notices_of(case_id, at=FIRST_DAY)
    assert stored["plan"] in client.get(f"/notices/{view.notice_id}").content.decode()
    sent = client.get(f"/notices/{view.notice_id}/files/{stored['plan']}")
    assert b"".join(sent.streaming_content) == b"plan"  # type: ignore[attr-defined]
    assert sent["Content-Disposition"].startswith("attachment")
    assert (sent["Content-Type"], sent["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert client.get(f"/notices/{view.notice_id}/files/{stored['secret']}").status_code == 404


def test_nobody_comments_without_signing_in_and_everybody_is_led_back(
    province: Province, client: Client, clock: Clock
) -> None:
    view = announced(province)
    answered = client.post(f"/notices/{view.notice_id}/comment", given())
    assert answered.status_code == 302
    assert answered["Location"].startswith("/sign-in?next=/notices/")
    assert not NoticeComment.objects.exists()
    assert client.get("/notices/mine").status_code == 302


def test_a_person_objects_with_a_file_and_sees_it_wait_and_answered(
    province: Province, person: Client, clock: Clock
) -> None:
    view = announced(province)
    page = f"/notices/{view.notice_id}"
    assert person.get(f"{page}/comment")["Location"] == f"{page}#say"
    upload = SimpleUploadedFile("证据.pdf", PDF, content_type="application/pdf")
    sent = person.post(f"{page}/comment", given(attachments=upload))
    assert (sent.status_code, sent["Location"]) == (303, f"{page}#own")
    assert (
        person.post(f"{page}/comment", given(attachments=SimpleUploadedFile("证据.pdf", PDF))).status_code
        == 303
    )
    (kept,) = NoticeComment.objects.all()
    assert kept.documents[0]["sha256"] == hashlib.sha256(PDF).hexdigest()
    shown = person.get(page)
    assert shown["Cache-Control"] == "private, no-store"
    assert "等待答复" in text_of(shown)
    answer(province, kept.pk, upheld=False, text="已核对来源，取值无误。")
    assert "已核对来源" in text_of(person.get("/notices/mine"))
    stranger = text_of(Client().get(page))
    assert "李**" in stranger
    assert "已核对来源" in stranger
    assert "李明" not in stranger
    assert "证据.pdf" not in stranger
    assert "附件 1 个，不公开" in stranger


def test_a_refused_comment_comes_back_with_what_was_written(
    province: Province, person: Client, clock: Clock
) -> None:
    view = announced(province)
    page = f"/notices/{view.notice_id}/comment"
    refused = person.post(page, given(name="123", text="我写了很久的话"))
    assert refused.status_code == 409
    assert "REAL_NAME_NEEDED" in text_of(refused)
    assert "我写了很久的话" in refused.content.decode()
    empty = person.post(page, given(text=""))
    assert empty.status_code == 422
    clock.at = DAY_AFTER
    person.force_login(get_user_model().objects.get(is_citizen=True))
    late = person.post(page, given(text="来晚了的话"))
    assert "NOTICE_OVER" in text_of(late)
    assert "来晚了的话" in text_of(late)
    assert not NoticeComment.objects.exists()


def test_a_person_takes_back_their_own_comment_only(province: Province, person: Client, clock: Clock) -> None:
    view = announced(province)
    other = object_to(view, citizen(province, 2))
    assert person.post(f"/notices/comments/{other}/withdraw", {"idempotency_key": "a"}).status_code == 404
    person.post(f"/notices/{view.notice_id}/comment", given())
    own = NoticeComment.objects.latest("pk")
    assert person.post(f"/notices/comments/{own.pk}/withdraw", {"idempotency_key": "b"}).status_code == 303
    assert "已撤回，不公开" in text_of(person.get("/notices/mine"))
    assert "另有 1 条由本人撤回" in text_of(Client().get(f"/notices/{view.notice_id}"))


def test_what_is_not_answered_is_not_published_but_counted(
    province: Province, client: Client, clock: Clock
) -> None:
    view = announced(province)
    object_to(view, citizen(province), text="还没有答复的话")
    withdraw(object_to(view, citizen(province, 2), text="撤回的话"), citizen_of(2))
    text = text_of(client.get(f"/notices/{view.notice_id}"))
    assert "收到 1 条，其中异议 1 条；已答复 0 条。" in text
    assert "还没有答复的话" not in text
    assert "撤回的话" not in text
    clock.at = DAY_AFTER
    assert "有 1 条异议还没有答复" in text_of(client.get(f"/notices/{view.notice_id}"))


def citizen_of(number: int) -> Any:
    from tanpuhui.foundation.identity.queries import actor_of, user_of_phone

    user_id = user_of_phone(f"1380000{number:04d}")
    assert user_id is not None
    return actor_of(user_id=user_id, at=FIRST_DAY)


def test_whoever_answers_is_led_to_the_case_instead_of_the_form(
    province: Province, client: Client, clock: Clock
) -> None:
    from tanpuhui.foundation.identity.models import Membership, User

    view = announced(province)
    user = User.objects.create(
        username="jingban", display_name="经办", area=province.area, is_citizen=False, joined_at=FIRST_DAY
    )
    Membership.objects.create(
        user=user, organisation_id=province.owner_id, role="maker", area=province.area, valid_from=FIRST_DAY
    )
    client.force_login(user)
    body = client.get(f"/notices/{view.notice_id}").content.decode()
    assert f'href="/w/cases/{view.case_id}"' in body
    assert 'name="text"' not in body


def test_the_feed_tells_the_newest_notices(province: Province, client: Client, clock: Clock) -> None:
    view = announced(province)
    response = client.get("/notices/feed")
    assert response["Content-Type"].startswith("application/atom+xml")
    root = ET.fromstring(response.content)  # noqa: S314  our own document
    atom = "{http://www.w3.org/2005/Atom}"
    assert [one.findtext(f"{atom}title") for one in root.iter(f"{atom}entry")] == [view.title]
    (entry,) = root.iter(f"{atom}entry")
    assert [
        one.get("href", "").endswith(f"/notices/{view.notice_id}") for one in entry.iter(f"{atom}link")
    ] == [True]


def test_a_notice_that_is_not_there_is_not_found(db: None, client: Client) -> None:
    assert client.get("/notices/999").status_code == 404
    assert client.get("/notices/999/files/" + "0" * 64).status_code == 404
