"""The inbox and the cases as people narrow, search and page them."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.integration.foundation.workflow.many_cases import copy_first_case
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow.models import Case
from tanpuhui.interfaces.workbench.views import inbox

QUERIES_MAX = 32


def html(desk: Desk, name: str, address: str, *, language: str = "zh-hans") -> str:
    answer = desk.client(name, language=language).get(address)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def rows(page: str) -> list[str]:
    return re.findall(r'<a href="/w/cases/(\d+)">', page)


def test_the_inbox_is_narrowed_by_state_deadline_area_and_text(desk: Desk) -> None:
    opened = [desk.cast.report(pool_id=number) for number in (1, 2, 3)]
    Case.objects.filter(pk=opened[0].case_id).update(deadline_day=business_day(NOW))
    everything = {str(one.case_id) for one in opened}
    assert set(rows(html(desk, "owner", "/w/"))) == everything
    for narrowed, found in (
        ("due=today", {str(opened[0].case_id)}),
        ("due=unset", everything - {str(opened[0].case_id)}),
        ("due=overdue", set()),
        ("held=nobody", everything),
        ("held=me", set()),
        ("state=draft", everything),
        (f"text={opened[1].case_number}", {str(opened[1].case_id)}),
        ("area=880000", set()),
        ("process=issuance&sort=newest", everything),
    ):
        page = html(desk, "owner", f"/w/?{narrowed}")
        assert set(rows(page)) == found, narrowed
        assert f"筛选出 {len(found)} 件" in page or narrowed.endswith("newest")
    assert "没有符合筛选条件的事项" in html(desk, "owner", "/w/?due=overdue")
    assert '待办 <span class="num">3</span> 件' in html(desk, "owner", "/w/?due=overdue"), (
        "the sentence counts all"
    )


def test_the_inbox_is_paged_and_the_count_is_that_of_the_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        desk.cast.report(pool_id=number)
    monkeypatch.setattr(inbox, "PER_PAGE", 2)
    pages = [html(desk, "owner", f"/w/?page={number}") for number in (1, 2, 3, 4)]
    assert [len(rows(page)) for page in pages] == [2, 2, 1, 0]
    assert len({row for page in pages for row in rows(page)}) == 5
    assert "第 2 页，共 3 页，5 件" in pages[1]


def test_an_unknown_choice_in_the_address_is_answered_with_what_is_wrong(desk: Desk) -> None:
    answer = desk.client("owner").get("/w/?due=sometimes")
    assert answer.status_code == 422
    assert "INVALID" in answer.content.decode()
    assert desk.client("owner").get("/w/?page=x").status_code == 200


def test_a_search_marks_what_it_found_and_finds_two_characters(desk: Desk) -> None:
    opened = desk.cast.report()
    title = Case.objects.get(pk=opened.case_id).title
    word = re.findall(r"[\u4e00-\u9fff]{2}", title)[0]
    page = html(desk, "regulator", f"/w/cases?q={word}")
    assert f'href="/w/cases/{opened.case_id}"' in page
    assert f"<mark>{word}</mark>" in page
    assert "找到 1 件" in page
    assert "没有编号、名称或机构含" in html(desk, "regulator", "/w/cases?q=鹳鸟")


def test_the_cases_are_narrowed_by_progress(desk: Desk) -> None:
    opened = desk.cast.report()
    assert str(opened.case_id) in html(desk, "maker", "/w/cases?status=running&process=issuance")
    assert "没有符合筛选条件的办件" in html(desk, "maker", "/w/cases?status=closed&process=issuance")


def test_both_lists_are_english_when_asked(desk: Desk) -> None:
    desk.cast.report()
    for address in ("/w/", "/w/cases", "/w/cases?text=zzz", "/w/?due=overdue"):
        page = html(desk, "maker", address, language="en")
        filters = (
            page[page.index('class="nrw"') : page.index("</form>", page.index('class="nrw"'))]
            if 'class="nrw"' in page
            else ""
        )
        assert not re.search(r"[\u4e00-\u9fff]", filters), address


def test_a_thousand_cases_are_asked_for_as_often_as_ten(desk: Desk) -> None:
    desk.cast.report()
    pages = (
        ("owner", "/w/"),
        ("owner", "/w/?text=2026&due=unset"),
        ("maker", "/w/cases"),
        ("maker", "/w/cases?q=2026"),
        ("owner", "/w/cases?q=2026&page=2"),
        ("regulator", "/w/board"),
    )
    counts: list[list[int]] = []
    for more in (99, 900):
        copy_first_case(more)
        counts.append([queries_of(desk, *page) for page in pages])
    assert counts[0] == counts[1], "from one page full on, more cases are not more queries"
    assert max(counts[0]) <= QUERIES_MAX


def queries_of(desk: Desk, name: str, address: str) -> int:
    client = desk.client(name)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
