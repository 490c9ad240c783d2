"""The desk's part of an appeal about a record: what the case says, who sees the trips, and that opening them leaves a line."""

from __future__ import annotations

from typing import cast

import pytest
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.two_cities import two_cities

from tanpuhui.behaviour.carbon_accounts import queries as accounts

pytestmark = pytest.mark.django_db


def test_the_case_names_the_record_and_the_trips_stand_on_a_page_of_their_own(desk: Desk) -> None:
    here, there = two_cities(desk)
    desk.users["own"] = here.users["subcentre:maker"]
    desk.users["other"] = there.users["subcentre:maker"]
    desk.users["watcher"] = here.users["regulator:regulator"]
    number = cast("int", here.things["appeal_id"][0])
    case_id = accounts.appeal(number).case_id
    page = desk.client("own").get(f"/w/cases/{case_id}").content.decode()
    for word in ("申诉的记录", f"/w/appeals/{number}/record", "是另一趟车"):
        assert word in page, word
    record = desk.client("own").get(f"/w/appeals/{number}/record").content.decode()
    assert here.mark in record
    assert "这一天没有其他计入的记录" in record
    assert desk.client("other").get(f"/w/appeals/{number}/record").status_code == 404
    assert desk.client("watcher").get(f"/w/appeals/{number}/record").status_code == 403
    lines = (
        desk.client("regulator").get(f"/w/audit/disclosures?subject=record_appeal:{number}").content.decode()
    )
    assert [word in lines for word in ("办理记录申诉", "时刻、线路和站点、距离")] == [True, True]
