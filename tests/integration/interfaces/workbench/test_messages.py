"""The bell, the list and the settings, as people of organisations use them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages import queries
from tanpuhui.foundation.messages.models import MailAddress, Message
from tanpuhui.foundation.messages.operations import load_templates, tell
from tanpuhui.foundation.messages.queries import Audience

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
DATA: dict[str, Any] = {
    "case_id": 1, "number": "HH-ISSUANCE-2026-000001", "title": "公交 <2026>", "process_zh": "签发", "process_en": "Issuance",
    "state_zh": "待复核", "state_en": "To be checked", "due_zh": "办理期限 2026-12-01", "due_en": "due on 2026-12-01",
}  # fmt: skip
MOVED: dict[str, Any] = {key: DATA[key] for key in ("case_id", "number", "title", "state_zh", "state_en")} | {
    "outcome_zh": "同意签发",
    "outcome_en": "Issue",
}


@pytest.fixture
def told(desk: Desk, settings: Settings) -> Desk:
    settings.TANPUHUI_MAIL = LOCMEM
    load_templates(actor=SYSTEM, at=NOW, folder=settings.TANPUHUI_JURISDICTION_DIR)
    say(desk, "checker", key="case.waiting", data=DATA)
    say(desk, "checker", key="case.moved", data=MOVED)
    return desk


def say(desk: Desk, *names: str, key: str, data: dict[str, Any], event: str = "") -> None:
    people = [desk.users[name].pk for name in names]
    with transaction.atomic():
        tell(at=NOW, user_ids=people, template=key, data=data, event=event or f"{key}:1")


def html(desk: Desk, name: str, address: str = "/w/messages", *, language: str = "zh-hans") -> str:
    answer = desk.client(name, language=language).get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_the_bell_counts_what_is_unread_and_says_nothing_to_others(told: Desk) -> None:
    assert "消息，2 条未读" in html(told, "checker", "/w/me")
    assert "条未读" not in html(told, "maker", "/w/me")


def test_the_list_shows_each_sentence_escaped_in_the_language_of_the_page(told: Desk) -> None:
    page = html(told, "checker")
    assert "等您办理：公交 &lt;2026&gt;" in page
    assert "2026-11-20 10:00" in page
    assert "Issue: 公交" in html(told, "checker", language="en")


def test_a_filter_shows_one_kind_or_what_is_unread(told: Desk) -> None:
    page = html(told, "checker", "/w/messages?kind=case_progress")
    assert "同意签发：公交" in page
    assert "等您办理：" not in page
    Message.objects.update(read_at=NOW)
    assert "这里没有消息。" in html(told, "checker", "/w/messages?unread=1")


def test_who_was_told_nothing_reads_what_will_stand_here(told: Desk) -> None:
    assert "还没有消息。" in html(told, "maker")


def test_opening_a_message_marks_it_read_and_leads_to_the_case(told: Desk) -> None:
    row = Message.objects.get(user=told.users["checker"], template__key="case.waiting")
    answer = told.client("checker").post(f"/w/messages/{row.pk}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/w/cases/1")
    row.refresh_from_db()
    assert row.read_at == NOW
    assert queries.unread(told.users["checker"].pk) == 1


def test_another_persons_message_is_missing(told: Desk) -> None:
    row = Message.objects.filter(user=told.users["checker"]).first()
    assert row is not None
    assert told.client("maker").post(f"/w/messages/{row.pk}").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_all_up_to_the_newest_on_the_page_are_marked_read(told: Desk) -> None:
    page = html(told, "checker")
    found = re.search(r'name="up_to" value="(\d+)"', page)
    assert found is not None
    say(told, "checker", key="case.waiting", data=DATA, event="later")
    answer = told.client("checker").post("/w/messages", {"up_to": found[1]})
    assert answer.status_code == 303
    assert queries.unread(told.users["checker"].pk) == 1


def test_a_form_without_its_number_marks_nothing(told: Desk) -> None:
    told.client("checker").post("/w/messages", {"up_to": "all"})
    assert queries.unread(told.users["checker"].pk) == 2


def test_long_lists_are_paged(told: Desk) -> None:
    for number in range(40):
        say(told, "maker", key="case.moved", data=MOVED, event=f"case:{number}")
    page = html(told, "maker")
    assert page.count("同意签发：公交") == 30
    assert html(told, "maker", "/w/messages?page=2").count("同意签发：公交") == 10


def test_the_settings_keep_what_is_ticked(told: Desk) -> None:
    page = html(told, "checker", "/w/messages/settings")
    assert 'value="case_task:mail">' in page
    assert 'value="case_deadline:mail" checked>' in page
    answer = told.client("checker").post("/w/messages/settings", {"wanted": ["case_task:mail"]})
    assert answer.status_code == 303
    kept = queries.preferences(told.users["checker"].pk, at=NOW, audience=Audience.ORGANISATIONS).wanted
    assert kept["case_task", "mail"] is True
    assert kept["case_deadline", "mail"] is False


def test_an_address_is_entered_confirmed_by_its_letter_and_forgotten(told: Desk) -> None:
    client = told.client("checker")
    assert client.post("/w/messages/address", {"address": "checker@example.com"}).status_code == 303
    assert "还没有确认" in html(told, "checker", "/w/messages/settings")
    link = re.search(r"/w/messages/address/confirm\?token=\S+", mail.outbox[0].body)
    assert link is not None
    page = client.get(link[0])
    assert page.status_code == 200
    assert MailAddress.objects.get().confirmed_at is None, "fetching a page changes nothing"
    assert client.post("/w/messages/address/confirm", {"token": link[0].split("=", 1)[1]}).status_code == 303
    assert "c***@example.com" in html(told, "checker", "/w/messages/settings")
    assert client.post("/w/messages/address", {"forget": "1"}).status_code == 303
    assert not MailAddress.objects.exists()


def test_a_wrong_address_and_a_strange_link_say_what_to_do(told: Desk) -> None:
    client = told.client("checker")
    wrong = client.post("/w/messages/address", {"address": "nobody"})
    assert wrong.status_code == 409
    assert "name@example.com" in wrong.content.decode()
    strange = client.post("/w/messages/address/confirm", {"token": "x"})
    assert strange.status_code == 409
    assert "CONFIRMATION_EXPIRED" in strange.content.decode()


def test_without_a_channel_the_page_says_that_there_is_none(told: Desk, settings: Settings) -> None:
    settings.TANPUHUI_MAIL, settings.TANPUHUI_SMS, settings.TANPUHUI_DEMO = "", "", False
    assert "只有站内消息" in html(told, "checker", "/w/messages/settings")


def test_the_shell_costs_one_query_more_however_many_messages_there_are(told: Desk) -> None:
    counts = []
    for more in (0, 30):
        for number in range(more):
            say(told, "checker", key="case.moved", data=MOVED, event=f"case:{number}")
        client = told.client("checker")
        with CaptureQueriesContext(connection) as captured:
            client.get("/w/me")
        counts.append(sum("messaging_" in query["sql"] for query in captured))
    assert counts == [1, 1]
