"""A session lives by the rules of its opening: idle, in all, one kind of person and another; and passwords that are due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from tests.integration.interfaces.portal.test_pages import text_of
from tests.integration.interfaces.portal.test_sign_in import PASSWORD, PHONE, last_code, people
from tests.two_steps import SHOWN, sign_in

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.models import SignInSession, User
from tanpuhui.foundation.identity.operations import give_temporary_password
from tanpuhui.foundation.identity.queries.sessions import SESSION_STAMP
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.rulebook.models import Parameter

__all__ = ["people"]

NEW = "another-horse-battery-9"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_half_an_hour_without_a_request_ends_the_session(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    for _ in range(3):
        clock.shift(timedelta(minutes=29))
        assert client.get("/w/me").status_code == 200
    clock.shift(timedelta(minutes=30))
    assert client.get("/w/me").headers["Location"] == "/sign-in?next=/w/me"
    assert "您有一段时间没有操作" in text_of(client.get("/sign-in"))
    assert not is_in(client)
    assert SignInSession.objects.get().ended_why == "idle"


def test_twelve_hours_end_a_session_that_is_used_all_the_time(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    for _ in range(24):
        assert client.get("/w/me").status_code == 200
        clock.shift(timedelta(minutes=29, seconds=59))
    clock.shift(timedelta(seconds=24))
    assert client.get("/w/me").status_code == 302
    assert not is_in(client)
    assert SignInSession.objects.get().ended_why == "age"


def test_a_session_without_its_rules_is_ended(people: Path, client: Client) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    session = client.session
    del session[SESSION_STAMP]
    session.save()
    assert client.get("/w/me").status_code == 302
    assert not is_in(client)


def test_a_citizen_may_be_idle_for_longer(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    client.post("/sign-in/code", {"phone": PHONE})
    client.post("/sign-in/citizen", {"phone": PHONE, "code": last_code(people)})
    clock.shift(timedelta(hours=11))
    assert client.get("/m/me").status_code == 200
    opened = SignInSession.objects.get()
    assert (opened.way, opened.ip) == ("code", "127.0.0.1")


def test_an_idle_rule_that_is_unset_opens_no_session_and_is_named(people: Path, client: Client) -> None:
    Parameter.objects.filter(key="session.idle_minutes", scope="staff").update(value=None)
    response = sign_in(client, "centre.maker", PASSWORD)
    assert response.status_code == 409
    assert "session.idle_minutes" in text_of(response)
    assert not is_in(client)
    assert not SignInSession.objects.exists()
    other = Client()
    assert sign_in(other, "shop.clerk", PASSWORD).status_code == 303


def test_a_running_session_keeps_the_rule_under_which_it_was_opened(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    Parameter.objects.filter(key="session.idle_minutes", scope="staff").update(value="1")
    clock.shift(timedelta(minutes=20))
    assert client.get("/w/me").status_code == 200


def test_signing_in_and_out_is_on_record(people: Path, client: Client) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    client.post("/sign-out")
    user = User.objects.get(username="centre.maker")
    records = AuditRecord.objects.filter(actor_kind="user", actor_id=str(user.id)).order_by("id")
    assert [one.operation.partition(".")[2] for one in records] == [
        "check_totp",
        "open_session",
        "close_session",
    ]
    assert SignInSession.objects.get().ended_why == "sign_out"


def test_signing_out_to_sign_in_again_leads_back(people: Path, client: Client) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    response = client.post("/sign-out", {"next": "/w/me/sign-in"})
    assert response.headers["Location"] == "/sign-in?next=%2Fw%2Fme%2Fsign-in"
    assert client.post("/sign-out", {"next": "https://evil.example/"}).headers["Location"] == "/"


def second_step(client: Client, password: str) -> str:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": password, "next": "/w/me"})
    shown = SHOWN.search(client.get("/sign-in/second-factor").content.decode())
    assert shown is not None
    return client.post("/sign-in/second-factor", {"code": shown[1]}).headers["Location"]


def test_a_temporary_password_is_changed_before_the_session_opens(people: Path, client: Client) -> None:
    user = User.objects.get(username="centre.maker")
    temporary = give_temporary_password(actor=SYSTEM, at=timezone.now(), user_id=user.id, reason="忘了密码")
    assert second_step(client, temporary) == "/sign-in/password"
    assert not is_in(client)
    assert "别人给您的" in text_of(client.get("/sign-in/password"))
    refused = client.post("/sign-in/password", {"new": temporary, "again": temporary})
    assert (refused.status_code, is_in(client)) == (422, False)
    assert "PASSWORD_REUSED" in text_of(refused)
    assert temporary not in refused.content.decode()
    done = client.post("/sign-in/password", {"new": NEW, "again": NEW})
    assert done.headers["Location"] == "/w/me"
    assert is_in(client)
    assert SignInSession.objects.get().way == "totp"


def test_a_password_of_ninety_days_is_changed_before_the_session_opens(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=90))
    assert second_step(client, PASSWORD) == "/sign-in/password"
    assert "90 天以上" in text_of(client.get("/sign-in/password"))
    assert client.post("/sign-in/password", {"new": NEW, "again": NEW}).headers["Location"] == "/w/me"


def test_no_new_password_is_taken_before_the_second_factor(people: Path, client: Client) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    for response in (
        client.get("/sign-in/password"),
        client.post("/sign-in/password", {"new": NEW, "again": NEW}),
    ):
        assert response.headers["Location"] == "/sign-in/second-factor"
    assert Client().get("/sign-in/password").headers["Location"] == "/sign-in"


def test_a_citizen_sees_where_they_are_signed_in_and_ends_the_others(
    people: Path, client: Client, clock: time_machine.Traveller
) -> None:
    other = Client()
    for browser in (other, client):
        browser.post("/sign-in/code", {"phone": PHONE})
        browser.post("/sign-in/citizen", {"phone": PHONE, "code": last_code(people)})
        clock.shift(timedelta(minutes=2))
    page = text_of(client.get("/m/me"))
    assert "登录中的设备" in page
    assert page.count("最近使用") == 2
    assert client.post("/m/me/sessions/end-others").headers["Location"] == "/m/me"
    assert client.get("/m/me").status_code == 200
    assert other.get("/m/me").status_code == 302
