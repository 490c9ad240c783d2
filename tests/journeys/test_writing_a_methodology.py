"""An applicant writes a revision: a fault found while typing, a row tried and kept, a difference seen, a case opened.

A stranger then reads the filed version and what distinguishes the proposed one from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PHONE, PICTURES, Person
from tests.journeys.test_every_page import TOO_WIDE, barriers

from tanpuhui.interfaces.commands.demonstration import founding
from tanpuhui.interfaces.commands.demonstration.stage import Stage

PATIENCE_MS = 20_000
"""As long as a person waits for anything else here."""

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def founded(open_province: OpenProvince) -> Iterator[Province]:
    """Found the province and file its library."""

    def found(stage: Stage) -> None:
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        founding.file_methodologies(stage)

    with open_province(found) as province:
        yield province


def test_an_applicant_writes_tries_and_proposes_a_revision_that_anybody_can_compare(
    browser: Browser, founded: Province
) -> None:
    with Person(browser, founded, "owner", pictures=PICTURES / "methodology") as author:
        author.sign_in("hh.yezhu")
        begins_with_the_filed_version(author)
        is_pointed_at_a_fault_while_typing(author)
        changes_a_factor_and_the_number(author)
        tries_rows_and_keeps_one(author)
        sees_the_difference_and_proposes(author)
    with Person(browser, founded, "stranger", pictures=PICTURES / "methodology") as reader:
        reads_both_versions(reader)


def begins_with_the_filed_version(author: Person) -> None:
    author.open("/w/drafts/new")
    author.page.locator("input[value=version]").check()
    option = author.page.locator("[name=version] option", has_text="A01").first
    author.page.locator("[name=version]").select_option(option.get_attribute("value"))
    author.press("新开草稿")
    author.reads("A01 公交出行 1.0", "没有错误", "与引擎一致")
    assert list(barriers(author.page)) == []
    author.shot("draft")
    author.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert author.page.evaluate(TOO_WIDE) == []
    author.resize(author.size)


def is_pointed_at_a_fault_while_typing(author: Person) -> None:
    """Type a name that does not exist: the check says where, and leads there."""
    field = author.page.locator("#text")
    right = field.input_value()
    wrong = right.replace("里程 * 公交因子", "里程 * 公交因", 1)
    line = wrong.splitlines().index("        formula: 里程 * 公交因") + 1
    field.fill(wrong)
    place = author.page.locator("#check button[data-line]")
    expect(place).to_have_text(f"第 {line} 行第 23 列", timeout=PATIENCE_MS)
    author.reads("没有名为“公交因”的字段", "改动还没有保存")
    place.click()
    start = author.page.evaluate("document.getElementById('text').selectionStart")
    assert wrong[start:].startswith("公交因\n")
    author.shot("draft-fault")
    field.fill(right)
    expect(author.page.locator("#check")).to_contain_text("没有错误", timeout=PATIENCE_MS)


def changes_a_factor_and_the_number(author: Person) -> None:
    field = author.page.locator("#text")
    field.fill(field.input_value().replace('version: "1.0"', 'version: "7.0"', 1))
    author.press("保存")
    author.reads("已保存为第 2 稿", "A01 公交出行 7.0")
    author.page.get_by_role("link", name="factors/transport.yaml").click()
    field = author.page.locator("#text")
    field.fill(field.input_value().replace("value: 0.052", "value: 0.042", 1))
    author.press("保存")
    # The worked cases of the old factor no longer agree, and the check says which.
    author.reads("已保存为第 3 稿", "能读，有算例不一致", "436 g，余 0.8 g")


def tries_rows_and_keeps_one(author: Person) -> None:
    author.page.get_by_role("link", name="试算").click()
    author.page.locator("#rows").fill("distance_km\n10\n0\n")
    author.press("试算")
    author.reads("2 行中 1 行计入", "620 g", "里程为 0，没有发生出行。")
    author.press("解释")
    author.reads("第 2 行怎样得出", "京津冀取值，不是山东本地值")
    assert list(barriers(author.page)) == []
    author.shot("draft-trial")
    author.press("存为算例")
    author.reads("第 2 行已存为算例 trial-1")
    field = author.page.locator("#text")
    # The cases of the old factor go; what was kept stays for its author to confirm.
    text = field.input_value()
    kept = text[text.index("  # 由试算存下") :]
    refusals = text[text.index("  - code: refused-default") : text.index("  # 由试算存下")]
    field.fill(text[: text.index("  - code: G07")] + refusals + kept)
    author.press("保存")
    author.reads("没有错误")


def sees_the_difference_and_proposes(author: Person) -> None:
    author.page.get_by_role("link", name="与上一版比较").click()
    author.reads("与 A01 1.0 版相比，有 1 处改动可能改变结果", "0.052", "0.042")
    author.shot("draft-difference")
    author.page.get_by_role("link", name="提出备案").click()
    author.press("提出备案 A01 7.0")
    author.reads("已提出备案，办件", "A01 公交出行 7.0")


def reads_both_versions(reader: Person) -> None:
    reader.open("/methodologies?q=公交")
    reader.reads("公交出行", "能算", "等待")
    reader.shot("library")
    reader.open("/methodologies/A01/1.0")
    reader.reads("由正在运行的公式树排出", "6 个算例，运行中的引擎现在给出的与应有的结果全部一致")
    assert reader.page.locator("math").count() > 10
    link = reader.page.locator("#formulas .sym a").first
    target = str(link.get_attribute("href"))
    link.click()
    expect(reader.page).to_have_url(re.compile(re.escape(target) + "$"))
    assert reader.page.locator(target).count() == 1
    assert list(barriers(reader.page)) == []
    reader.shot("version")
    reader.open("/methodologies/A01/1.0/to/7.0")
    reader.reads("有 1 处改动可能改变结果", "0.042", "评审中")
    reader.shot("difference")
