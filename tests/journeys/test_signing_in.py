"""An organisation's person signs in for the first time, enrols, and comes back with each of their factors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser
from pydantic import SecretStr
from tests.fakes.sign_in_providers import Providers, serving, write_configuration
from tests.journeys.conftest import PASSWORD, OpenProvince, Province
from tests.journeys.person import PICTURES, Person

from tanpuhui.foundation.identity.operations import add_member
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.interfaces.commands.demonstration import founding
from tanpuhui.interfaces.commands.demonstration.stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(300)]
NEWCOMER = "hh.xinren"
OWN = "My-Own-Words-2026"


@pytest.fixture(scope="module")
def province(open_province: OpenProvince) -> Iterator[Province]:
    def found(stage: Stage) -> None:
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        add_member(
            actor=SYSTEM, at=timezone.now(), organisation_id=stage.organisation_ids["centre"], username=NEWCOMER,
            display_name="新来的经办", password=SecretStr(PASSWORD), role=Role.MAKER, area=stage.cast.troupe("centre").area,
        )  # fmt: skip

    with open_province(found) as opened:
        yield opened


@pytest.fixture
def person(browser: Browser, province: Province) -> Iterator[Person]:
    """Give the newcomer a browser with a software passkey device, at the site's name: passkeys know no IP addresses."""
    with Person(browser, province, NEWCOMER, pictures=PICTURES / "signing-in") as somebody:
        devices = somebody.context.new_cdp_session(somebody.page)
        devices.send("WebAuthn.enable")
        devices.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield somebody


def give_password(person: Person, site: str, password: str = OWN) -> None:
    person.open(f"{site}/sign-in")
    person.page.locator("#username").fill(NEWCOMER)
    person.page.locator("#password").fill(password)
    person.page.locator("#organisation form:not([data-passkey]) button[type=submit]").click()


def sign_out(person: Person, site: str) -> None:
    person.open(f"{site}/w/me")
    person.press("退出登录")


def test_from_the_first_sign_in_to_a_passkey(person: Person, province: Province) -> None:
    site = province.url.replace("127.0.0.1", "localhost")
    page = person.page

    person.open(f"{site}/sign-in")
    person.shot("chooser")
    give_password(person, site, province.password)
    page.wait_for_url("**/sign-in/enrol")
    person.shot("enrol")
    person.press("显示二维码")
    secret = page.locator(".enr-s").inner_text()
    person.shot("enrol-code")
    with person.expecting(409):
        page.locator("#code").fill("000 000")
        person.press("登记验证器并登录")
    person.reads("动态口令不对", "SECOND_FACTOR_WRONG")
    person.shot("enrol-refused")
    authenticator = pyotp.TOTP(secret)
    page.locator("#code").fill(authenticator.now())
    person.press("登记验证器并登录")
    person.shot("recovery-codes")
    recovery = page.locator(".rcv li").all_inner_texts()
    assert len(recovery) == 10
    person.press("已经收好，继续")
    page.wait_for_url("**/sign-in/password")
    person.shot("new-password")
    with person.expecting(422):
        page.locator("#new").fill("too short")
        page.locator("#again").fill("too short")
        person.press("更换密码并登录")
    person.reads("PASSWORD_TOO_SHORT")
    page.locator("#new").fill(OWN)
    page.locator("#again").fill(OWN)
    person.press("更换密码并登录")
    page.wait_for_url("**/w/")

    sign_out(person, site)
    give_password(person, site)
    page.wait_for_url("**/sign-in/second-factor")
    assert not page.locator("#demonstration-code").count(), "a secret of one's own is never shown"
    person.shot("second-factor")
    page.locator("#code").fill(authenticator.at(int(timezone.now().timestamp()) + 30))
    person.press("登录工作台")
    page.wait_for_url("**/w/")

    person.open(f"{site}/w/me/sign-in")
    page.locator("#passkey_name").fill("单位电脑")
    person.press("登记这台设备的通行密钥")
    person.reads("通行密钥已登记", "单位电脑", "localhost")
    person.shot("my-sign-in")
    person.open(f"{site}/w/me/password")
    person.shot("my-password")

    sign_out(person, site)
    give_password(person, site)
    page.wait_for_url("**/sign-in/second-factor")
    person.press("用通行密钥")
    page.wait_for_url("**/w/")
    sign_out(person, site)
    person.open(f"{site}/sign-in")
    person.press("直接用通行密钥登录")
    page.wait_for_url("**/w/")

    sign_out(person, site)
    give_password(person, site)
    person.open(f"{site}/sign-in/recovery-code")
    page.locator("#recovery_code").fill(recovery[0].lower())
    person.shot("recovery-code")
    person.press("用掉一个恢复码，登录")
    page.wait_for_url("**/w/")
    person.open(f"{site}/w/me/sign-in")
    person.reads("还有 9 个没用过")


def test_an_invented_person_walks_through_with_the_code_that_is_shown(
    browser: Browser, province: Province
) -> None:
    with Person(browser, province, "hh.jingban", pictures=PICTURES / "signing-in") as maker:
        maker.open("/sign-in")
        maker.page.locator("#username").fill("hh.jingban")
        maker.page.locator("#password").fill(province.password)
        maker.page.locator("#organisation form:not([data-passkey]) button[type=submit]").click()
        maker.reads("演示")
        maker.shot("demonstration-code")
        for _ in range(2):
            maker.sign_in("hh.jingban")
            assert re.search(r"/w/$", maker.page.url)
            maker.open("/w/me")
            maker.press("退出登录")


def test_the_security_administrator_helps_somebody_who_lost_everything(
    browser: Browser, province: Province
) -> None:
    with Person(browser, province, "hh.anquan", pictures=PICTURES / "signing-in") as security:
        security.sign_in("hh.anquan")
        security.open("/w/sign-ins")
        security.shot("sign-ins")
        security.open("/w/sign-ins?q=hh.fuhe")
        security.press("钟三")
        security.shot("sign-in-of")
        security.page.locator("#sign-in-reset").fill("本人持工作证到场，手机丢失")
        security.press("重置第二步验证")
        security.reads("第二步验证已重置", "待登记第二步验证")
        security.page.locator("#sign-in-password").fill("本人持工作证到场，忘了密码")
        security.press("给一个临时密码")
        security.reads("只显示这一次")
        security.shot("temporary-password")


def test_a_citizen_comes_by_a_government_sign_in_and_is_known_the_next_time(
    browser: Browser, province: Province, tmp_path: Path
) -> None:
    folder = tmp_path / "federation.yaml"
    with serving(Providers(ask=True)) as providers, override_settings(TANPUHUI_FEDERATION=str(folder)):
        write_configuration(providers, folder)
        with Person(browser, province, "杜若", phone=True, pictures=PICTURES / "signing-in") as citizen:
            page = citizen.page
            citizen.open("/sign-in")
            citizen.shot("other-ways")
            citizen.press("政务登录（演示）")
            page.get_by_role("link", name="杜若").click()
            citizen.reads("已确认您的身份")
            citizen.shot("confirmed-elsewhere")
            citizen.press("获取验证码")
            sent = province.outbox.read_text("utf-8").splitlines()[-1]
            page.locator("#code").fill(re.findall(r"验证码 (\d{6})", sent)[0])
            citizen.press("登录碳账户")
            page.locator("#display_name").fill("杜若")
            citizen.press("注册并登录")
            page.wait_for_url("**/m/**")
            citizen.open("/m/me")
            citizen.reads("政务登录（演示）", "实名等级 L3")
            citizen.shot("bound")
            citizen.press("退出登录")
            citizen.open("/sign-in")
            citizen.press("政务登录（演示）")
            page.get_by_role("link", name="杜若").click()
            page.wait_for_url("**/m/")
