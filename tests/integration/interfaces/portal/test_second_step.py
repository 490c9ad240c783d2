"""Between password and session: nobody is signed in before the second factor, and the first sign-in enrols one."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from django.test import Client
from django.utils import timezone
from pydantic import SecretStr
from pytest_django.fixtures import Settings
from tests.integration.interfaces.portal.test_pages import text_of
from tests.integration.interfaces.portal.test_sign_in import PASSWORD, people
from tests.software_authenticator import SoftwareAuthenticator
from tests.two_steps import SHOWN

from tanpuhui.foundation.identity.models import Organisation, User
from tanpuhui.foundation.identity.operations import (
    add_member,
    begin_totp,
    enrol_totp,
    own,
    reset_second_factor,
)
from tanpuhui.foundation.identity.queries.sign_in import pending_totp, second_factors
from tanpuhui.foundation.kernel.actors import SYSTEM, Role

__all__ = ["people"]

NAMED = {"username": "new.clerk", "password": PASSWORD}
SECRET = re.compile(r"<span class=\"mono enr-s\">([A-Z2-7]{32})</span>")
STEPS = ("second-factor", "recovery-code", "enrol")


@pytest.fixture
def newcomer(people: Path) -> User:
    """Give somebody who has a password and nothing else."""
    shop = Organisation.objects.get(name="shop.clerk")
    member = add_member(
        actor=SYSTEM, at=timezone.now(), organisation_id=shop.id, username="new.clerk", display_name="新店员",
        password=SecretStr(PASSWORD), role=Role.MERCHANT, area="990000", temporary=False,
    )  # fmt: skip
    return User.objects.get(id=member.user_id)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_right_password_opens_nothing(people: Path, client: Client) -> None:
    response = client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in/second-factor")
    assert not is_in(client)
    assert client.get("/w/").headers["Location"] == "/sign-in?next=/w/"
    assert "centre.maker" in text_of(client.get("/sign-in/second-factor"))
    assert not is_in(client)


@pytest.mark.parametrize("step", STEPS)
def test_without_the_password_there_is_no_second_step(people: Path, client: Client, step: str) -> None:
    assert client.get(f"/sign-in/{step}").headers["Location"] == "/sign-in"
    assert client.post("/sign-in/second-factor", {"code": "123456"}).headers["Location"] == "/sign-in"
    assert client.post("/sign-in/enrol/code", {"code": "123456"}).headers["Location"] == "/sign-in"


def test_a_wrong_code_is_said_and_opens_nothing(people: Path, client: Client) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    response = client.post("/sign-in/second-factor", {"code": "12"})
    assert response.status_code == 409
    assert "动态口令不对" in text_of(response)
    assert not is_in(client)


def test_the_second_step_waits_ten_minutes(
    people: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    late = timezone.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: late)
    response = client.get("/sign-in/second-factor")
    assert "10 分钟内完成" in text_of(response)
    assert client.get("/sign-in/second-factor").headers["Location"] == "/sign-in"


def test_a_password_changed_meanwhile_ends_the_wait(people: Path, client: Client) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    user = User.objects.get(username="centre.maker")
    user.set_password("another-long-password")
    user.save()
    assert "从用户名和密码重新开始" in text_of(client.get("/sign-in/second-factor"))


def test_the_session_of_before_is_another_one_after(people: Path, client: Client) -> None:
    client.get("/sign-in")
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    between = client.session.session_key
    shown = SHOWN.search(client.get("/sign-in/second-factor").content.decode())
    assert shown is not None
    client.post("/sign-in/second-factor", {"code": shown[1]})
    assert client.session.session_key != between
    assert not [key for key in client.session.keys() if key.startswith("sign_in.")]  # noqa: SIM118  a session is no dict


def test_the_first_sign_in_enrols_an_authenticator_and_shows_recovery_codes_once(
    newcomer: User, client: Client
) -> None:
    first = client.post("/sign-in/organisation", {**NAMED, "next": "/register?q=x"})
    assert first.headers["Location"] == "/sign-in/enrol"
    assert client.get("/sign-in/second-factor").headers["Location"] == "/sign-in/enrol"
    assert not SECRET.search(client.get("/sign-in/enrol").content.decode())
    assert client.post("/sign-in/enrol/new").status_code == 303
    page = client.get("/sign-in/enrol").content.decode()
    secret = SECRET.search(page)
    assert secret is not None
    assert '<svg class="qr"' in page
    refused = client.post("/sign-in/enrol/code", {"code": "no"})
    assert refused.status_code == 409
    assert not is_in(client)
    done = client.post("/sign-in/enrol/code", {"code": pyotp.TOTP(secret[1]).now()})
    assert done.status_code == 200
    assert len(re.findall(r"<li>[2-9A-Z-]{14}</li>", done.content.decode())) == 10
    assert 'href="/register?q=x"' in done.content.decode()
    assert "no-store" in done.headers["Cache-Control"]
    assert is_in(client)


def test_a_password_alone_enrols_no_second_authenticator(people: Path, client: Client) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    assert client.get("/sign-in/enrol").headers["Location"] == "/sign-in/second-factor"
    for address in ("new", "code", "passkey"):
        refused = client.post(f"/sign-in/enrol/{address}", {"code": "123456"})
        assert refused.status_code == 409
        assert "SECOND_FACTOR_PRESENT" in text_of(refused)
    assert client.post("/sign-in/enrol/passkey/options").json()["code"] == "SECOND_FACTOR_PRESENT"


def test_a_recovery_code_opens_the_session_once(newcomer: User, client: Client) -> None:
    at = timezone.now()
    begin_totp(actor=own(newcomer.id), at=at, user_id=newcomer.id)
    codes = enrol_totp(
        actor=own(newcomer.id),
        at=at,
        user_id=newcomer.id,
        code=pyotp.TOTP(pending_totp(newcomer.id).secret).at(at),
    )
    client.post("/sign-in/organisation", NAMED)
    assert "还有 10 个没用过" in text_of(client.get("/sign-in/recovery-code"))
    assert client.post("/sign-in/recovery-code", {"recovery_code": codes[0]}).headers["Location"] == "/w/"
    again = Client()
    again.post("/sign-in/organisation", NAMED)
    refused = again.post("/sign-in/recovery-code", {"recovery_code": codes[0]})
    assert "已经用过" in text_of(refused)
    assert not is_in(again)


def test_after_a_reset_the_next_sign_in_enrols_again(people: Path, client: Client) -> None:
    maker = User.objects.get(username="centre.maker")
    reset_second_factor(actor=SYSTEM, at=timezone.now(), user_id=maker.id, reason="手机丢失")
    response = client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    assert response.headers["Location"] == "/sign-in/enrol"


def test_the_demonstration_code_is_shown_in_a_demonstration_only(
    people: Path, client: Client, settings: Settings
) -> None:
    client.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    assert SHOWN.search(client.get("/sign-in/second-factor").content.decode())
    settings.TANPUHUI_DEMO = False
    page = client.get("/sign-in/second-factor").content.decode()
    assert not SHOWN.search(page)
    assert "演示" not in page


@pytest.fixture
def at_home(client: Client) -> Client:
    """Give a browser that opens the site by a name; the other tests' `testserver` is one too."""
    client.defaults["HTTP_HOST"] = "localhost"
    return client


def device(origin: str = "http://localhost") -> SoftwareAuthenticator:
    return SoftwareAuthenticator(relying_party="localhost", origin=origin)


def enrolled_passkey(client: Client) -> SoftwareAuthenticator:
    held = device()
    client.post("/sign-in/organisation", NAMED)
    asked = client.post("/sign-in/enrol/passkey/options").json()
    done = client.post("/sign-in/enrol/passkey", {"credential": held.create(asked), "name": "笔记本"})
    assert done.status_code == 200, text_of(done)
    return held


def test_a_passkey_enrols_serves_as_second_factor_and_as_the_whole_sign_in(
    newcomer: User, at_home: Client
) -> None:
    held = enrolled_passkey(at_home)
    assert is_in(at_home)
    second = Client(headers={"host": "localhost"})
    second.post("/sign-in/organisation", {**NAMED, "next": "/w/me"})
    asked = second.post("/sign-in/passkey/options").json()
    assert second.post("/sign-in/passkey", {"credential": held.get(asked)}).headers["Location"] == "/w/me"
    whole = Client(headers={"host": "localhost"})
    asked = whole.post("/sign-in/passkey/options").json()
    assert whole.post("/sign-in/passkey", {"credential": held.get(asked)}).headers["Location"] == "/w/"
    assert is_in(whole)
    assert [one.name for one in second_factors(newcomer.id).passkeys] == ["笔记本"]


def test_a_passkey_answer_serves_once(newcomer: User, at_home: Client) -> None:
    held = enrolled_passkey(at_home)
    other = Client(headers={"host": "localhost"})
    answer = held.get(other.post("/sign-in/passkey/options").json())
    assert other.post("/sign-in/passkey", {"credential": answer}).status_code == 303
    other.post("/sign-out")
    refused = other.post("/sign-in/passkey", {"credential": answer})
    assert "PASSKEY_REFUSED" in text_of(refused)
    assert not is_in(other)


def test_passkeys_are_not_offered_under_an_ip_address(newcomer: User, client: Client) -> None:
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    assert "data-passkey=" not in client.get("/sign-in").content.decode()
    client.post("/sign-in/organisation", NAMED)
    assert "用 IP 地址打开的页面不能用通行密钥" in text_of(client.get("/sign-in/enrol"))
    assert client.post("/sign-in/enrol/passkey/options").json()["code"] == "PASSKEYS_UNAVAILABLE"


@pytest.mark.parametrize("address", ["/sign-in/second-factor", "/sign-in/recovery-code", "/sign-in/enrol"])
def test_the_pages_speak_english(newcomer: User, address: str) -> None:
    client: Any = Client(headers={"accept-language": "en"})
    name = NAMED["username"] if address.endswith("enrol") else "centre.maker"
    client.post("/sign-in/organisation", {"username": name, "password": PASSWORD})
    client.post("/sign-in/enrol/new")
    page = client.get(address).content.decode().replace("新店员", "").replace("centre.maker", "")
    main = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
    assert not re.findall(r"[\u4e00-\u9fff]+", main)
