"""A matter before the public: somebody reads it, signs in, objects; it is answered in public; the notice closes by itself.

The process is made up, with effects that change nothing: what is walked here is the same for every subject.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser
from tests.integration.foundation.workflow.made_up_province import PUBLIC_ADMISSION
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import CODE, PHONE, PICTURES, Person
from tests.journeys.test_every_page import TOO_WIDE, barriers

from tanpuhui.config.wiring import EFFECTS
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.workflow import queries
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    attach,
    decide,
    end_notices,
    install_effects,
    open_case,
)
from tanpuhui.interfaces.commands.demonstration import founding
from tanpuhui.interfaces.commands.demonstration.stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(600)]

TITLE = "海草床修复碳汇方法学"
PHONE_NUMBER = "13900001234"
WORDS = "第 5.2 条基准线取值偏高，请说明取样范围。"
ANSWER = "取样为两个生长季的 412 个样方，取第 40 百分位，不偏高。"


@pytest.fixture(scope="module")
def announced(open_province: OpenProvince, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """Found the province with one process more, and put a matter of it to public notice."""

    def play(stage: Stage) -> None:
        stage.folder = Path(
            shutil.copytree(stage.folder, tmp_path_factory.mktemp("notice") / "province", dirs_exist_ok=True)
        )
        (stage.folder / "processes" / "public_admission.yaml").write_text(PUBLIC_ADMISSION, encoding="utf-8")
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        install_effects(with_effects())
        announce(stage)

    with open_province(play) as province:
        yield province


def with_effects() -> dict[tuple[str, str], object]:
    return {
        **EFFECTS,
        **{("thing", one): NO_EFFECT for one in ("announce", "announce_anew", "admit", "return", "refuse")},
    }  # type: ignore[dict-item]


def announce(stage: Stage) -> None:
    """Open a case with its plan attached, and bring it to its notice for three days, which no rule of this province sets."""
    now = timezone.now()
    maker = stage.actor(stage.with_role("centre", "maker"), now)
    owner = stage.organisation_ids["owner"]
    case_id = open_case(
        actor=SYSTEM, at=now, process="public_admission", subject_type="thing", subject_id="1", title=TITLE,
        area=stage.cast.troupe("centre").area, organisation_id=owner,
    ).case_id  # fmt: skip
    with transaction.atomic():
        stored = store_document(
            content=b"%PDF-1.7 made up", name="plan.pdf", media_type="application/pdf", at=now
        )
    attach(
        actor=maker, at=now, idempotency_key=None, case_id=case_id, kind="plan", name="方法学文本.pdf",
        sha256=stored.sha256,
    )  # fmt: skip
    decide(
        actor=maker, at=now, idempotency_key=None, case_id=case_id, outcome="announce",
        opinion="材料齐全；没有规则规定天数，参照同类事项公示三天。", values={"notice_working_days": "3"},
    )  # fmt: skip


def test_a_citizen_objects_is_answered_in_public_and_the_notice_closes_by_itself(
    browser: Browser, announced: Province, tmp_path: Path
) -> None:
    install_effects(with_effects())
    with Person(browser, announced, "citizen", pictures=PICTURES / "notice") as citizen:
        reads_the_notice(citizen)
        signs_in_and_is_led_back(citizen)
        objects(citizen, evidence=tmp_path / "海边照片.pdf")
        with Person(browser, announced, "maker", pictures=PICTURES / "notice") as maker:
            maker.sign_in("hh.jingban")
            answers(maker)
        with Person(browser, announced, "stranger", phone=True, pictures=PICTURES / "notice") as stranger:
            reads_the_answer(stranger)
            closes_by_itself()
            reads_the_result(stranger)
        citizen.open("/notices/mine")
        citizen.reads("异议不成立", ANSWER)


def reads_the_notice(citizen: Person) -> None:
    citizen.open("/")
    citizen.reads("正在公示", TITLE)
    citizen.open("/notices/")
    citizen.reads("公示公告", TITLE, "剩 3 个工作日")
    citizen.page.get_by_role("link", name=TITLE).click()
    citizen.page.wait_for_url(re.compile(r"/notices/\d+$"))
    citizen.reads(
        "没有规则规定天数，由办理人员决定。理由：材料齐全；没有规则规定天数，参照同类事项公示三天。",
        "方法学文本.pdf", "SHA-256", "退回补正", "还没有收到意见", "任何人都可以提",
    )  # fmt: skip
    assert list(barriers(citizen.page)) == []
    citizen.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert citizen.page.evaluate(TOO_WIDE) == []
    citizen.resize(citizen.size)
    with citizen.page.expect_download() as download:
        citizen.page.get_by_role("link", name="方法学文本.pdf").click()
    assert download.value.suggested_filename == "方法学文本.pdf"


def signs_in_and_is_led_back(citizen: Person) -> None:
    """Register by phone and code on the way; the notice is where one left it."""
    notice = citizen.page.url
    citizen.press("登录后提意见")
    citizen.page.locator("#phone").fill(PHONE_NUMBER)
    citizen.page.locator("#citizen button[type=submit]").click()
    citizen.page.locator("#code").wait_for()
    sent = [line for line in citizen.place.outbox.read_text("utf-8").splitlines() if PHONE_NUMBER in line][-1]
    found = CODE.search(sent.split("\t")[-1])
    assert found is not None, sent
    citizen.page.locator("#code").fill(found[1])
    citizen.page.locator("#citizen button[type=submit]").click()
    citizen.page.locator("#display_name").fill("海边的人")
    citizen.page.locator("#citizen button[type=submit]").click()
    citizen.page.wait_for_url(f"{notice}#say")


def objects(citizen: Person, *, evidence: Path) -> None:
    """Forget the real name first: what was written stays; then send it with a file."""
    evidence.write_bytes(b"%PDF-1.7 evidence")
    citizen.page.locator("input[name=kind][value=objection]").check()
    citizen.page.locator("[name=text]").fill(WORDS)
    citizen.page.locator("[name=name]").fill("139")
    with citizen.expecting(409):
        citizen.press("实名提交")
        citizen.reads("请填写真实姓名", "REAL_NAME_NEEDED")
        assert citizen.page.locator("[name=text]").input_value() == WORDS
    citizen.page.locator("[name=name]").fill("李明")
    citizen.page.locator("[name=attachments]").set_input_files(evidence)
    citizen.press("实名提交")
    citizen.reads(
        "已收到", "等待答复", "收到 1 条，其中异议 1 条；已答复 0 条。", "署名 李明，公开时只显示姓"
    )
    assert list(barriers(citizen.page)) == []
    citizen.shot("objected")


def answers(maker: Person) -> None:
    maker.reads("1 条异议等您答复")
    maker.shot("inbox")
    maker.page.get_by_role("link", name=TITLE).first.click()
    maker.page.wait_for_url(re.compile(r"/w/cases/\d+$"))
    maker.reads("1 条异议没有答复，期满也不会自动往下走。", "李明", "等您答复")
    maker.shot("case")
    maker.page.get_by_role("link", name=WORDS[:10]).click()
    maker.reads("手机号已验证，139****1234", "海边照片.pdf")
    with maker.page.expect_download() as download:
        maker.page.get_by_role("link", name="海边照片.pdf").click()
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.7 evidence"
    assert list(barriers(maker.page)) == []
    maker.shot("answer")
    maker.page.locator("input[name=upheld][value=no]").check()
    maker.page.locator("[name=text]").fill(ANSWER)
    maker.press("答复并公开")
    maker.reads("已答复，连同意见一起公开了。", "异议不成立")


def reads_the_answer(stranger: Person) -> None:
    stranger.open("/notices/")
    stranger.page.get_by_role("link", name=TITLE).click()
    said = stranger.reads("李**", WORDS, ANSWER, "异议不成立", "附件 1 个，不公开")
    assert "李明" not in said
    assert "海边照片" not in said
    assert "1234" not in said
    stranger.shot("answered")


def closes_by_itself() -> None:
    """Nobody does anything: the worker's task comes by after the last day, and not a moment before."""
    (view,) = queries.notices(at=timezone.now()).notices
    over = datetime.combine(view.last_day + timedelta(days=1), time(0), tzinfo=CHINA)
    assert end_notices(at=over - timedelta(seconds=1)) == ()
    assert end_notices(at=over) == (view.case_id,)


def reads_the_result(stranger: Person) -> None:
    stranger.open("/notices/?state=ended")
    stranger.page.get_by_role("link", name=TITLE).click()
    stranger.reads("已结束", "公示期满准入", ANSWER)
    assert stranger.page.get_by_text("登录后提意见").count() == 0
    stranger.shot("result")
