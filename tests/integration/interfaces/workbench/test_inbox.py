"""The inbox says what waits, and asks the database the same number of questions however much it is."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.integration.interfaces.workbench.conftest import Desk

QUERIES_MAX = 40


def queries_of(desk: Desk, name: str) -> int:
    client = desk.client(name)
    client.get("/w/")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get("/w/").status_code == 200
    return len(captured)


def test_more_cases_are_not_more_queries(desk: Desk) -> None:
    desk.cast.report(pool_id=1)
    few = queries_of(desk, "owner")
    for pool_id in range(2, 12):
        desk.cast.report(pool_id=pool_id)
    assert queries_of(desk, "owner") == few <= QUERIES_MAX


def test_the_sentence_counts_and_the_row_names_the_next_step(desk: Desk) -> None:
    opened = desk.cast.report()
    page = desk.client("owner").get("/w/").content.decode()
    assert '待办 <span class="num">1</span> 件' in page
    assert f'href="/w/cases/{opened.case_id}">提交</a>' in page
    assert "已等" in page
    assert "没有待办" in desk.client("verifier").get("/w/").content.decode()
    desk.cast.decide(opened, "submit", desk.cast.owner)
    assert opened.case_number in desk.client("verifier").get("/w/").content.decode()


@pytest.mark.parametrize(("kind", "shown"), [("issuance", True), ("methodology_filing", False)])
def test_a_tab_shows_its_kind_only(desk: Desk, kind: str, shown: bool) -> None:
    opened = desk.cast.report()
    page = desk.client("owner").get(f"/w/?process={kind}").content.decode()
    assert (f'href="/w/cases/{opened.case_id}"' in page) is shown
