"""A scenario goes live: applied for, returned once, a first sample that fails, docked, assessed, put to notice; then a file counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, FilePayload
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PICTURES, Person
from tests.journeys.test_every_page import TOO_WIDE, barriers

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.workflow.operations import end_notices
from tanpuhui.interfaces.commands.demonstration import admitting, founding
from tanpuhui.interfaces.commands.demonstration.stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]
OPINION = "已逐项核对。"
PARTNER, FIRST, MAKER, CHECKER = "hh.gongjiao", "hh.beigang", "hh.jingban", "hh.fuhe"
HEADER = "record_id,subject,scenario,started_at,ended_at,area,distance_km"
SHOWN = PICTURES / "scenario"


@pytest.fixture(scope="module")
def founded(open_province: OpenProvince) -> Iterator[Province]:
    """Found the province with its people and citizens; no scenario is open yet."""

    def found(stage: Stage) -> None:
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        admitting.train_sub_centres(stage)
        founding.file_methodologies(stage)
        founding.admit_citizens(stage)

    with open_province(found) as province:
        yield province


def test_a_scenario_goes_from_application_to_live_and_its_first_file_counts(
    browser: Browser, founded: Province
) -> None:
    with somebody(browser, founded, PARTNER) as partner:
        partner.sign_in(PARTNER)
        application_id = applies(partner)
        with somebody(browser, founded, FIRST) as first:
            first.sign_in(FIRST)
            decides(first, application_id, "return", "10-returned")
        mends_and_submits_again(partner, application_id)
        with somebody(browser, founded, FIRST) as first:
            first.sign_in(FIRST)
            decides(first, application_id, "first_check", "11-first-check")
        with somebody(browser, founded, MAKER) as maker:
            maker.sign_in(MAKER)
            decides(maker, application_id, "accept", "12-accepted")
            docks(partner, application_id, founded.stage)
            decides(partner, application_id, "ready", "23-ready")
            decides(maker, application_id, "pass", "30-passed")
        with somebody(browser, founded, CHECKER) as checker:
            checker.sign_in(CHECKER)
            decides(checker, application_id, "endorse", "31-endorsed")
        is_read_under_notice(browser, founded)
        end_notices(at=timezone.now() + timedelta(days=21))
        is_read_in_the_register(browser, founded)
        sends_a_file_that_counts(partner, founded.stage)


def somebody(browser: Browser, place: Province, name: str) -> Person:
    return Person(browser, place, name, pictures=SHOWN)


def looked_at(person: Person, picture: str) -> None:
    """Take the page as a picture, and see that it has no barrier and fits a phone."""
    person.shot(picture)
    assert list(barriers(person.page)) == []
    person.resize((390, 844))
    assert not person.page.evaluate(TOO_WIDE)
    person.resize(person.size)


def applies(partner: Person) -> int:
    """Begin an application, read what it still lacks, fill it in and submit it."""
    partner.open("/w/applications")
    partner.press("申请场景")
    page = partner.page
    page.locator("[name=methodology]").select_option("A01|bus")
    page.locator("[name=name_zh]").fill("常规公交")
    page.locator("[name=name_en]").fill("City buses")
    page.locator("[name=scenario_class][value=everyday]").check()
    page.locator("[name=adapter]").select_option("standard")
    page.locator("[name=evidence_tier]").select_option("1")
    looked_at(partner, "01-begins")
    partner.press("下一步")
    page.wait_for_url("**/edit")
    looked_at(partner, "02-fills-in")
    partner.press("保存")
    partner.reads("提交以前还缺", "请填写行为说明")
    looked_at(partner, "03-what-is-missing")
    partner.press("填写申请")
    page.locator("[name=behaviour]").fill("乘坐城市公交代替开车，刷卡上下车为一次。")
    page.locator("[name=evidence_note]").fill("车载机记录。")
    page.locator("[name=records_per_day]").fill("12000")
    for box in page.locator("[name=excluded_from]").all():
        box.check()
    partner.press("保存")
    partner.reads("已保存为第 3 版")
    partner.press("提交申请")
    partner.reads("已提交，办件")
    looked_at(partner, "04-submitted")
    found = re.search(r"/applications/(\d+)", page.url)
    assert found is not None
    return int(found[1])


def mends_and_submits_again(partner: Person, application_id: int) -> None:
    """Read that it was returned, mend it, and submit it again in its case."""
    partner.open(f"/w/applications/{application_id}")
    partner.reads("退回补正", "在办件里重新提交")
    partner.press("填写申请")
    partner.page.locator("[name=evidence_note]").fill("车载机记录，保存原始日志一年，可抽查。")
    partner.press("保存")
    decides(partner, application_id, "resubmit", "10-resubmitted")


def decides(person: Person, application_id: int, decision: str, picture: str) -> None:
    """Open the case from the application, decide it with an opinion, and see that written into its history."""
    person.open(f"/w/applications/{application_id}")
    person.press("打开办件")
    person.page.locator(f"input[name=decision][value={decision}] + span").click()
    person.page.locator("textarea[name=opinion]").fill(OPINION)
    person.shot(f"{picture}-case")
    person.press("签名并提交")
    person.reads("已提交", OPINION)


def docks(partner: Person, application_id: int, stage: Stage) -> None:
    """Upload a sample with a column too many, read why it fails, and upload one that passes."""
    partner.open(f"/w/applications/{application_id}/docking")
    looked_at(partner, "20-docking")
    uploads(partner, file_of(stage, rows=12, extra="phone", name="first.csv"), "试送样本")
    partner.reads("没有达到要求", "没有列出", "phone")
    looked_at(partner, "21-failed")
    partner.open(f"/w/applications/{application_id}/docking")
    uploads(partner, file_of(stage, rows=12, name="second.csv"), "试送样本")
    partner.reads("达到要求", "每一行都能计入", "与上一份样本相比")
    partner.page.locator("main a", has_text="解释").first.click()
    partner.reads("第 2 行怎样得出")
    looked_at(partner, "22-passed")


def uploads(person: Person, file: FilePayload, words: str) -> None:
    person.page.locator("input[type=file]").set_input_files(file)
    with person.page.expect_navigation():
        person.control(words).click()


def file_of(stage: Stage, *, rows: int, extra: str = "", name: str) -> FilePayload:
    """Return rides of yesterday by citizens of the province, in the standard format."""
    day = stage.today - timedelta(days=1)
    lines = [HEADER + (f",{extra}" if extra else "")]
    for number in range(rows):
        citizen = stage.citizens[number % 6]
        hour = 6 + number
        lines.append(
            f"{name}-{number},{citizen.subject},bus,{day}T{hour:02d}:00:00+08:00,{day}T{hour:02d}:30:00+08:00,"
            f"{citizen.area},{6 + number}.5" + (",13900000000" if extra else "")
        )
    content = "\n".join([*lines, ""]).encode()
    return {"name": name, "mimeType": "text/csv", "buffer": content}


def is_read_under_notice(browser: Browser, place: Province) -> None:
    """Have a stranger read what is under notice: who sends what, and what for."""
    with somebody(browser, place, "stranger") as stranger:
        stranger.open("/notices/")
        stranger.page.locator("main a", has_text="常规公交").first.click()
        stranger.reads("常规公交", "乘坐城市公交代替开车", "distance_km", "核算减排量")
        looked_at(stranger, "40-notice")
        stranger.open("/scenarios")
        stranger.reads("还没有上线的场景")


def is_read_in_the_register(browser: Browser, place: Province) -> None:
    """Have a stranger find the scenario in the public register."""
    with somebody(browser, place, "stranger") as stranger:
        stranger.open("/scenarios")
        stranger.reads("常规公交", "日常场景", "运行中", "未确定")
        looked_at(stranger, "50-register")
        stranger.page.locator("main a", has_text="常规公交").first.click()
        stranger.reads("谁送数据，送什么", "distance_km", "上线以来没有变更")
        looked_at(stranger, "51-scenario")


def sends_a_file_that_counts(partner: Person, stage: Stage) -> None:
    """Upload a file under the new feed; the worker posts it, and every row counts."""
    partner.open("/w/batches/send")
    uploads(partner, file_of(stage, rows=10, name="live.csv"), "上传文件")
    (batch,) = activity.batches()
    posted = post_batch(actor=SYSTEM, at=timezone.now(), batch_id=batch.id)
    assert (posted.state, posted.rows, posted.counted) == ("posted", 10, 10)
    partner.open(f"/w/batches/{batch.id}")
    partner.reads("已入账", "每一行都全部计入了")
    looked_at(partner, "60-posted")
