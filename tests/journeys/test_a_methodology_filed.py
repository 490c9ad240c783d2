"""A methodology from proposal to filing number: one recusal, one correction round, one objection in the notice.

An owner proposes a revision, the centre has a panel drawn of which one expert recuses, the meeting sends it back, the
owner corrects it inside its case, the panel recommends it, a citizen objects in the public notice, the centre answers,
the notice closes by itself, and the department files it with a rule for the version before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from tests.journeys.conftest import OpenProvince, Province
from tests.journeys.person import PICTURES, Person
from tests.journeys.test_every_page import barriers

from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import end_notices
from tanpuhui.interfaces.commands.demonstration import founding
from tanpuhui.interfaces.commands.demonstration.stage import Stage
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import PanelView

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.timeout(900)]
OBJECTION = "平均里程高于本市实际，请核对。"


@pytest.fixture(scope="module")
def founded(open_province: OpenProvince) -> Iterator[Province]:
    """Found the province with its experts, file its library, and let its citizens in."""

    def found(stage: Stage) -> None:
        founding.load_rules(stage)
        founding.admit_organisations(stage)
        founding.file_methodologies(stage)
        founding.admit_citizens(stage)

    with open_province(found) as province:
        yield province


def test_a_methodology_from_proposal_to_its_filing_number(browser: Browser, founded: Province) -> None:
    pictures = PICTURES / "filing"

    def somebody(username: str) -> Person:
        person = Person(browser, founded, username, pictures=pictures)
        person.sign_in(username)
        return person

    with (
        somebody("hh.yezhu") as owner,
        somebody("hh.jingban") as maker,
        somebody("hh.zhuanjia") as one,
        somebody("hh.zhuanjia2") as two,
        somebody("hh.zhuanjia3") as three,
        somebody("hh.zhuanjia4") as four,
        somebody("hh.jianguan") as regulator,
    ):
        experts = {"hh.zhuanjia": one, "hh.zhuanjia2": two, "hh.zhuanjia3": three, "hh.zhuanjia4": four}
        case = proposes(owner)
        decides(maker, case, "accept", "材料齐全，受理。")
        draws(maker, case)
        panel = recuses_one(founded, case, experts)
        reviews(founded, panel, experts, score="3")
        meets(founded, maker, case, experts, vote="abstain", conclusion="return")
        decides(maker, case, "return", "请说明平均里程的来源。")
        answers_and_corrects(owner, case)
        decides(maker, case, "accept", "补正稿齐全。")
        reviews(founded, _panel(case), experts, score="5")
        meets(founded, maker, case, experts, vote="for", conclusion="recommend")
        decides(maker, case, "conclude", "评审会推荐，公示。")
        objects(browser, founded, case)
        answers_the_objection(maker, case)
        moved = end_notices(at=timezone.now() + timedelta(days=20))
        assert moved == (case,)
        files(regulator, case)
    with Person(browser, founded, "stranger", pictures=pictures) as reader:
        reads_how_it_was_reviewed(reader)


def _panel(case: int) -> PanelView:
    found = methodology.panel_of_case(case)
    assert found is not None
    return found


def decides(person: Person, case: int, outcome: str, opinion: str, **values: str) -> None:
    """Decide a case on its page."""
    person.open(f"/w/cases/{case}")
    person.page.locator(f"input[name=decision][value={outcome}]").check(force=True)
    for name, value in values.items():
        person.page.locator(f"[name='value:{outcome}:{name}']").fill(value)
    person.page.locator(".opb textarea[name=opinion], footer textarea[name=opinion]").first.fill(opinion)
    person.press("签名并提交")


def proposes(owner: Person) -> int:
    """Write version 2.0 of the bus methodology and propose it."""
    owner.open("/w/drafts/new")
    owner.page.locator("input[value=version]").check()
    option = owner.page.locator("[name=version] option", has_text="A01").first
    owner.page.locator("[name=version]").select_option(option.get_attribute("value"))
    owner.press("新开草稿")
    field = owner.page.locator("#text")
    field.fill(field.input_value().replace('version: "1.0"', 'version: "2.0"', 1))
    owner.press("保存")
    owner.page.get_by_role("link", name="提出备案").click()
    owner.press("提出备案 A01 2.0")
    found = re.search(r"/w/cases/(\d+)", owner.page.url)
    assert found is not None
    owner.reads("已提出", "还没有抽取")
    return int(found[1])


def draws(maker: Person, case: int) -> None:
    maker.open(f"/w/panels/{case}")
    maker.page.get_by_label("绿色低碳生活").check()
    maker.press("随机抽取")
    maker.reads("名专家等待声明", "候选和回避", "怎样复算")
    assert list(barriers(maker.page)) == []
    maker.shot("panel-drawn")


def _names(founded: Province) -> dict[int, str]:
    users = {user_id: name for name, user_id in founded.stage.user_ids.items()}
    return {term.expert_number: users[term.user_id] for term in methodology.expert_terms()}


def recuses_one(founded: Province, case: int, experts: dict[str, Person]) -> PanelView:
    """Let the first who was called recuse, and the others declare."""
    names, panel = _names(founded), _panel(case)
    first = experts[names[panel.sitting[0].expert_number]]
    first.open("/w/")
    first.reads("声明利害关系")
    first.open(f"/w/reviews/{panel.panel_id}")
    first.page.get_by_label("有利害关系，申请回避").check()
    first.page.locator("[name=declaration]").fill("本人曾为申请单位提供咨询。")
    assert list(barriers(first.page)) == []
    first.shot("declaration")
    first.press("签名并提交声明")
    first.reads("您不在本案专家组中")
    for seat in _panel(case).sitting:
        expert = experts[names[seat.expert_number]]
        expert.open(f"/w/reviews/{panel.panel_id}")
        expert.page.get_by_label("没有利害关系").check()
        expert.page.locator("[name=declaration]").fill("本人及所在单位与本案无利害关系。")
        expert.press("签名并提交声明")
    return _panel(case)


def reviews(founded: Province, panel: PanelView, experts: dict[str, Person], *, score: str) -> None:
    """Have everybody on the panel score; the first remarks on a line and tries numbers of their own."""
    names = _names(founded)
    for place, seat in enumerate(panel.declared):
        expert = experts[names[seat.expert_number]]
        if place == 0 and score == "3":
            expert.open(f"/w/reviews/{panel.panel_id}/text?file=methodology.yaml&line=79#remark")
            expert.page.locator("[name=text]").fill("请说明基准因子的年份。")
            expert.press("写下意见")
            expert.reads("请说明基准因子的年份。")
            expert.open(f"/w/reviews/{panel.panel_id}/trial")
            expert.page.locator("#rows").fill("distance_km\n10\n")
            expert.press("试算并保存")
            expert.reads("520 g")
        expert.open(f"/w/reviews/{panel.panel_id}")
        for criterion in panel.criteria:
            expert.page.locator(f"[name=score_{criterion.code}]").select_option(score)
            expert.page.locator(f"[name=why_{criterion.code}]").fill("已核对。")
        expert.page.locator("[name=text]").fill("总体意见。")
        expert.page.locator("[name=recommendation][value=recommend]").check()
        if place == 0:
            assert list(barriers(expert.page)) == []
            expert.shot("review-sheet")
        expert.press("签名并提交评审意见")
        expert.reads("评审意见已提交")


def meets(
    founded: Province, maker: Person, case: int, experts: dict[str, Person], *, vote: str, conclusion: str
) -> None:
    """Record the meeting, store its minutes, vote and sign."""
    names, panel = _names(founded), _panel(case)
    maker.open(f"/w/panels/{case}")
    maker.page.locator("[name=place]").fill("第一会议室")
    maker.page.locator("[name=agenda]").fill("评审")
    for box in maker.page.locator("input[name=present]").all():
        box.check()
    maker.press("登记评审会")
    maker.page.locator("input[name=minutes]").set_input_files(
        {"name": "纪要.txt", "mimeType": "text/plain", "buffer": "纪要".encode()}
    )
    maker.press("存会议纪要")
    for seat in panel.declared:
        expert = experts[names[seat.expert_number]]
        expert.open(f"/w/reviews/{panel.panel_id}/meeting")
        expert.page.locator(f"input[name=vote][value={vote}]").check()
        expert.press("签名并表决")
    meeting = next(one for one in methodology.meetings(panel.panel_id) if one.signed_at is None)
    chair = experts[names[meeting.chair_number]]
    chair.open(f"/w/reviews/{panel.panel_id}/meeting")
    chair.page.locator(f"input[name=conclusion][value={conclusion}]").check()
    chair.page.locator("[name=opinion]").fill("评审会意见。")
    assert list(barriers(chair.page)) == []
    chair.shot(f"meeting-{conclusion}")
    chair.press("签署结论")
    chair.reads("已签署")


def answers_and_corrects(owner: Person, case: int) -> None:
    """Answer the remark, hand in a corrected version inside the case, and propose it again."""
    owner.open(f"/w/filings/{case}/remarks")
    owner.page.locator("textarea[name=text]").first.fill("取 2024 年值，已写进说明。")
    owner.press("答复")
    owner.reads("取 2024 年值，已写进说明。")
    assert list(barriers(owner.page)) == []
    owner.shot("remarks")
    owner.open(f"/w/cases/{case}")
    owner.page.get_by_role("link", name="开一份补正稿").click()
    owner.press("新开草稿")
    field = owner.page.locator("#text")
    field.fill(field.input_value().replace("max: 300", "max: 290", 1))
    owner.press("保存")
    owner.page.get_by_role("link", name="提出备案").click()
    owner.press("提交补正稿 A01 2.0")
    owner.reads("补正稿已放进办件", "补正以前的稿")
    decides(owner, case, "resubmit", "已按意见补正里程上限和因子说明。")


def objects(browser: Browser, founded: Province, case: int) -> None:
    """A citizen reads the notice and objects under their own name; the notice does not end while nobody answers."""
    with Person(browser, founded, "citizen", pictures=PICTURES / "filing") as person:
        person.sign_in_by_phone(founded.stage.citizens[0].phone)
        person.open("/notices/")
        person.page.get_by_role("link", name="A01").first.click()
        person.page.wait_for_url(re.compile(r"/notices/\d+$"))
        person.reads("抽取、回避、表决和保留意见", "评审记录.json")
        person.page.locator("input[name=kind][value=objection]").check()
        person.page.locator("[name=text]").fill(OBJECTION)
        person.page.locator("[name=name]").fill("李明")
        person.press("实名提交")
        person.reads("等待答复")
        person.shot("notice")
    assert workflow.case(case).state == "notice"
    assert end_notices(at=timezone.now() + timedelta(days=20)) == ()


def answers_the_objection(maker: Person, case: int) -> None:
    maker.open(f"/w/cases/{case}")
    maker.page.get_by_role("link", name=OBJECTION[:8]).click()
    maker.page.locator("input[name=upheld][value=no]").check()
    maker.page.locator("[name=text]").fill("里程按 2024 年调查，附在说明里；异议不成立。")
    maker.press("答复并公开")
    maker.reads("已答复，连同意见一起公开了。")
    assert workflow.case(case).state == "notice"


def files(regulator: Person, case: int) -> None:
    """File it with the rule for version 1.0."""
    decides(
        regulator, case, "file", "公示异议已答复，同意备案。", closed_from="2028-01-01", usable_until="2028-12-31"
    )  # fmt: skip
    regulator.reads("已备案")
    version = methodology.version(_panel(case).version_id)
    assert version.state == "filed"
    assert version.filing_number is not None


def reads_how_it_was_reviewed(reader: Person) -> None:
    reader.open("/methodologies/A01/2.0/review")
    reader.reads("推荐备案", "专家组怎样抽取", "声明有利害关系，回避")
    assert list(barriers(reader.page)) == []
    reader.shot("conclusion")
    reader.open("/methodologies/A01/1.0")
    reader.reads("备案和以后", "由新版本接替", "在办项目可用至")
    reader.shot("superseded")
    reader.open("/experts")
    reader.reads("专家库", "绿色低碳生活")
    reader.shot("experts")
