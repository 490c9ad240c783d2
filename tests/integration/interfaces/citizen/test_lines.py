"""Each line of the statement says what it is and why; points by their last day; the statement as a file."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from django.urls import reverse
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.books.ledger.operations import AccountDayLegs, post_account_days
from tanpuhui.books.ledger.queries import EntryView
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.interfaces.citizen.line_words import line_name
from tanpuhui.uses.rewards.operations import reserve_coupon


def account_of(place: Place) -> int:
    return accounts.account_of_user(place.town.users["S1"]).ledger_account_id


def line_of(place: Place, kind: str) -> EntryView:
    return next(one for one in ledger.entries(account_of(place), limit=20) if one.kind == kind)


def page_of(place: Place, kind: str, *, language: str = "zh-hans") -> str:
    line = line_of(place, kind)
    address = reverse("citizen:line", args=(line.day.isoformat(), line.journal_id))
    return text(place.client(language=language).get(address).content)


def owes_and_pays(place: Place) -> None:
    """Spend 80 of 87 points, have 40 taken back of which 7 are there, and ride again."""
    place.ride(bus("R1"), bus("R2", started="2026-11-18T18:00:00+08:00"))
    good_id = place.good(price=80)
    reserve_coupon(
        actor=place.citizen("S1"),
        at=place.now,
        idempotency_key="c1",
        good_id=good_id,
        user_id=place.town.users["S1"],
    )
    day = line_of(place, "posting").day
    one = np.array([1], np.int64)
    post_account_days(
        kind="record_exception", reference="exception:1", at=place.now, system_code="scheme:credited",
        legs=AccountDayLegs(
            account_id=one * account_of(place), day=np.array([day], "datetime64[D]"), grams=one * 0,
            points=one * -40, n_records=one,
        ),
    )  # fmt: skip
    place.ride(bus("R3", started="2026-11-17T08:00:00+08:00"), key="k2")


def test_a_posting_line_lists_its_own_records(place: Place) -> None:
    place.ride(bus("R1"), bus("R2", started="2026-11-18T18:00:00+08:00"), bus("R9", "S2"))
    page = page_of(place, "posting")
    assert "减排记录入账" in page
    assert "872 g" in page
    assert page.count("436 g") == 2
    line = line_of(place, "posting")
    address = reverse("citizen:line", args=(line.day.isoformat(), line.journal_id))
    assert (
        address
        in place.client()
        .get(reverse("citizen:record", args=(place.record().posting_id, place.record().row)))
        .content.decode()
    )


def test_nobody_else_sees_a_line(place: Place) -> None:
    place.ride(bus("R1"))
    line = line_of(place, "posting")
    address = reverse("citizen:line", args=(line.day.isoformat(), line.journal_id))
    assert place.client("S2").get(address).status_code == 404
    assert place.client().get(reverse("citizen:line", args=("tomorrow", 1))).status_code == 404


def test_a_debt_is_paid_by_the_next_credit_and_told_plainly(place: Place) -> None:
    owes_and_pays(place)
    assert ledger.clawback_due(account_of(place))[1] == Points(0)
    assert line_of(place, "clawback_settlement").points == Points(-33)
    page = page_of(place, "clawback_settlement")
    assert "抵扣待追回" in page
    assert "记录冲回或恢复，当时没收回 33 分。" in page
    assert "这一次抵扣后已经还清。" in page
    statement = text(place.client().get("/m/records?month=2026-11").content)
    assert "抵扣待追回" in statement
    assert "与账本一致" in statement
    assert "Paid off what was due" in page_of(place, "clawback_settlement", language="en")


def test_the_file_has_every_line_with_running_balances_and_nobody_elses(place: Place) -> None:
    owes_and_pays(place)
    answer = place.client().get(reverse("citizen:statement-file") + "?month=2026-11")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement-2026-11.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["日期", "类别", "减排量（g）", "积分"]
    held = ledger.balance(account_of(place))
    assert [int(rows[-1][5]), int(rows[-1][6])] == [held.grams.value, held.points.value]
    assert {row[1] for row in rows[1:]} == {"减排记录入账", "兑换商品", "记录冲回或恢复", "抵扣待追回"}
    year = place.client().get(reverse("citizen:statement-file") + "?year=2026").content
    assert year == answer.content
    others = place.client("S2").get(reverse("citizen:statement-file") + "?month=2026-11").content
    assert others.decode().count("\n") == 1


@pytest.mark.parametrize("asked", ["year=0", "year=x", "month=2026-13"])
def test_a_span_that_is_none_is_refused(place: Place, asked: str) -> None:
    assert place.client().get(reverse("citizen:statement-file") + f"?{asked}").status_code in {400, 422}


def test_points_are_listed_by_the_day_they_lapse(place: Place) -> None:
    place.ride(bus("R1"), bus("R2", started="2026-10-05T08:00:00+08:00"))
    held = accounts.points_held(place.town.users["S1"], at=place.now)
    page = text(place.client().get(reverse("citizen:points")).content)
    assert [lot.points for lot in held.lots] == [Points(43), Points(43)]
    assert "2026-10-05 到账" in page
    assert held.validity_days is None or f"可用到 {held.lots[0].expires_on:%Y-%m-%d}" in page
    assert page.index("2026-10-05") < page.index("2026-11-18")


def test_no_kind_of_line_shows_its_code() -> None:
    kinds = (
        "posting",
        "recalculation",
        "record_exception",
        "clawback_settlement",
        "points_expiry",
        "coupon_reserved",
    )
    assert all("_" not in line_name(kind) and line_name(kind) != line_name("unheard_of") for kind in kinds)
    assert line_name("unheard_of") == "账户变动"
