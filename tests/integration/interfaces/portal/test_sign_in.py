"""Two ways in, one way out, and where each role lands."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import SecretStr
from tests.integration.interfaces.portal.test_pages import text_of
from tests.two_steps import sign_in

from tanpuhui.foundation.identity.operations import (
    NewCitizen,
    OrganisationKind,
    add_member,
    enrol_demonstration_totp,
    register_citizens,
    register_organisation,
)
from tanpuhui.foundation.identity.queries import user_of_phone
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

PHONE = "13900000001"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def people(db: None, now: datetime, own_folder: Path, invented_jurisdiction: Path) -> Path:
    load_jurisdiction(actor=SYSTEM, at=now, folder=invented_jurisdiction)
    citizen = NewCitizen(phone=PHONE, display_name="乘客", area="990102")
    register_citizens(actor=SYSTEM, at=now, citizens=[citizen])
    for number, (name, kind, role) in enumerate(
        (
            ("shop.clerk", OrganisationKind.MERCHANT, Role.MERCHANT),
            ("centre.maker", OrganisationKind.CENTRE, Role.MAKER),
        )
    ):
        organisation = register_organisation(
            actor=SYSTEM, at=now, kind=kind, name=name, name_en=name, uscc=complete_uscc("91990000", f"0000000{number}"),
            area="990000",
        )  # fmt: skip
        member = add_member(
            actor=SYSTEM, at=now, organisation_id=organisation.organisation_id, username=name, display_name=name,
            password=SecretStr(PASSWORD), role=role, area="990000", temporary=False,
        )  # fmt: skip
        enrol_demonstration_totp(actor=SYSTEM, at=now, user_id=member.user_id)
    return own_folder


def last_code(folder: Path) -> str:
    found = re.findall(r"验证码 (\d{6})", (folder / "outbox" / "sms.log").read_text(encoding="utf-8"))
    return found[-1]


def test_a_citizen_signs_in_with_the_code_and_lands_on_the_phone_pages(people: Path, client: Client) -> None:
    sent = client.post("/sign-in/code", {"phone": PHONE})
    assert "139****0001" in text_of(sent)
    assert "outbox/sms.log" in text_of(sent)
    response = client.post("/sign-in/citizen", {"phone": PHONE, "code": last_code(people)})
    assert (response.status_code, response.headers["Location"]) == (303, "/m/")
    assert client.get("/sign-in").headers["Location"] == "/m/"


def test_a_wrong_code_says_how_many_tries_are_left(people: Path, client: Client) -> None:
    client.post("/sign-in/code", {"phone": PHONE})
    wrong = "000000" if last_code(people) != "000000" else "111111"
    response = client.post("/sign-in/citizen", {"phone": PHONE, "code": wrong})
    assert response.status_code == 409
    assert "还可以试 4 次" in text_of(response)
    assert "_auth_user_id" not in client.session


def test_a_new_phone_is_asked_for_name_and_city_and_then_registered(people: Path, client: Client) -> None:
    client.post("/sign-in/code", {"phone": "13900000002"})
    code = last_code(people)
    asked = client.post("/sign-in/citizen", {"phone": "13900000002", "code": code})
    assert "这个手机号第一次来" in text_of(asked)
    area = asked.context["areas"][0][0]
    given = {"phone": "13900000002", "code": code, "display_name": "新人", "area": area}
    assert client.post("/sign-in/register", given).headers["Location"] == "/m/"
    assert user_of_phone("13900000002") is not None


def test_an_impossible_phone_is_named(people: Path, client: Client) -> None:
    response = client.post("/sign-in/code", {"phone": "123"})
    assert response.status_code == 422
    assert "11 位数字" in text_of(response)


def test_an_organisations_person_lands_on_the_workbench(people: Path, client: Client) -> None:
    response = sign_in(client, "centre.maker", PASSWORD)
    assert (response.status_code, response.headers["Location"]) == (303, "/w/")


def test_a_wrong_password_opens_nothing_and_is_not_shown_again(people: Path, client: Client) -> None:
    response = client.post(
        "/sign-in/organisation", {"username": "centre.maker", "password": "wrong-wrong-wrong"}
    )
    assert "用户名或密码不对" in text_of(response)
    assert "wrong-wrong-wrong" not in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/register?q=x", "/register?q=x"),
        ("https://evil.example/", "/w/"),
        ("//evil.example/", "/w/"),
        ("javascript:alert(1)", "/w/"),
    ],
)
def test_only_an_address_of_this_site_is_gone_on_to(
    wanted: str, lands: str, people: Path, client: Client
) -> None:
    assert sign_in(client, "centre.maker", PASSWORD, next=wanted).headers["Location"] == lands


def test_signing_out_takes_a_form_and_ends_the_session(people: Path, client: Client) -> None:
    sign_in(client, "centre.maker", PASSWORD)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_a_form_without_its_token_is_refused(people: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/sign-in/organisation", {"username": "centre.maker", "password": PASSWORD})
    assert response.status_code == 403
    assert "这个页面放得太久了" in text_of(response)


def test_a_clerk_is_led_from_the_code_to_the_page_that_honours_it(people: Path, client: Client) -> None:
    sign_in(client, "shop.clerk", PASSWORD)
    response = client.get("/r/470829163350?t=k3v9")
    assert response.status_code == 302
    assert response.headers["Location"] == f"{reverse('workbench:honour')}?code=470829163350&t=k3v9"


def test_nobody_else_learns_whether_a_coupon_exists(people: Path, client: Client) -> None:
    pages = {text_of(client.get(f"/r/{code}")).replace(code, "") for code in ("470829163350", "1")}
    assert len(pages) == 1
    sign_in(client, "centre.maker", PASSWORD)
    assert client.get("/r/470829163350").status_code == 200
