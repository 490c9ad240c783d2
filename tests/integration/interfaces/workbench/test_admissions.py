"""A programme's file goes over the desk: sent, judged, proposed by one, approved by another, with counts and no names."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.city_programme import file_of, member
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_scenario_pages import decided, english, number, post, ruled

from tanpuhui.behaviour.carbon_accounts import queries as accounts

__all__ = ["ruled"]


@pytest.fixture
def sent(ruled: Desk) -> int:
    """Send a file over the page and return its admission."""
    upload = SimpleUploadedFile(
        "members.csv", file_of(member(1), member(2), member(3, phone="12")), content_type="text/csv"
    )
    data: dict[str, object] = {"programme": str(ruled.partner_id), "as_of": "2026-10-31", "file": upload}
    return number(post(ruled.client("maker"), "send-admission", [], data, "s"))


def test_a_file_goes_from_the_desk_to_waiting_balances(ruled: Desk, sent: int) -> None:
    maker, checker = ruled.client("maker"), ruled.client("checker")
    page = maker.get(reverse("workbench:admission", args=[sent])).content.decode()
    assert "手机号不是 11 位数字" in page
    assert "提出迁入" in page
    report = b"".join(
        maker.get(reverse("workbench:admission-report", args=[sent])).streaming_content
    ).decode()  # type: ignore[attr-defined]
    assert "PHONE_INVALID" in report
    assert "139" not in report
    terms: dict[str, object] = {"budget": "1000", "payer": "某市", "reason": "已核对"}
    address = reverse("workbench:propose-admission", args=[sent])
    refused = maker.post(address, {**terms, "idempotency_key": "p0"})
    assert refused.status_code >= 400
    assert "折算率" in refused.content.decode()
    case_id = number(
        post(maker, "propose-admission", [sent], {**terms, "rate": "1/2", "rate_source": "纪要"}, "p")
    )
    sheet = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    assert "1/2" in sheet
    assert "一直等待" in sheet
    assert decided(checker, case_id, "approve", "a") == "approved"
    view = accounts.admission(sent)
    assert (view.state, view.of("waiting").count, view.of("waiting").points.value) == ("open", 2, 100)
    listed = checker.get(reverse("workbench:admissions")).content.decode()
    assert "等本人确认" in listed
    assert "送来文件" not in listed


def test_only_who_runs_the_area_or_the_programme_sees_it(ruled: Desk, sent: int) -> None:
    for name, status in (("partner", 200), ("regulator", 200), ("merchant", 403), ("owner", 403)):
        answer = ruled.client(name).get(reverse("workbench:admission", args=[sent]))
        assert answer.status_code == status, name
    assert ruled.client("checker").get(reverse("workbench:propose-admission", args=[sent])).status_code == 403


@pytest.mark.parametrize("name", ["admissions", "admission", "send-admission", "propose-admission"])
def test_the_pages_speak_english(ruled: Desk, sent: int, name: str) -> None:
    args = [sent] if name in {"admission", "propose-admission"} else []
    assert "programme" in english(ruled, reverse(f"workbench:{name}", args=args), "maker").lower() or args
