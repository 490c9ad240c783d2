"""Signing in through another place: offered where set up, known at once or bound once by phone, refused when anything is off."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.fakes.sign_in_providers import Providers, serving, write_configuration
from tests.integration.interfaces.portal.test_pages import text_of
from tests.integration.interfaces.portal.test_sign_in import PHONE, last_code, people

from tanpuhui.foundation.identity.adapters.outward import _NoRedirect
from tanpuhui.foundation.identity.models import ExternalIdentity, SignInSession, User
from tanpuhui.foundation.identity.operations import bind_identity, own
from tanpuhui.foundation.identity.queries import user_of_phone

__all__ = ["people"]

WAYS = ("oidc", "wechat", "gov")


@pytest.fixture
def providers(people: Path, settings: Settings) -> Iterator[Providers]:
    with serving(Providers()) as running:
        write_configuration(running, people / "federation.yaml")
        settings.TANPUHUI_FEDERATION = str(people / "federation.yaml")
        yield running


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def sent_back(client: Client, way: str, *, wanted: str = "") -> str:
    """Leave for another place, sign in there, and return the address that leads back."""
    left = client.get(f"/sign-in/with/{way}", {"next": wanted} if wanted else {})
    assert left.status_code == 302, text_of(left)
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(left.headers["Location"].partition("#")[0], timeout=10)
    parts = urllib.parse.urlsplit(answer.value.headers["Location"])
    assert (parts.netloc, parts.path) == ("testserver", f"/sign-in/return/{way}")
    return f"{parts.path}?{parts.query}"


def bound_by_phone(client: Client, way: str) -> None:
    client.get(sent_back(client, way))
    client.post("/sign-in/code", {"phone": PHONE})
    code = last_code(Path(client.defaults["folder"]))
    assert client.post("/sign-in/citizen", {"phone": PHONE, "code": code}).headers["Location"] == "/m/"


@pytest.fixture
def visitor(people: Path) -> Client:
    client = Client()
    client.defaults["folder"] = str(people)
    return client


def test_only_what_is_set_up_is_offered(people: Path, client: Client, settings: Settings) -> None:
    assert "其他登录方式" not in text_of(client.get("/sign-in"))
    response = client.get("/sign-in/with/wechat")
    assert "FEDERATION_UNKNOWN" in text_of(response)


def test_a_wrong_file_leaves_phone_and_password(people: Path, client: Client, settings: Settings) -> None:
    settings.TANPUHUI_FEDERATION = "/no/such/file"
    page = text_of(client.get("/sign-in"))
    assert "其他登录方式" not in page
    assert "获取验证码" in page


def test_the_three_are_offered_by_their_names(providers: Providers, client: Client) -> None:
    page = client.get("/sign-in?next=/w/me").content.decode()
    for way in WAYS:
        assert f'href="/sign-in/with/{way}?next=/w/me"' in page
    english = Client(headers={"accept-language": "en"}).get("/sign-in").content.decode()
    assert "Government sign-in (demo)" in english


@pytest.mark.parametrize("way", WAYS)
def test_the_first_time_asks_for_the_phone_and_the_second_does_not(
    providers: Providers, visitor: Client, way: str
) -> None:
    page = text_of(visitor.get(sent_back(visitor, way)))
    assert "已确认您的身份" in page
    assert not is_in(visitor)
    visitor.post("/sign-in/code", {"phone": PHONE})
    code = last_code(Path(visitor.defaults["folder"]))
    visitor.post("/sign-in/citizen", {"phone": PHONE, "code": code})
    assert is_in(visitor)
    again = Client()
    assert again.get(sent_back(again, way, wanted="/m/me")).headers["Location"] == "/m/me"
    assert SignInSession.objects.order_by("id").last().way == way  # type: ignore[union-attr]
    assert ExternalIdentity.objects.get().user_id == user_of_phone(PHONE)


def test_a_phone_that_the_other_place_vouches_for_is_filled_in_and_still_proven(
    providers: Providers, visitor: Client
) -> None:
    page = visitor.get(sent_back(visitor, "gov")).content.decode()
    assert 'value="19900000001"' in page
    assert not is_in(visitor)
    assert user_of_phone("19900000001") is None
    assert "19900000001" not in str(dict(visitor.session.items()))
    assert "1001" not in str(dict(visitor.session.items()))


def test_a_new_person_registers_and_is_bound_in_one_go(providers: Providers, visitor: Client) -> None:
    visitor.get(sent_back(visitor, "gov"))
    visitor.post("/sign-in/code", {"phone": "19900000001"})
    code = last_code(Path(visitor.defaults["folder"]))
    asked = visitor.post("/sign-in/citizen", {"phone": "19900000001", "code": code})
    area = asked.context["areas"][0][0]
    given = {"phone": "19900000001", "code": code, "display_name": "杜若", "area": area}
    assert visitor.post("/sign-in/register", given).headers["Location"] == "/m/"
    held = ExternalIdentity.objects.get()
    assert (held.user_id, held.real_name_level) == (user_of_phone("19900000001"), "L3")


def test_an_address_that_leads_back_serves_once_and_in_its_own_browser(
    providers: Providers, visitor: Client
) -> None:
    bound_by_phone(visitor, "oidc")
    own_browser, thief = Client(), Client()
    back = sent_back(own_browser, "oidc")
    sent_back(thief, "oidc")
    for stranger in (Client(), thief):
        assert "FEDERATION_STALE" in text_of(stranger.get(back))
        assert not is_in(stranger)
    assert own_browser.get(back).headers["Location"] == "/m/"
    own_browser.post("/sign-out")
    assert "FEDERATION_STALE" in text_of(own_browser.get(back))
    assert not is_in(own_browser)


def test_the_answer_of_one_place_is_not_taken_for_another(providers: Providers, visitor: Client) -> None:
    back = sent_back(visitor, "wechat")
    assert "FEDERATION_STALE" in text_of(visitor.get(back.replace("/wechat", "/oidc")))


def test_who_comes_back_too_late_begins_again(
    providers: Providers, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = sent_back(visitor, "wechat")
    late = timezone.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: late)
    assert "FEDERATION_STALE" in text_of(visitor.get(back))


def test_a_token_that_does_not_verify_opens_nothing(providers: Providers, visitor: Client) -> None:
    bound_by_phone(visitor, "oidc")
    other = Client()
    back = sent_back(other, "oidc")
    providers.faults.add("signature")
    page = text_of(other.get(back))
    assert "FEDERATION_UNTRUSTED" in page
    assert "没有通过核验" in page
    assert not is_in(other)


def test_a_second_identity_of_one_place_is_not_bound_and_the_person_is_told(
    providers: Providers, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound_by_phone(visitor, "wechat")
    later = timezone.now() + timedelta(minutes=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    providers.person = 1
    other = Client()
    other.defaults["folder"] = visitor.defaults["folder"]
    bound_by_phone(other, "wechat")
    assert is_in(other)
    assert "已经绑定另一个账户" in text_of(other.get("/m/me"))
    assert ExternalIdentity.objects.count() == 1


def test_an_organisations_person_still_shows_their_own_factor(providers: Providers, visitor: Client) -> None:
    maker = User.objects.get(username="centre.maker")
    visitor.get(sent_back(visitor, "oidc"))
    waiting = visitor.session["sign_in.unbound"]
    bind_identity(
        actor=own(maker.id), at=timezone.now(), user_id=maker.id, way="oidc", issuer=waiting["issuer"],
        subject_index_hex=waiting["subject_index_hex"], real_name_level="",
    )  # fmt: skip
    client = Client()
    assert client.get(sent_back(client, "oidc")).headers["Location"] == "/sign-in/second-factor"
    assert not is_in(client)


def test_a_binding_is_seen_and_undone_on_the_persons_page(providers: Providers, visitor: Client) -> None:
    bound_by_phone(visitor, "gov")
    page = text_of(visitor.get("/m/me"))
    assert "政务登录（演示）" in page
    assert "实名等级 L3" in page
    held = ExternalIdentity.objects.get()
    assert visitor.post(f"/m/me/identities/{held.id}/unbind").headers["Location"] == "/m/me"
    assert "政务登录" not in text_of(visitor.get("/m/me"))
    again = Client()
    assert "已确认您的身份" in text_of(again.get(sent_back(again, "gov")))
