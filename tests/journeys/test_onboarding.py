"""An organisation is onboarded: from a citizen's application on the portal to its own people's first sign-in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
from django.db import connection
from playwright.sync_api import Browser
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PICTURES, Person
from tests.journeys.test_every_page import TOO_WIDE, barriers

from tanpuhui.foundation.identity.tasks import send_invitation_by_text
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.interfaces.commands.demonstration import founding
from tanpuhui.interfaces.commands.demonstration.people import invent_citizens
from tanpuhui.interfaces.commands.demonstration.stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(600)]
SCAN = {"mimeType": "application/pdf", "buffer": b"%PDF-1.7 a scan"}
PASSWORD = "Nanyu charging 2026!"
SHOTS = PICTURES / "onboarding"


@pytest.fixture(scope="module")
def province(open_province: OpenProvince) -> Iterator[Province]:
    def found(stage: Stage) -> None:
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        founding.admit_citizens(stage)

    with open_province(found) as opened:
        yield opened


def test_from_the_application_to_the_first_sign_in(browser: Browser, province: Province) -> None:
    with Person(browser, province, "applicant", pictures=SHOTS) as applicant:
        applicant.sign_in_by_phone(invent_citizens(province.stage.cast)[0].phone)
        address = applies(applicant)
        with Person(browser, province, "maker", pictures=SHOTS) as maker:
            maker.sign_in("hh.jingban")
            decides(maker, "退回补正", "请写明英文名称", "case-maker")
        answers_the_return(applicant, address)
        with Person(browser, province, "maker-again", pictures=SHOTS) as maker:
            maker.sign_in("hh.jingban")
            decides(maker, "材料齐全，提请复核", "材料齐全，代码核对无误", "case-maker-again")
        with Person(browser, province, "checker", pictures=SHOTS) as checker:
            checker.sign_in("hh.fuhe")
            decides(checker, "同意入驻", "同意入驻", "case-checker")
        applicant.open(address)
        applicant.reads("已入驻", "请写明英文名称")
        looks(applicant, "application-admitted")
    run_invitations()
    with Person(browser, province, "newcomer", pictures=SHOTS) as newcomer:
        activates(newcomer)
        enters_for_the_first_time(newcomer)
        looks_after_the_organisation(newcomer)
    with Person(browser, province, "system", pictures=SHOTS) as administrator:
        administrator.sign_in("hh.xitong")
        administrator.open("/w/organisations")
        administrator.reads("南屿充电网", "数据伙伴")
        looks(administrator, "organisations")
        administrator.open("/w/areas/assign")
        looks(administrator, "assign-area")
        administrator.open("/w/areas")
        looks(administrator, "areas")


def looks(person: Person, name: str) -> None:
    """Take the page as a picture, and see that it is neither too wide on a phone nor barred to anybody."""
    assert list(barriers(person.page)) == []
    person.shot(name)
    person.resize((390, 844))
    assert person.page.evaluate(TOO_WIDE) == []
    person.resize((1440, 900))


def applies(applicant: Person) -> str:
    page = applicant.page
    applicant.open("/onboarding")
    looks(applicant, "overview")
    page.get_by_role("link", name="数据伙伴", exact=True).click()
    page.wait_for_url("**/onboarding/partner")
    looks(applicant, "form")
    for name, value in (
        ("name", "南屿充电网"),
        ("name_en", "N"),
        ("uscc", complete_uscc("N2990200", "MF9D0888")),
        ("contract_number", "HH-2026-88"),
        ("contract_from", "2026-01-01"),
        ("contract_to", "2099-12-31"),
        ("person1_name", "南甲"),
        ("person1_phone", "13800000888"),
        ("person1_username", "nanyu.jia"),
    ):
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=area]").select_option("990200")
    page.locator("[name=person1_roles][value=partner]").check()
    for name in ("licence", "authorisation"):
        page.locator(f"[name={name}]").set_input_files({"name": f"{name}.pdf", **SCAN})  # type: ignore[arg-type,typeddict-item]
    with applicant.expecting(422):
        applicant.press("提交申请")
        applicant.reads("须有一位机构管理员")
    looks(applicant, "form-refused")
    page.locator("[name=person1_roles][value=administrator]").check()
    for name in ("licence", "authorisation"):
        page.locator(f"[name={name}]").set_input_files({"name": f"{name}.pdf", **SCAN})  # type: ignore[arg-type,typeddict-item]
    applicant.press("提交申请")
    applicant.reads("已提交", "南屿充电网")
    looks(applicant, "application-submitted")
    return page.url


def decides(person: Person, words: str, opinion: str, shot: str) -> None:
    person.open("/w/")
    person.page.get_by_text("南屿充电网").first.click()
    person.page.locator("textarea[name=opinion]").wait_for()
    person.reads("南屿充电网", "138****0888")
    person.page.locator("label", has_text=words).first.click()
    person.page.locator("textarea[name=opinion]").fill(opinion)
    looks(person, shot)
    person.press("签名并提交")
    person.reads("已提交，写入过程")


def answers_the_return(applicant: Person, address: str) -> None:
    applicant.open(address)
    applicant.reads("请写明英文名称")
    looks(applicant, "application-returned")
    applicant.page.locator("[name=name_en]").fill("Nanyu Charging")
    applicant.page.locator("[name=opinion]").fill("已写全英文名称")
    applicant.press("重新提交")
    applicant.reads("已重新提交")


def run_invitations() -> None:
    """Do what the worker does with the jobs that the admission left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select args ->> 'user_id' from procrastinate_jobs where task_name = 'identity.send_invitation'"
        )
        users = [int(row[0]) for row in cursor.fetchall()]
    assert len(users) == 1
    for user_id in users:
        send_invitation_by_text(user_id)


def activates(newcomer: Person) -> None:
    sent = newcomer.place.outbox.read_text("utf-8").splitlines()[-1]
    assert "13800000888" in sent
    code = re.search(r"激活码 (\d{8})", sent)
    assert code is not None
    newcomer.open("/sign-in")
    newcomer.page.get_by_role("link", name="我有激活码").click()
    newcomer.page.locator("#username").fill("nanyu.jia")
    newcomer.page.locator("#code").fill(code[1])
    newcomer.page.locator("#password").fill(PASSWORD)
    newcomer.page.locator("#again").fill(PASSWORD)
    looks(newcomer, "activate")
    newcomer.press("设置密码")
    newcomer.reads("密码已设置，请登录")


def enters_for_the_first_time(newcomer: Person) -> None:
    page = newcomer.page
    page.locator("#username").fill("nanyu.jia")
    page.locator("#password").fill(PASSWORD)
    page.locator("#organisation form:not([data-passkey]) button[type=submit]").click()
    page.wait_for_url("**/sign-in/enrol")
    newcomer.press("显示二维码")
    secret = "".join(page.locator(".enr-s").inner_text().split())
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    newcomer.press("登记验证器并登录")
    newcomer.open("/w/")
    newcomer.reads("南屿充电网", "南甲")
    looks(newcomer, "first-inbox")


def looks_after_the_organisation(newcomer: Person) -> None:
    newcomer.open("/w/organisations")
    newcomer.page.locator("main a", has_text="南屿充电网").first.click()
    newcomer.page.wait_for_url(re.compile(r"/w/organisations/\d+$"))
    newcomer.reads("HH-2026-88", "机构管理员", "已激活")
    looks(newcomer, "organisation")
    newcomer.press("添加人员")
    for name, value in (("display_name", "南乙"), ("phone", "13800000889"), ("username", "nanyu.yi")):
        newcomer.page.locator(f"[name={name}]").fill(value)
    looks(newcomer, "add-person")
    newcomer.press("添加人员")
    newcomer.reads("南乙", "等待激活", "没有角色")
    newcomer.press("授予角色")
    newcomer.page.locator("[name=role]").select_option("partner")
    looks(newcomer, "grant-role")
    newcomer.press("授予角色")
    newcomer.reads("角色已授予")
    newcomer.press("接口密钥")
    newcomer.page.locator("[name=name]").fill("生产系统")
    newcomer.press("生成密钥")
    newcomer.reads("只显示这一次", "tph_")
    looks(newcomer, "api-key")
    newcomer.open("/w/delegations/new")
    looks(newcomer, "new-delegation")
