"""The committee through its pages: pool, draw, recusal, opinions, remarks with answers, correction, meeting, notice, number."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.utils import timezone
from tests.integration.interfaces.workbench.conftest import NOW, PASSWORD, Desk

from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import add_member
from tanpuhui.foundation.identity.queries import organisations
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import end_notices
from tanpuhui.science.methodology import queries as methodology
from tanpuhui.science.methodology.queries import PanelView

FREE = {"free": "yes", "declaration": "本人及单位无利害关系"}


@dataclass(kw_only=True)
class Committee:
    """The desk with four experts of the pool and one filing before them."""

    desk: Desk
    case_id: int = 0
    names: dict[int, str] = field(default_factory=dict)

    @property
    def panel(self) -> PanelView:
        found = methodology.panel_of_case(self.case_id)
        assert found is not None
        return found

    def post(self, name: str, address: str, **data: Any) -> HttpResponse:
        return self.desk.client(name).post(address, {"idempotency_key": str(uuid.uuid4()), **data})  # type: ignore[return-value]

    def read(self, name: str, address: str, *, language: str = "zh-hans") -> str:
        answer = self.desk.client(name, language=language).get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.content.decode()

    def decide(self, name: str, outcome: str) -> HttpResponse:
        step = workflow.case(self.case_id).step
        return self.post(
            name, f"/w/cases/{self.case_id}", decision=outcome, opinion="已核对。", seen_step=step
        )

    def appoint(self, number: int) -> None:
        """Propose and appoint one expert through the pages."""
        body = organisations(kind="expert_body")[0]
        name = f"expert{number}"
        if name not in self.desk.users:
            made = add_member(
                actor=SYSTEM, at=NOW - timedelta(days=1), organisation_id=body.id, username=name,
                display_name=f"专家{number}", password=PASSWORD, role=Role.EXPERT, area=body.area,
            )  # fmt: skip
            self.desk.users[name] = User.objects.get(pk=made.user_id)
        answer = self.post(
            "maker", "/w/experts/new",
            person=f"{self.desk.users[name].pk}-{body.id}", title="教授", employer_name=f"单位{number}",
            employer_uscc=complete_uscc("91990000", f"MB00080{number}"), fields_=["living"],
            term_from="2026-11-01", term_to="2027-10-31",
        )  # fmt: skip
        assert answer.status_code == 303, answer.content.decode()
        opened = int(answer.headers["Location"].rsplit("/", 1)[1])
        assert "单位" in self.read("regulator", f"/w/cases/{opened}")
        answer = self.post(
            "regulator", f"/w/cases/{opened}", decision="appoint", opinion="同意聘任。", seen_step=0
        )
        assert answer.status_code == 303
        term = methodology.expert_terms()[0]
        self.names[term.expert_number] = name

    def sitting(self) -> list[str]:
        return [self.names[seat.expert_number] for seat in self.panel.sitting]

    def review(self, name: str, **changes: str) -> HttpResponse:
        codes = [criterion.code for criterion in self.panel.criteria]
        given = {f"score_{code}": "4" for code in codes} | {f"why_{code}": "依据充分" for code in codes}
        given |= {"text": "总体可行", "recommendation": "recommend", "act": "submit", **changes}
        return self.post(name, f"/w/reviews/{self.panel.panel_id}", **given)

    def meet(self, conclusion: str, votes: dict[str, str]) -> None:
        """Record the meeting, store its minutes, vote and sign."""
        here = [seat.expert_number for seat in self.panel.declared]
        answer = self.post(
            "maker", f"/w/panels/{self.case_id}/meetings",
            held_at="2026-11-20T09:00", place="第一会议室", agenda="评审", present=here, chair=here[0],
        )  # fmt: skip
        assert answer.status_code == 303, answer.content.decode()
        meeting_id = methodology.meetings(self.panel.panel_id)[0].meeting_id
        file = SimpleUploadedFile("纪要.txt", "纪要".encode(), content_type="text/plain")
        address = f"/w/panels/{self.case_id}/meetings/{meeting_id}/minutes"
        assert self.post("maker", address, minutes=file).status_code == 303
        base = f"/w/reviews/{self.panel.panel_id}/meeting"
        for number in here:
            name = self.names[number]
            given = {"vote": votes.get(name, "for"), "dissent": "基准偏高" if name in votes else ""}
            assert self.post(name, f"{base}/{meeting_id}/vote", **given).status_code == 303
        wrong = "reject" if conclusion != "reject" else "return"
        chair = self.names[here[0]]
        refused = self.post(chair, f"{base}/{meeting_id}/sign", conclusion=wrong, opinion="意见")
        assert refused.status_code in {409, 422}
        assert "按表决规则" in refused.content.decode()
        signed = self.post(chair, f"{base}/{meeting_id}/sign", conclusion=conclusion, opinion="评审会意见")
        assert signed.status_code == 303


@pytest.fixture
def committee(desk: Desk) -> Committee:
    made = Committee(desk=desk)
    for number in range(1, 5):
        made.appoint(number)
    made.case_id = desk.proposed().case_id
    return made


def test_a_filing_goes_from_proposal_to_number_through_its_pages(
    committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = committee.read("expert", f"/w/cases/{committee.case_id}")
    assert '<msub><mi class="v">EF</mi><mi class="s" mathvariant="normal">bus</mi></msub>' in seen
    assert "未设值" in seen
    assert committee.decide("maker", "accept").status_code == 303
    address = f"/w/panels/{committee.case_id}"
    assert "随机抽取" in committee.read("maker", address)
    assert "由运营中心的经办岗抽取" in committee.read("regulator", address)
    assert committee.post("maker", f"{address}/draw", fields_=["sinks"]).status_code in {409, 422}
    assert committee.post("maker", f"{address}/draw", fields_=["living"]).status_code == 303
    assert committee.panel.seed in committee.read("checker", address)
    decline_and_declare(committee)
    keep_opinions_apart(committee)
    remark_and_answer(committee)
    committee.meet("recommend", {committee.sitting()[1]: "against"})
    page = committee.read("maker", address)
    assert "推荐备案" in page
    assert "基准偏高" in page
    minutes = re.search(rf"{address}/meetings/\d+/minutes/file", page)
    assert minutes is not None
    answer = committee.desk.client("maker").get(minutes[0])
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert committee.decide("maker", "conclude").status_code == 303
    later = NOW + timedelta(days=7)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert end_notices(at=later) == (committee.case_id,)
    unsaid = committee.decide("regulator", "file")
    assert unsaid.status_code == 409
    assert "在办项目可以用到哪一天" in unsaid.content.decode()
    step = workflow.case(committee.case_id).step
    filed = committee.post(
        "regulator", f"/w/cases/{committee.case_id}", decision="file", opinion="同意备案。", seen_step=step,
        **{"value:file:closed_from": "2027-01-01", "value:file:usable_until": "2027-06-30"},
    )  # fmt: skip
    assert filed.status_code == 303, filed.content.decode()
    assert workflow.case(committee.case_id).state == "filed"
    assert "还没有评审费" not in committee.read(committee.sitting()[0], "/w/reviews")


def decline_and_declare(committee: Committee) -> None:
    panel_id = committee.panel.panel_id
    first, *others = committee.sitting()
    inbox = committee.read(first, "/w/")
    assert f"/w/reviews/{panel_id}" in inbox
    assert "声明利害关系" in inbox
    given = {"free": "no", "declaration": "持有申请单位股份"}
    assert committee.post(first, f"/w/reviews/{panel_id}/declare", **given).status_code == 303
    assert "您不在本案专家组中" in committee.read(first, f"/w/reviews/{panel_id}")
    assert len(committee.sitting()) == 3
    for name in committee.sitting():
        assert committee.post(name, f"/w/reviews/{panel_id}/declare", **FREE).status_code == 303
    assert set(others) < set(committee.sitting())


def keep_opinions_apart(committee: Committee) -> None:
    panel_id = committee.panel.panel_id
    first, second, third = committee.sitting()
    whole = committee.review(first, why_additional="")
    assert whole.status_code == 422
    assert committee.review(first, why_additional="", act="save").status_code == 303
    assert "只保存" in committee.read(first, f"/w/reviews/{panel_id}")
    assert committee.review(first, text="首位专家的意见").status_code == 303
    hidden = committee.read(second, f"/w/reviews/{panel_id}/meeting")
    assert "首位专家的意见" not in hidden
    assert "您提交自己的意见以后" in hidden
    assert committee.review(second).status_code == 303
    assert "首位专家的意见" in committee.read(second, f"/w/reviews/{panel_id}/meeting")
    assert committee.decide("maker", "conclude").status_code == 409
    assert committee.review(third).status_code == 303


def remark_and_answer(committee: Committee) -> None:
    panel_id = committee.panel.panel_id
    name = committee.sitting()[0]
    text = f"/w/reviews/{panel_id}/text"
    wrong = committee.post(name, text, file="methodology.yaml", line="9999", text="越界")
    assert wrong.status_code == 422
    made = committee.post(name, text, file="methodology.yaml", line="79", text="请说明基准因子的年份")
    assert made.status_code == 303
    assert "请说明基准因子的年份" in committee.read(name, f"{text}?file=methodology.yaml")
    remark = methodology.remarks(panel_id)[0]
    remarks = f"/w/filings/{committee.case_id}/remarks"
    page = committee.read("maker", remarks)
    assert "请说明基准因子的年份" in page
    assert remark.name not in page[page.index("<main") :]
    answered = committee.post("maker", remarks, remark=remark.remark_id, text="取 2024 年值")
    assert answered.status_code == 303
    assert "取 2024 年值" in committee.read(name, f"{text}?file=methodology.yaml")
    trial = f"/w/reviews/{panel_id}/trial"
    assert committee.post(name, trial, rows="distance_km\n10\n0\n", note="零里程").status_code == 303
    kept = committee.read(name, trial)
    assert "520" in kept
    assert "DISTANCE_NOT_POSITIVE" in kept


def test_an_expert_is_taken_off_by_two_people(committee: Committee) -> None:
    committee.decide("maker", "accept")
    address = f"/w/panels/{committee.case_id}"
    committee.post("maker", f"{address}/draw", fields_=["living"])
    number = committee.panel.sitting[0].expert_number
    proposed = committee.post("maker", f"{address}/exclusions", expert=number, reason="任申请单位顾问")
    assert proposed.status_code == 303
    (waiting,) = methodology.exclusions(committee.panel.panel_id)
    assert "确认移出" in committee.read("checker", address)
    assert "确认移出" not in committee.read("maker", address)
    confirm = f"{address}/exclusions/{waiting.exclusion_id}"
    assert committee.post("maker", confirm).status_code == 403
    assert committee.post("checker", confirm).status_code == 303
    assert number not in {seat.expert_number for seat in committee.panel.sitting}


def test_what_is_not_an_experts_is_missing_for_them(committee: Committee) -> None:
    committee.decide("maker", "accept")
    committee.post("maker", f"/w/panels/{committee.case_id}/draw", fields_=["living"])
    outside = next(name for name in committee.names.values() if name not in committee.sitting())
    for tail in ("", "/text", "/trial", "/meeting"):
        address = f"/w/reviews/{committee.panel.panel_id}{tail}"
        assert committee.desk.client(outside).get(address).status_code == 404
        assert committee.desk.client("maker").get(address).status_code == 403
    assert committee.desk.client("owner").get(f"/w/filings/{committee.case_id}/remarks").status_code == 404
    assert committee.desk.client("owner").get(f"/w/panels/{committee.case_id}").status_code == 403
    assert committee.desk.client(outside).get("/w/experts").status_code == 403


def test_interests_are_declared_withdrawn_and_a_term_ends(committee: Committee) -> None:
    refused = committee.post("expert1", "/w/reviews/interests/new", kind="organisation", reference="123")
    assert refused.status_code == 422
    made = committee.post("expert1", "/w/reviews/interests/new", kind="methodology", reference="A01")
    assert made.status_code == 303
    page = committee.read("expert1", "/w/reviews")
    assert "A01" in page
    withdraw = re.search(r"/w/reviews/interests/\d+/withdraw", page)
    assert withdraw is not None
    assert committee.post("expert1", withdraw[0]).status_code == 303
    term = methodology.expert_terms()[0]
    assert "解聘" in committee.read("regulator", f"/w/experts/{term.expert_number}")
    ended = committee.post("regulator", f"/w/experts/terms/{term.term_id}/end", reason="本人请辞")
    assert ended.status_code == 303
    assert "已解聘" in committee.read("maker", "/w/experts")


def test_the_pages_of_the_committee_speak_english_when_asked(committee: Committee) -> None:
    committee.decide("maker", "accept")
    committee.post("maker", f"/w/panels/{committee.case_id}/draw", fields_=["living"])
    name, panel_id = committee.sitting()[0], committee.panel.panel_id
    declared = committee.read(name, f"/w/reviews/{panel_id}", language="en")
    assert "Sign and declare" in declared
    committee.post(name, f"/w/reviews/{panel_id}/declare", **FREE)
    pages = {
        name: ("/w/reviews", f"/w/reviews/{panel_id}", f"/w/reviews/{panel_id}/trial", f"/w/reviews/{panel_id}/meeting", "/w/reviews/interests/new"),
        "maker": ("/w/panels", f"/w/panels/{committee.case_id}", "/w/experts", "/w/experts/new", f"/w/filings/{committee.case_id}/remarks"),
    }  # fmt: skip
    data = {"公交出行", "教授", "单位", "本人及单位无利害关系", "虚构", "专家", "黄海", "号", "机构", "中文"}
    for who, addresses in pages.items():
        for address in addresses:
            page = committee.read(who, address, language="en")
            main = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
            left = [
                word
                for word in re.findall(r"[\u4e00-\u9fff]+", main)
                if not any(known in word for known in data)
            ]
            assert left == [], (address, left)
