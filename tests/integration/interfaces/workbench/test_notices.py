"""Those in charge see what was said to a notice, answer it and extend it; nobody else of the desk reads names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.integration.foundation.workflow.conftest import Province, organisation, province, province_of
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

from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import NewFile

__all__ = ["province", "province_of"]

pytestmark = pytest.mark.django_db


class Clock:
    """The moment at which the pages are asked."""

    at = FIRST_DAY

    def now(self) -> datetime:
        return self.at


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Clock:
    settings.TANPUHUI_DATA_DIR = tmp_path / "data"
    found = Clock()
    monkeypatch.setattr(timezone, "now", found.now)
    return found


def desk(province: Province, role: str, *, kind: str = "centre", area: str | None = None) -> Client:
    """Give the browser of somebody who works in a role."""
    number = User.objects.count() + 20
    body = organisation(kind, number, at=province.at, area=province.area)
    user = User.objects.create(
        username=f"{role}{number}",
        display_name="王经办",
        area=province.area,
        is_citizen=False,
        joined_at=FIRST_DAY,
    )
    Membership.objects.create(
        user=user, organisation_id=body, role=role, area=area or province.area, valid_from=FIRST_DAY
    )
    client = Client()
    client.force_login(user)
    return client


def test_an_objection_stands_in_the_inbox_until_it_is_answered(province: Province) -> None:
    view, maker = announced(province), desk(province, "maker")
    assert "等您答复" not in text_of(maker.get("/w/"))
    comment_id = object_to(view, citizen(province))
    text = text_of(maker.get("/w/?kind=notice"))
    assert "1 条异议等您答复" in text
    assert "答复异议" in text
    page = f"/w/notices/comments/{comment_id}"
    assert "手机号已验证，138****0001" in text_of(maker.get(page))
    sent = maker.post(page, {"upheld": "no", "text": "已核对，取值无误。", "idempotency_key": "a"})
    assert (sent.status_code, sent["Location"]) == (303, f"/w/cases/{view.case_id}")
    assert "等您答复" not in text_of(maker.get("/w/"))
    (published,) = queries.published_comments(view.notice_id)
    assert published.answer.text == "已核对，取值无误。"


def test_the_case_page_says_what_stops_it_and_leads_to_each_comment(province: Province, clock: Clock) -> None:
    view, maker = announced(province), desk(province, "maker")
    comment_id = object_to(view, citizen(province))
    withdraw(object_to(view, citizen(province, 2), text="写错了"), _actor(2))
    body = maker.get(f"/w/cases/{view.case_id}").content.decode()
    assert f'href="/w/notices/comments/{comment_id}"' in body
    assert f'href="/w/notices/{view.notice_id}/extend"' in body
    text = text_of(maker.get(f"/w/cases/{view.case_id}"))
    for said in (
        "1 条异议没有答复，期满也不会自动往下走。",
        "李明",
        "等您答复",
        "本人已撤回",
        "11 月 28 日 24 时止",
    ):
        assert said in text, said
    answer(province, comment_id, upheld=True)
    assert "1 条异议成立，期满也不会自动往下走。" in text_of(maker.get(f"/w/cases/{view.case_id}"))


def test_the_applicant_reads_counts_and_no_names(province: Province) -> None:
    view = announced(province)
    object_to(view, citizen(province), name="赵小六", text="不应通过")
    user = User.objects.create(
        username="yezhu", display_name="业主", area=province.area, is_citizen=False, joined_at=FIRST_DAY
    )
    Membership.objects.create(
        user=user, organisation_id=province.owner_id, role="owner", area=province.area, valid_from=FIRST_DAY
    )
    client = Client()
    client.force_login(user)
    text = text_of(client.get(f"/w/cases/{view.case_id}"))
    assert "收到 1 条意见，其中异议 1 条。" in text
    assert "赵小六" not in text
    assert "不应通过" not in text


@pytest.mark.parametrize(
    ("role", "kind", "area", "status"),
    [("maker", "centre", "990000", 200), ("checker", "centre", "990000", 200), ("maker", "centre", "110000", 404), ("owner", "owner", "990000", 403)],
)  # fmt: skip
def test_comments_and_their_files_are_for_those_who_run_or_watch_the_area(
    province: Province, role: str, kind: str, area: str, status: int
) -> None:
    comment_id = object_to(
        announced(province), citizen(province), files=(NewFile(name="证据.pdf", content=PDF),)
    )
    sha256 = queries.comment(comment_id).files[0].sha256
    client = desk(province, role, kind=kind, area=area)
    assert client.get(f"/w/notices/comments/{comment_id}").status_code == status
    sent = client.get(f"/w/notices/comments/{comment_id}/files/{sha256}")
    assert sent.status_code == status
    if status == 200:
        assert b"".join(sent.streaming_content) == PDF  # type: ignore[attr-defined]
        assert sent["Content-Disposition"].startswith("attachment")
        assert sent["Cache-Control"] == "private, no-store"
        assert client.get(f"/w/notices/comments/{comment_id}/files/{'0' * 64}").status_code == 404


def test_whoever_may_only_read_gets_no_form_and_is_refused(province: Province) -> None:
    comment_id = object_to(announced(province), citizen(province))
    checker = desk(province, "checker")
    page = f"/w/notices/comments/{comment_id}"
    assert "您可以看，不能答复" in text_of(checker.get(page))
    refused = checker.post(page, {"upheld": "no", "text": "试试", "idempotency_key": "a"})
    assert "NOT_YOUR_ANSWER" in text_of(refused)
    assert "试试" in text_of(refused)


def test_the_second_answer_comes_back_with_what_was_written(province: Province) -> None:
    comment_id = object_to(announced(province), citizen(province))
    page, maker = f"/w/notices/comments/{comment_id}", desk(province, "maker")
    answer(province, comment_id, upheld=True, text="先答的")
    late = maker.post(page, {"upheld": "no", "text": "后写的话", "idempotency_key": "b"})
    assert late.status_code == 409
    text = text_of(late)
    for said in ("COMMENT_ANSWERED", "后写的话", "先答的"):
        assert said in text, said


def test_an_objection_is_not_answered_without_saying_whether_it_is_right(province: Province) -> None:
    comment_id = object_to(announced(province), citizen(province))
    page, maker = f"/w/notices/comments/{comment_id}", desk(province, "maker")
    assert maker.post(page, {"text": "x", "idempotency_key": "b"}).status_code == 422
    remark = object_to(announced(province, subject_id="2"), citizen(province, 2), objection=False)
    assert 'name="upheld"' not in maker.get(f"/w/notices/comments/{remark}").content.decode()


def test_a_notice_is_extended_with_a_reason(province: Province, clock: Clock) -> None:
    view, maker = announced(province), desk(province, "maker")
    page = f"/w/notices/{view.notice_id}/extend"
    assert maker.post(page, {"working_days": "0", "reason": "x", "idempotency_key": "a"}).status_code == 422
    assert (
        maker.post(page, {"working_days": "2", "reason": "材料更正", "idempotency_key": "b"}).status_code
        == 303
    )
    assert queries.notice(view.notice_id, at=FIRST_DAY).extensions[0].reason == "材料更正"
    assert desk(province, "maker", area="110000").get(page).status_code == 404
    clock.at = datetime(2026, 12, 5, tzinfo=FIRST_DAY.tzinfo)
    late = desk(province, "maker")
    assert "NOTICE_OVER" in text_of(
        late.post(page, {"working_days": "1", "reason": "x", "idempotency_key": "c"})
    )


def test_the_list_tells_what_waits_runs_and_ended(province: Province, clock: Clock) -> None:
    view = announced(province)
    object_to(view, citizen(province))
    clock.at = DAY_AFTER
    announced(province, subject_id="2", at=DAY_AFTER)
    text = text_of(desk(province, "regulator", kind="regulator").get("/w/notices"))
    for said in ("期满，待结论", "1 条异议没有答复", "剩 5 个工作日", "还没有结束的公示"):
        assert said in text, said
    assert "现在没有公示" in text_of(desk(province, "maker", area="110000").get("/w/notices"))


def test_the_desk_pages_are_english_throughout_but_for_what_people_wrote(province: Province) -> None:
    view = announced(province)
    comment_id = object_to(
        view, citizen(province), name="Li Ming", text="too high", files=(NewFile(name="a.pdf", content=PDF),)
    )
    maker = desk(province, "maker")
    maker.cookies["django_language"] = "en"
    for address in ("/w/notices", f"/w/notices/comments/{comment_id}", f"/w/notices/{view.notice_id}/extend"):
        text = text_of(maker.get(address))
        for data in ("中文", "一件事", "某省", "王经办", "公示准入", "王"):
            text = text.replace(data, "")
        assert [sign for sign in text if "\u4e00" <= sign <= "\u9fff"] == [], address


def _actor(number: int) -> Any:
    from tanpuhui.foundation.identity.queries import actor_of, user_of_phone

    user_id = user_of_phone(f"1380000{number:04d}")
    assert user_id is not None
    return actor_of(user_id=user_id, at=FIRST_DAY)
