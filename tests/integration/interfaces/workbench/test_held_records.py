"""The desk's page of held records: who sees it, what it shows, and what a decision does."""

from __future__ import annotations

import re
from datetime import date

import pytest
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.operations import settle_day
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.rulebook.models import Parameter

pytestmark = pytest.mark.django_db


def held(desk: Desk) -> int:
    """Send three rides that are longer than the rule allows, and return the set that they make."""
    Parameter.objects.create(
        key="intake.distance_km_max", scope="bus", value="150", unit="km", basis="测试", confidence="DEMO", note="",
        pack="test", rank=9, valid_from=date(2018, 1, 1),
    )  # fmt: skip
    desk.send(desk.rides(3))
    (one,) = queries.held_sets()
    return one.id


def test_a_maker_reviews_a_set_and_lets_all_but_one_row_count(desk: Desk) -> None:
    waiting_id = held(desk)
    maker = desk.client("maker")
    assert "太远" in maker.get("/w/held").content.decode()
    page = maker.get(f"/w/held/{waiting_id}").content.decode()
    assert "200 &gt; 150 km" in page
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key is not None
    given = {
        "decision": "release",
        "rows": "3",
        "opinion": "已向数据方核实",
        "idempotency_key": key[1],
    }
    wrong = maker.post(f"/w/held/{waiting_id}", given | {"rows": "three"})
    assert (wrong.status_code, "行号是整数" in wrong.content.decode()) == (422, True)
    done = maker.post(f"/w/held/{waiting_id}", given, follow=True).content.decode()
    assert "2 行计入，1 行不计入" in done
    assert "没有要复核的记录" in done
    settle_day(actor=SYSTEM, at=NOW, day=date(2026, 10, 1))
    (settled,) = queries.day_settlements(day=date(2026, 10, 1))
    assert (settled.rows, settled.counted, settled.reasons) == (3, 2, {"REFUSED_IN_REVIEW": 1})


def test_who_opened_a_set_or_took_a_report_stands_in_the_record_of_handings_over(desk: Desk) -> None:
    waiting_id = held(desk)
    batch_id = queries.held_set(waiting_id).batch_id
    desk.client("maker").get(f"/w/held/{waiting_id}")
    b"".join(desk.client("checker").get(f"/w/batches/{batch_id}/rows.csv"))
    watcher = desk.client("regulator")
    assert "/w/audit/disclosures" in watcher.get("/w/audit").content.decode()
    page = watcher.get("/w/audit/disclosures").content.decode()
    assert [word in page for word in (f"waiting:{waiting_id}", "复核待复核记录", "时刻、区县、距离")] == [
        True
    ] * 3
    one = watcher.get(f"/w/audit/disclosures?subject=batch:{batch_id}").content.decode()
    assert ("下载批次报告" in one, f"waiting:{waiting_id}" in one) == (True, False)
    assert desk.client("maker").get("/w/audit/disclosures").status_code == 403


def test_others_of_the_centre_read_and_partners_stay_outside(desk: Desk) -> None:
    waiting_id = held(desk)
    reader = desk.client("checker").get(f"/w/held/{waiting_id}")
    assert (reader.status_code, "复核决定" in reader.content.decode()) == (200, False)
    assert desk.client("checker").post(f"/w/held/{waiting_id}").status_code == 403
    assert desk.client("partner").get(f"/w/held/{waiting_id}").status_code == 403
