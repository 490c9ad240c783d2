"""这 436 g 怎么来的: the person's own numbers, the cap, the points apart, and nobody else's record."""

from __future__ import annotations

from django.urls import reverse
from tests.integration.behaviour.activity.town import CITY, bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.kernel.quantities import Grams


def address(place: Place, subject: str = "S1") -> str:
    record = place.record(subject)
    return reverse("citizen:record", args=(record.posting_id, record.row))


def test_it_shows_exactly_the_numbers_of_the_ride(place: Place) -> None:
    place.ride(bus("R1"), bus("R2", started="2026-11-18T18:00:00+08:00"))
    page = text(place.client().get(address(place)).content)
    assert "这 436 g 怎么来的" in page
    assert "8.4 km" in page
    assert "0.104 " in page
    assert "0.052 " in page
    assert "8.4 × 0.104 − 8.4 × 0.052 = 0.4368" in page
    assert "向下取整到克436 " in page.replace("克 436", "克436")
    assert "余 0.8 g 随记录留存，不累计" in page
    assert "可信度 M" in page
    assert "京津冀取值" in page
    assert "演示值，不用于正式核算" in page
    assert "2 笔，共 872 g" in page
    assert "87 分" in page
    assert "每克 1/10 分，按天合计后向下取整" in page
    assert "灯塔出行 11-18 18:00" in page
    assert "每日次数上限 6" in page


def test_it_compares_baseline_and_actual(place: Place) -> None:
    place.ride(bus("R1"))
    html = place.client().get(address(place)).content.decode()
    assert "基准排放 873.6 g，实际排放 436.8 g，少排 436.8 g" in html


def test_it_gives_the_fingerprint_and_its_log_entry(place: Place) -> None:
    place.ride(bus("R1"))
    record = place.record()
    digest = activity.posting(record.posting_id).hash
    html = place.client().get(address(place)).content.decode()
    assert digest in html
    assert "公开日志" in html
    assert reverse("portal:methodology", args=("A01", "1.0")) in html


def test_nobody_else_sees_a_record(place: Place) -> None:
    place.ride(bus("R1"), bus("R2", "S2"))
    assert place.client("S2").get(address(place)).status_code == 404
    assert place.client("S1").get(address(place)).status_code == 200
    assert place.client("S1").get("/m/records/999999/1").status_code == 404


def bike(record_id: str, km: str, minute: int) -> str:
    return f"{record_id},S1,bike,2026-11-18T08:{minute:02d}:00+08:00,,{CITY},{km},3600,bike"


def test_a_record_that_met_the_cap_says_how_much_of_it_counted(place: Place) -> None:
    place.ride(bike("B1", "14", 0), bike("B2", "14", 20), bike("B3", "14", 40))
    last = place.record()
    assert last.verdict == "clipped"
    page = text(place.client().get(address(place)).content)
    assert "部分计入，超过上限的不计" in page
    assert "上限还剩，按它计入2 km" in page.replace("计入 2", "计入2")
    assert "记录 14 km，超出上限的部分不计" in page
    statement = text(place.client().get("/m/records?month=2026-11").content)
    assert "部分计入，超过上限的不计" in statement
    assert "与账本一致" in statement


def test_a_record_above_the_number_of_trips_is_not_counted_and_says_so(place: Place) -> None:
    place.ride(*(bus(f"R{n}", started=f"2026-11-18T0{n}:00:00+08:00") for n in range(1, 8)))
    last = place.record()
    assert (last.verdict, last.grams) == ("clipped", Grams(0))
    page = text(place.client().get(address(place)).content)
    assert "这 0 g 怎么来的" in page
    assert "上限已满，没有计入" in page
    assert "未计入，已到上限" in page
    assert accounts.home(place.town.users["S1"], at=place.now).grams == Grams(6 * 436)


def test_it_speaks_english(place: Place) -> None:
    place.ride(bus("R1"))
    page = text(place.client(language="en").get(address(place)).content)
    assert "Where these 436 g come from" in page
    assert "Rounded down to whole grams" in page
    assert "Beijing-Tianjin-Hebei value" in page
    assert "confidence M" in page
