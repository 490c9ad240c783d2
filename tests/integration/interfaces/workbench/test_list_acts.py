"""Cases are passed on in a batch, filters are kept, and a list leaves as a file with its line in the audit."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from tests.integration.interfaces.workbench.conftest import LONG_AGO, NOW, PASSWORD, Desk

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import add_member
from tanpuhui.foundation.kernel.actors import SYSTEM, Role
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.models import Case, SavedFilter
from tanpuhui.interfaces.workbench.views import list_acts


@pytest.fixture
def office(desk: Desk) -> Desk:
    """Give the maker a colleague, and three cases that wait for makers."""
    centre = desk.cast.maker.grants[0].organisation_id
    assert centre is not None
    member = add_member(
        actor=SYSTEM, at=LONG_AGO, organisation_id=centre, username="colleague", display_name="同事甲", password=PASSWORD,
        role=Role.MAKER, area=desk.cast.maker.grants[0].area,
    )  # fmt: skip
    desk.users["colleague"] = User.objects.get(pk=member.user_id)
    for number in (1, 2, 3):
        opened = desk.cast.report(pool_id=number)
        desk.cast.decide(opened, "submit", desk.cast.owner)
        desk.cast.decide(opened, "verify", desk.cast.verifier)
    return desk


def html(desk: Desk, name: str, address: str) -> str:
    answer = desk.client(name).get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def post(desk: Desk, name: str, address: str, **data: Any) -> HttpResponse:
    return desk.client(name).post(address, {"idempotency_key": str(uuid.uuid4()), **data})  # type: ignore[return-value]


def picks(page: str) -> list[str]:
    return re.findall(r'name="pick" value="([\d:]+)"', page)


def test_picked_cases_go_to_the_colleague(office: Desk) -> None:
    picked = picks(html(office, "maker", "/w/"))
    assert len(picked) == 3
    answer = post(
        office, "maker", "/w/assign", pick=picked[:2], user_id=office.users["colleague"].pk, reason="出差"
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/w/")
    assert "2 件转给了您" in html(office, "colleague", "/w/")
    assert len(picks(html(office, "colleague", "/w/?held=me"))) == 2
    assert '待办 <span class="num">1</span> 件' in html(office, "maker", "/w/")


def test_the_second_sees_what_the_first_did(office: Desk) -> None:
    picked = picks(html(office, "maker", "/w/"))
    first = {"pick": picked[:1], "user_id": office.users["colleague"].pk, "reason": "先转"}
    assert post(office, "colleague", "/w/assign", **first).status_code == 303
    answer = post(office, "maker", "/w/assign", pick=picked, user_id=office.users["maker"].pk, reason="后转")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "2 件已转给" in page
    assert "1 件没有转" in page
    assert "Colleague" in page or "同事甲" in page


def test_a_broken_form_changes_nothing(office: Desk) -> None:
    for data in ({"pick": "x"}, {"pick": "1:2"}, {"pick": "1:0:0", "user_id": "x"}, {}):
        assert post(office, "maker", "/w/assign", reason="x", **data).status_code == 422
    assert not Case.objects.filter(assigned_to__isnull=False).exists()
    assert office.client("owner").post("/w/assign").status_code == 403


def test_who_works_alone_has_nobody_to_pass_to(office: Desk) -> None:
    office.cast.report(pool_id=9)
    assert picks(html(office, "owner", "/w/")) == []


def test_a_filter_is_kept_used_and_forgotten(desk: Desk) -> None:
    desk.cast.report()
    page = html(desk, "owner", "/w/?state=draft")
    assert "保存这个筛选" in page
    answer = desk.client("owner").post(
        "/w/filters", {"on": "inbox", "filter_name": "起草中", "state": "draft", "page": "7", "due": ""}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/w/?state=draft")
    row = SavedFilter.objects.get()
    assert (row.user_id, row.criteria) == (desk.users["owner"].pk, {"state": "draft"})
    page = html(desk, "owner", "/w/")
    assert '<a href="/w/?state=draft">起草中</a>' in page
    assert "起草中" not in html(desk, "other_owner", "/w/")
    assert "起草中</a>" not in html(desk, "owner", "/w/cases")
    desk.client("other_owner").post("/w/filters", {"on": "inbox", "forget": row.pk})
    assert SavedFilter.objects.exists(), "another person's filter is not theirs to delete"
    desk.client("owner").post("/w/filters", {"on": "inbox", "forget": row.pk})
    assert not SavedFilter.objects.exists()


def test_an_empty_filter_or_one_without_a_name_is_not_kept(desk: Desk) -> None:
    for data in (
        {"filter_name": "空"},
        {"filter_name": "", "state": "draft"},
        {"filter_name": "x" * 41, "state": "draft"},
    ):
        assert desk.client("owner").post("/w/filters", {"on": "inbox", **data}).status_code == 422


def sheet_of(answer: Any) -> Worksheet:
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    found = load_workbook(io.BytesIO(content)).active
    assert isinstance(found, Worksheet)
    return found


def test_a_list_leaves_with_its_line_in_the_audit(office: Desk) -> None:
    sheet = sheet_of(office.client("maker").get("/w/inbox.xlsx?process=issuance"))
    assert [cell.value for cell in sheet[1]][:3] == ["办件号", "事项", "名称"]
    assert sheet.max_row == 4
    assert sheet["G2"].is_date
    row = AuditRecord.objects.get(operation="workflow.record_export")
    assert row.subject == "export:inbox"
    assert row.result == {"page": "inbox", "criteria": {"process": "issuance"}, "lines": 3}
    assert row.actor_id == str(office.users["maker"].pk)


def test_a_file_holds_what_the_person_may_see_and_no_more(office: Desk) -> None:
    seen = {
        name: sheet_of(office.client(name).get("/w/cases.xlsx")).max_row - 1
        for name in ("maker", "other_owner", "owner")
    }
    assert seen == {"maker": 3, "other_owner": 0, "owner": 3}
    assert office.client("administrator").get("/w/cases.xlsx").status_code == 403


@pytest.mark.parametrize(
    "title", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x.example","按")', "\t=1", "甲\x07乙"]
)
def test_no_text_of_a_case_becomes_a_formula(office: Desk, title: str) -> None:
    Case.objects.update(title=title)
    sheet = sheet_of(office.client("maker").get("/w/cases.xlsx"))
    for row in sheet.iter_rows(min_row=2, max_col=6):
        assert {cell.data_type for cell in row} == {"s"}
    assert sheet["C2"].value == title.replace("\x07", "")


def test_what_is_too_much_for_one_file_is_said_in_its_last_line(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tanpuhui.foundation.workflow.queries import _lists

    monkeypatch.setattr(_lists, "EXPORT_LINES_MAX", 2)
    monkeypatch.setattr(workflow, "EXPORT_LINES_MAX", 2)
    sheet = sheet_of(office.client("maker").get("/w/cases.xlsx"))
    assert sheet.max_row == 4
    assert str(sheet["A4"].value).startswith("另有 1 件没有导出")


def test_the_board_leads_to_lists_of_the_same_length(office: Desk) -> None:
    page = html(office, "regulator", "/w/board")
    links = dict(re.findall(r'<a class="tx" href="(/w/cases\?[^"]+)">([\d,]+)</a>', page))
    assert links
    for address, count in links.items():
        listed = html(office, "regulator", address.replace("&amp;", "&"))
        assert len(set(re.findall(r'href="/w/cases/(\d+)"', listed))) == int(count.replace(",", "")), address
    assert office.client("owner").get("/w/board").status_code == 403


def test_the_board_is_english_when_asked(office: Desk) -> None:
    page = office.client("regulator", language="en").get("/w/board").content.decode()
    main = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.index("</main>")])
    assert not re.search(r"[\u4e00-\u9fff]", main), re.findall(r"[\u4e00-\u9fff]+", main)


def test_colleagues_are_those_of_the_same_role_and_organisation(office: Desk) -> None:
    from tanpuhui.foundation.identity.queries import actor_of

    actor = actor_of(user_id=office.users["maker"].pk, at=NOW)
    ids = [int(id_) for id_, _ in list_acts.colleagues(actor)]
    assert ids[0] == office.users["maker"].pk
    assert office.users["colleague"].pk in ids
    assert office.users["checker"].pk not in ids
