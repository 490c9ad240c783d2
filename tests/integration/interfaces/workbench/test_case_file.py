"""The page of a case: its file, what stands in the way of a decision, what was written when somebody else was first."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from tests.integration.foundation.workflow.made_up_province import ADMISSION
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_chain import post

from tanpuhui.config import wiring
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import (
    NO_EFFECT,
    assign_case,
    install_effects,
    install_guards,
    open_case,
    remark,
)

OUTCOMES = ("accept", "return", "resubmit", "withdraw", "admit")


@pytest.fixture
def admission(desk: Desk, settings: Settings, tmp_path: Path, invented_jurisdiction: Path) -> Iterator[int]:
    """Open a case of a process that demands a guard, attachments and values, by the owner's organisation."""
    folder = tmp_path / "jurisdiction"
    shutil.copytree(invented_jurisdiction, folder)
    (folder / "processes" / "admission.yaml").write_text(ADMISSION, encoding="utf-8")
    settings.TANPUHUI_JURISDICTION_DIR = folder
    load_jurisdiction(actor=SYSTEM, at=timezone.now(), folder=folder)
    install_effects({("thing", outcome): NO_EFFECT for outcome in OUTCOMES})
    install_guards({("thing", "sample_passed"): lambda **_: None})
    yield open_case(
        actor=SYSTEM,
        at=timezone.now(),
        process="admission",
        subject_type="thing",
        subject_id="1",
        title="公交场景准入",
        area="990000",
        organisation_id=desk.cast.owner_id,
    ).case_id
    wiring.install()


def send(
    client: Client, case_id: int, content: bytes, *, name: str = "样本报告.pdf", kind: str = "sample_report"
) -> Any:
    upload = SimpleUploadedFile(name, content)
    return post(client, f"/w/cases/{case_id}/attachments", kind=kind, file=upload)


def page_of(client: Client, case_id: int) -> str:
    return client.get(f"/w/cases/{case_id}").content.decode()


def test_a_case_without_a_rule_for_its_time_says_so(desk: Desk) -> None:
    page = page_of(desk.client("owner"), desk.cast.report().case_id)
    assert "未设定" in page


def test_a_button_that_would_be_refused_stays_and_says_why(desk: Desk, admission: int) -> None:
    page = page_of(desk.client("maker"), admission)
    assert 'value="accept" required disabled' in page
    assert "还缺附件：样本数据报告、会议纪要" in page
    assert "下一步要求的材料还缺" in page
    owner = desk.client("owner")
    send(owner, admission, b"%PDF-1.7 one")
    send(owner, admission, b"%PDF-1.7 two", name="纪要.pdf", kind="minutes")
    page = page_of(desk.client("maker"), admission)
    assert 'value="accept" required disabled' not in page

    def refuse(**_: object) -> None:
        raise Invalid(field="sample", why="样本没有通过 / the sample failed")

    install_guards({("thing", "sample_passed"): refuse})
    page = page_of(desk.client("maker"), admission)
    assert 'value="accept" required disabled' in page
    assert "样本没有通过" in page


def test_the_values_a_decision_asks_for_are_entered_kept_and_told(desk: Desk, admission: int) -> None:
    for name, kind in (("样本报告.pdf", "sample_report"), ("纪要.pdf", "minutes")):
        send(desk.client("owner"), admission, b"%PDF", name=name, kind=kind)
    post(desk.client("maker"), f"/w/cases/{admission}", decision="accept", opinion="样本齐全", seen_step=0)
    checker = desk.client("checker")
    assert "过渡期至" in page_of(checker, admission)
    wrong = post(
        checker,
        f"/w/cases/{admission}",
        **{
            "decision": "admit",
            "opinion": "同意准入",
            "seen_step": 1,
            "value:admit:transition_until": "2027-01-31",
            "value:admit:batches_a_day": "三",
        },
    )
    said = wrong.content.decode()
    assert "VALUE_WRONG" in said
    assert 'value="2027-01-31"' in said, "what was right stays entered"
    assert ">同意准入</textarea>" in said
    done = post(
        checker,
        f"/w/cases/{admission}",
        **{
            "decision": "admit",
            "opinion": "同意准入",
            "seen_step": 1,
            "value:admit:transition_until": "2027-01-31",
            "value:admit:batches_a_day": "3",
            "value:return:anything": "of another button",
        },
    )
    assert done.status_code == 303
    assert workflow.case(admission).state == "live"
    assert "2027-01-31" in page_of(checker, admission)


def test_an_attachment_comes_back_as_it_went_in_and_never_runs_in_the_page(
    desk: Desk, admission: int
) -> None:
    owner = desk.client("owner")
    content = b"<script>alert(1)</script>"
    assert send(owner, admission, content, name="说明.txt", kind="other").status_code == 303
    (paper,) = workflow.attachments_of(admission)
    address = f"/w/cases/{admission}/attachments/{paper.attachment_id}"
    assert address in page_of(owner, admission)
    answer = owner.get(address)
    assert hashlib.sha256(b"".join(answer.streaming_content)).hexdigest() == paper.sha256  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Content-Type"] == "text/plain"


def test_an_attachment_is_for_those_who_see_its_case_and_for_no_other_case(
    desk: Desk, admission: int
) -> None:
    send(desk.client("owner"), admission, b"%PDF")
    (paper,) = workflow.attachments_of(admission)
    address = f"/w/cases/{admission}/attachments/{paper.attachment_id}"
    assert desk.client("maker").get(address).status_code == 200
    for outsider in ("other_owner", "partner", "merchant"):
        assert desk.client(outsider).get(address).status_code == 404
    other = desk.cast.report().case_id
    assert desk.client("owner").get(f"/w/cases/{other}/attachments/{paper.attachment_id}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"), [("page.html", b"x"), ("tool.exe", b"x"), ("noend", b"x"), ("empty.pdf", b"")]
)
def test_a_file_that_a_case_does_not_take_is_refused_with_what_it_takes(
    desk: Desk, admission: int, name: str, content: bytes
) -> None:
    answer = send(desk.client("owner"), admission, content, name=name)
    assert answer.status_code in {409, 422}
    assert workflow.attachments_of(admission) == ()


def test_a_new_version_stands_above_the_earlier(desk: Desk, admission: int) -> None:
    owner = desk.client("owner")
    send(owner, admission, b"%PDF one")
    send(owner, admission, b"%PDF two")
    page = page_of(owner, admission)
    assert "以前的 1 版" in page
    first, second = workflow.attachments_of(admission)
    assert page.index(second.sha256) < page.index(first.sha256)


def test_whoever_answers_a_remark_too_late_sees_the_first_answer_and_keeps_the_text(
    desk: Desk, admission: int
) -> None:
    address = f"/w/cases/{admission}/remarks"
    assert post(desk.client("maker"), address, item="第 3 条", text="单位不一致").status_code == 303
    (asked,) = workflow.case_file(admission).remarks
    remark(
        actor=desk.cast.owner,
        at=timezone.now(),
        idempotency_key=None,
        case_id=admission,
        item="第 3 条",
        text="同事先答了",
        answers=asked.remark_id,
    )
    late = post(
        desk.client("owner"),
        address,
        item="第 3 条",
        text="我写了很久的答复",
        answers=asked.remark_id,
        seen_answer=0,
    )
    page = late.content.decode()
    assert late.status_code == 409
    assert "REMARK_ANSWERED" in page
    assert "同事先答了" in page
    assert ">我写了很久的答复</textarea>" in page
    (asked,) = workflow.case_file(admission).remarks
    assert f'name="seen_answer" value="{asked.last_answer}"' in page, "the second try has seen it"


def test_whoever_assigns_too_late_sees_who_was_first_and_keeps_the_reason(desk: Desk, admission: int) -> None:
    maker, user = desk.client("maker"), desk.users["maker"]
    page = maker.get(f"/w/cases/{admission}/assign").content.decode()
    assert "Maker（我）" in page
    assert "Owner" not in page
    assign_case(
        actor=desk.cast.maker, at=timezone.now(), idempotency_key=None, case_id=admission, user_id=user.pk,
        reason="轮到他", seen_step=0,
    )  # fmt: skip
    sent = {"user_id": user.pk, "reason": "我来办这件事", "seen_step": 0}
    late = post(maker, f"/w/cases/{admission}/assign", **sent, seen_act=0)
    said = late.content.decode()
    assert late.status_code == 409
    assert "CASE_TAKEN" in said
    assert "轮到他" in said
    assert "我来办这件事</textarea>" in said
    seen = workflow.case_file(admission).last_assignment
    assert post(maker, f"/w/cases/{admission}/assign", **sent, seen_act=seen).status_code == 303
    assert "现由 Maker 办理" in page_of(maker, admission)


def test_who_may_not_take_the_step_assigns_to_nobody(desk: Desk, admission: int) -> None:
    page = desk.client("checker").get(f"/w/cases/{admission}/assign").content.decode()
    assert "不能转办" in page
    assert f"/w/cases/{admission}/assign" not in page_of(desk.client("checker"), admission)


def test_urging_following_and_a_deadline_are_told_in_the_history(desk: Desk, admission: int) -> None:
    owner, maker = desk.client("owner"), desk.client("maker")
    assert post(owner, f"/w/cases/{admission}/urge", text="等了两周").status_code == 303
    again = post(owner, f"/w/cases/{admission}/urge", text="还在等")
    assert "URGED_TODAY" in again.content.decode()
    assert "还在等</textarea>" in again.content.decode()
    assert post(maker, f"/w/cases/{admission}/deadline", working_days=3, reason="急件").status_code == 303
    page = page_of(maker, admission)
    assert "等了两周" in page
    assert "定期限 3 个工作日" in page
    assert "期限由经办人员设定" in page
    assert post(owner, f"/w/cases/{admission}/follow", follow="yes").status_code == 303
    assert 'name="follow" value="no"' in page_of(owner, admission)
    post(owner, f"/w/cases/{admission}/follow", follow="no")
    assert 'name="follow" value="yes"' in page_of(owner, admission)


def test_only_the_centre_sets_a_deadline(desk: Desk, admission: int) -> None:
    assert desk.client("owner").get(f"/w/cases/{admission}/deadline").status_code == 403
    assert f"/w/cases/{admission}/deadline" not in page_of(desk.client("owner"), admission)


@pytest.mark.parametrize("path", ["", "/assign", "/urge", "/deadline"])
def test_a_case_out_of_sight_has_no_pages(desk: Desk, admission: int, path: str) -> None:
    assert desk.client("other_owner").get(f"/w/cases/{admission}{path}").status_code in {403, 404}


def test_the_help_page_draws_every_way_and_marks_where_the_case_stands(desk: Desk, admission: int) -> None:
    page = desk.client("owner").get(f"/w/processes/admission?case={admission}").content.decode()
    assert page.count('class="prc-b') == 5
    assert 'class="prc-b prc-now"' in page
    assert "样本数据报告" in page
    assert "过渡期至" in page
    assert "10 个工作日（依据：test）" in page
    assert "未设定" in page
    assert "退回补正" in page
    other = desk.client("other_owner")
    assert other.get(f"/w/processes/admission?case={admission}").status_code == 404
    assert 'class="prc-b prc-now"' not in other.get("/w/processes/admission").content.decode()
    assert other.get("/w/processes/nonsense").status_code >= 400


def test_the_number_of_queries_of_a_case_does_not_grow_with_its_file(desk: Desk, admission: int) -> None:
    owner = desk.client("owner")
    counts = []
    for round_ in range(2):
        for number in range(1 + 5 * round_):
            send(owner, admission, f"%PDF {number} {round_}".encode())
            post(owner, f"/w/cases/{admission}/remarks", item=f"第 {number} 条", text="有问题")
        with CaptureQueriesContext(connection) as captured:
            owner.get(f"/w/cases/{admission}")
        counts.append(len(captured))
    assert counts[0] == counts[1]
