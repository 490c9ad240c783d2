"""On the desk: a party appeals, somebody else decides, and what was wrong is corrected or rescinded by two persons."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_chain import post

from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide


def returned(desk: Desk) -> int:
    """Return a report that the verifier sent back."""
    case_id = desk.cast.report().case_id
    for actor, outcome, opinion in (
        (desk.cast.owner, "submit", "提交"),
        (desk.cast.verifier, "return", "数据不全，退回"),
    ):
        decide(
            actor=actor, at=timezone.now(), idempotency_key=None, case_id=case_id, outcome=outcome, opinion=opinion
        )  # fmt: skip
    return case_id


def page_of(desk: Desk, who: str, case_id: int, *, language: str = "zh-hans") -> str:
    answer = desk.client(who, language=language).get(f"/w/cases/{case_id}")
    assert answer.status_code == 200
    return answer.content.decode()


def act(desk: Desk, who: str, case_id: int, outcome: str, opinion: str = "同意") -> None:
    done = post(
        desk.client(who),
        f"/w/cases/{case_id}",
        decision=outcome,
        opinion=opinion,
        seen_step=workflow.case(case_id).step,
    )
    assert done.status_code == 303, re.findall(r'rf-m">([^<]*)', done.content.decode())


def test_from_an_appeal_to_a_rescinded_decision(desk: Desk) -> None:
    case_id = returned(desk)
    assert f"/w/cases/{case_id}/appeal" in page_of(desk, "owner", case_id)
    form = desk.client("owner").get(f"/w/cases/{case_id}/appeal").content.decode()
    assert "规则没有规定申诉的时限" in form
    assert "行政复议" in form
    assert (
        post(desk.client("owner"), f"/w/cases/{case_id}/appeal", reason="数据齐全，见附表").status_code == 303
    )
    (appeal,) = workflow.case_file(case_id).related
    page = page_of(desk, "checker", appeal.case_id)
    assert "数据不全，退回" in page, "the opinion appealed against"
    assert "数据齐全，见附表" in page
    act(desk, "checker", appeal.case_id, "admit", "在合理时间内提出，予以受理")
    act(desk, "checker", appeal.case_id, "uphold", "附表确已随报告提交")
    amendment = next(
        one for one in workflow.case_file(case_id).related if one.process == "decision_amendment"
    )
    act(desk, "maker", amendment.case_id, "propose_rescission", "申诉成立")
    act(desk, "regulator", amendment.case_id, "confirm_rescission")
    assert workflow.case(case_id).state == "submitted"
    page = page_of(desk, "owner", case_id)
    assert "撤销第 2 步的决定" in page
    assert "这一决定已在第 3 步撤销" in page


def test_the_party_sees_their_appeal_and_not_the_papers_of_the_amendment(desk: Desk) -> None:
    case_id = returned(desk)
    post(desk.client("owner"), f"/w/cases/{case_id}/appeal", reason="数据齐全")
    post(
        desk.client("maker"), f"/w/cases/{case_id}/amend", kind="correction", wording="数据不全（附表缺 10 月），退回", reason="补写理由",
        decision_id=workflow.timeline(case_id)[-1].decision_id,
    )  # fmt: skip
    processes = {one.process: one for one in workflow.case_file(case_id).related}
    owner, maker = page_of(desk, "owner", case_id), page_of(desk, "maker", case_id)
    assert processes["appeal"].number in owner
    assert processes["decision_amendment"].number not in owner
    assert processes["decision_amendment"].number in maker
    assert desk.client("owner").get(f"/w/cases/{processes['decision_amendment'].case_id}").status_code == 404
    assert desk.client("other_owner").get(f"/w/cases/{processes['appeal'].case_id}").status_code == 404


def test_a_corrected_wording_is_shown_beside_the_first(desk: Desk) -> None:
    case_id = returned(desk)
    decision_id = workflow.timeline(case_id)[-1].decision_id
    sent = {"decision_id": decision_id, "kind": "correction", "reason": "补写理由"}
    refused = post(desk.client("maker"), f"/w/cases/{case_id}/amend", **sent, wording="")
    assert "VALUE_MISSING" in refused.content.decode()
    assert "补写理由</textarea>" in refused.content.decode()
    post(desk.client("maker"), f"/w/cases/{case_id}/amend", **sent, wording="数据不全（附表缺 10 月），退回")
    (amendment,) = workflow.case_file(case_id).related
    page = page_of(desk, "checker", amendment.case_id)
    assert "拟更正为" in page
    act(desk, "checker", amendment.case_id, "confirm_correction")
    page = page_of(desk, "owner", case_id)
    assert "数据不全，退回" in page
    assert "更正（第 2 版）：数据不全（附表缺 10 月），退回" in page
    english = page_of(desk, "owner", case_id, language="en")
    assert "Corrected (version 2)" in english


def test_what_was_issued_says_what_to_do_instead(desk: Desk) -> None:
    report_id = desk.cast.issued(tonnes=10).report_id
    (view,) = workflow.cases_of("monitoring_report", str(report_id))
    case_id = view.case_id
    page = post(
        desk.client("maker"), f"/w/cases/{case_id}/amend", kind="rescission", reason="有误", wording="",
        decision_id=workflow.timeline(case_id)[-1].decision_id,
    ).content.decode()  # fmt: skip
    assert "CANNOT_RESCIND" in page
    assert "冻结或作废" in page
    assert workflow.case(case_id).state == "issued"


@pytest.mark.parametrize(
    ("who", "path"), [("owner", "amend"), ("checker", "appeal"), ("administrator", "amend")]
)
def test_each_form_is_for_those_it_is_meant_for(desk: Desk, who: str, path: str) -> None:
    case_id = returned(desk)
    assert desk.client(who).get(f"/w/cases/{case_id}/{path}").status_code in {403, 404}
