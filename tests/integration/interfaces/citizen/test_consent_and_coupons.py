"""Consents given and withdrawn, and the way from points to a coupon and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from tests.integration.behaviour.activity.test_standing import change
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_own_data import fresh
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.identity.models import Consent
from tanpuhui.foundation.identity.queries.consent_texts import TextRow
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.uses.rewards import queries as rewards
from tanpuhui.uses.rewards.operations import honour_coupon


def points(place: Place, subject: str = "S1") -> Points:
    return ledger.balance(accounts.account_of_user(place.town.users[subject]).ledger_account_id).points


def test_a_consent_is_withdrawn_and_given_again_with_the_version_of_its_text(place: Place) -> None:
    client, user_id = place.client(), place.town.users["S1"]
    assert "撤回授权" in text(client.get("/m/scenes/bus").content)
    asked = text(client.get("/m/scenes/bus/withdraw").content)
    assert "已经入账的克数和积分不变" in asked
    assert client.post("/m/scenes/bus/withdraw", {"idempotency_key": "w"}).status_code == 303
    assert identity.consents_of(user_ids=[user_id], scenario="bus")[user_id][-1][1] == place.now
    page = text(client.get("/m/scenes/bus").content)
    assert "文本版本 2026-1" in page
    assert "由灯塔出行提供" in page
    assert "里程" in page
    stale = client.post("/m/scenes/bus/consent", {"idempotency_key": "g0", "text_version": "1999-1"})
    assert stale.status_code == 409
    assert "请重新阅读" in text(stale.content)
    given = client.post("/m/scenes/bus/consent", {"idempotency_key": "g", "text_version": "2026-1"})
    assert (given.status_code, given["Location"]) == (303, "/m/scenes/bus")
    standing = Consent.objects.get(user_id=user_id, scenario="bus", withdrawn_at__isnull=True)
    in_force = identity.consent_text(identity.SCENARIO, at=place.now)
    assert (standing.text_version, standing.text_sha256) == ("2026-1", in_force.sha256())


def test_without_a_wording_the_page_says_so_and_offers_no_consent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = place.client()
    client.post("/m/scenes/bus/withdraw", {"idempotency_key": "w"})
    assert "同意，授权" in text(client.get("/m/scenes/bus").content)

    def none_yet(purpose: str, *, at: datetime) -> TextRow:
        raise identity.ConsentTextMissing(purpose=purpose, day=at.date().isoformat())

    monkeypatch.setattr(identity, "consent_text", none_yet)
    page = text(client.get("/m/scenes/bus").content)
    assert "现在不能授权" in page
    assert "同意，授权" not in page


def test_after_withdrawing_the_details_are_erased_on_request_and_the_record_stays(place: Place) -> None:
    place.ride(bus("R1"))
    client = place.client()
    assert client.get("/m/scenes/bus/erase")["Location"] == "/m/scenes/bus"
    client.post("/m/scenes/bus/withdraw", {"idempotency_key": "w"})
    assert "删除行程明细" in text(client.get("/m/scenes/bus").content)
    asked = text(client.get("/m/scenes/bus/erase").content)
    assert "保留：日期、城市、核算用的数量、克数和积分" in asked
    before = place.record()
    assert before.started_at is not None
    stale = fresh(client, place, seconds=-1).post("/m/scenes/bus/erase", {"idempotency_key": "s"})
    assert (stale.status_code, place.record().started_at) == (403, before.started_at)
    fresh(client, place)
    done = client.post("/m/scenes/bus/erase", {"idempotency_key": "e"}, follow=True)
    assert "已删除“bus”的行程明细（1 条记录）。克数和积分不变。" in text(done.content)
    after = place.record()
    assert (after.started_at, after.record_id, after.grams) == (None, "", before.grams)
    assert f"{after.day:%Y-%m-%d}" in text(client.get(f"/m/records/{after.posting_id}/{after.row}").content)
    assert client.get(f"/m/records?month={after.day:%Y-%m}").status_code == 200
    english = fresh(place.client(language="en"), place).post(
        "/m/scenes/bus/erase", {"idempotency_key": "f"}, follow=True
    )
    assert "There are no details to erase" in text(english.content)


def test_a_scenario_tells_its_rule_its_cap_and_its_partner(place: Place) -> None:
    place.ride(bus("R1"))
    page = text(place.client().get("/m/scenes/bus").content)
    assert "基准排放 = 里程 × 基准因子" in page
    assert "每日次数上限 6" in page
    assert "可信度 ENG" in page
    assert "灯塔出行" in page
    assert "最近一批 11-20 10:00 送到" in page
    assert place.client().get("/m/scenes/ferry").status_code == 404


def test_a_suspended_scenario_says_so_and_why(place: Place) -> None:
    change(place.now, "suspended", place.now.date())
    client = place.client()
    assert "2026-11-20 起暂停，暂停期间的记录不计入" in text(client.get("/m/scenes").content)
    page = text(client.get("/m/scenes/bus").content)
    assert "暂停期间的记录不计入" in page
    assert "数据异常，核查中" in page


def test_without_any_consent_home_leads_to_the_scenes(place: Place) -> None:
    client = place.client()
    for code in ("bus", "bike"):
        client.post(f"/m/scenes/{code}/withdraw", {"idempotency_key": code})
    page = client.get("/m/").content.decode()
    assert "还没有授权任何场景" in page
    assert reverse("citizen:scenes") in page


def test_points_become_a_coupon_and_come_back_when_it_is_cancelled(place: Place) -> None:
    place.ride(bus("R1"))
    good_id, client = place.good(), place.client()
    assert "公交周卡" in text(client.get("/m/mall").content)
    assert "还有 5 份" in text(client.get(f"/m/mall/{good_id}").content)
    confirm = client.get(f"/m/mall/{good_id}/redeem")
    assert re.search(r"现有\s*43 分.*−30 分.*兑换后\s*13 分", text(confirm.content))
    assert "自兑换起 30 天" in text(confirm.content)
    key = re.search(r'name="idempotency_key" value="([^"]+)"', confirm.content.decode())
    assert key is not None
    done = client.post(f"/m/mall/{good_id}/redeem", {"idempotency_key": key[1]})
    (coupon,) = rewards.coupons_of(place.town.users["S1"])
    assert (done.status_code, done["Location"]) == (303, f"/m/coupons/{coupon.code}")
    twice = client.post(f"/m/mall/{good_id}/redeem", {"idempotency_key": key[1]})
    assert twice["Location"] == done["Location"]
    assert points(place) == Points(13)
    ticket = client.get(done["Location"])
    assert f"{coupon.code[:4]} {coupon.code[4:8]} {coupon.code[8:]}" in text(ticket.content)
    assert ticket.context["address"] == f"https://carbon.example/r/{coupon.code}"
    assert 'class="qr"' in ticket.content.decode()
    assert "还剩 30 天" in text(ticket.content)
    assert "用去 30 积分" in text(ticket.content)
    returned = client.post(f"/m/coupons/{coupon.code}/cancel", {"idempotency_key": "back"})
    assert returned.status_code == 303
    assert points(place) == Points(43)
    assert "已取消" in text(client.get(f"/m/coupons/{coupon.code}").content)
    assert 'class="qr"' not in client.get(f"/m/coupons/{coupon.code}").content.decode()
    assert "公交周卡" in text(client.get("/m/coupons?state=cancelled").content)
    assert "没有待使用的券" in text(client.get("/m/coupons").content)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A good, how many of it the person had, and the refusal that the next one meets."""

    price: int
    stock: int = 5
    limit: int | None = None
    had: int = 0
    code: str
    words: str


@pytest.mark.parametrize(
    "offered",
    [
        Offered(price=44, code="NOT_ENOUGH_POINTS", words="这件商品要 44 积分，你现有 43 积分"),
        Offered(price=10, stock=1, had=1, code="OUT_OF_STOCK", words="已经换完了，积分没有扣"),
        Offered(price=10, limit=1, had=1, code="LIMIT_REACHED", words="每人限兑 1 份，你已经兑换了 1 份"),
    ],
    ids=lambda offered: offered.code,
)
def test_a_refused_redemption_says_why_on_the_page_and_takes_nothing(place: Place, offered: Offered) -> None:
    place.ride(bus("R1"))
    good_id = place.good(price=offered.price, stock=offered.stock, limit=offered.limit)
    client, address = place.client(), f"/m/mall/{good_id}/redeem"
    for number in range(offered.had):
        client.post(address, {"idempotency_key": f"had-{number}"})
    before = points(place)
    refused = client.post(address, {"idempotency_key": "one too many"})
    assert refused.status_code == 409
    page = text(refused.content)
    assert offered.code in page
    assert offered.words in page
    assert points(place) == before
    assert len(rewards.coupons_of(place.town.users["S1"])) == offered.had


def test_too_few_points_are_said_before_the_button(place: Place) -> None:
    place.ride(bus("R1"))
    good_id, client = place.good(price=44), place.client()
    assert "还差 1 分" in text(client.get("/m/mall").content)
    assert "还差 1 分" in text(client.get(f"/m/mall/{good_id}").content)
    assert " disabled" in client.get(f"/m/mall/{good_id}/redeem").content.decode()


def test_another_persons_coupon_is_not_found(place: Place) -> None:
    place.ride(bus("R1"))
    good_id = place.good()
    place.client().post(f"/m/mall/{good_id}/redeem", {"idempotency_key": "k"})
    (coupon,) = rewards.coupons_of(place.town.users["S1"])
    other = place.client("S2")
    assert other.get(f"/m/coupons/{coupon.code}").status_code == 404
    assert other.get(f"/m/coupons/{coupon.code}/cancel").status_code == 404
    assert other.post(f"/m/coupons/{coupon.code}/cancel", {"idempotency_key": "x"}).status_code == 404
    assert other.get("/m/coupons/000000000000").status_code == 404
    assert other.get("/m/coupons/123").status_code == 404
    assert rewards.coupon(coupon.code).state == "reserved"


def test_a_used_coupon_cannot_be_cancelled_and_an_overdue_one_shows_no_code(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.ride(bus("R1"))
    good_id, client = place.good(price=20), place.client()
    for key in ("a", "b"):
        client.post(f"/m/mall/{good_id}/redeem", {"idempotency_key": key})
    waiting, used = rewards.coupons_of(place.town.users["S1"])
    honour_coupon(actor=place.clerk, at=place.now, idempotency_key="h", code=used.code)
    assert "这张券已核销，不能再用" in text(client.get(f"/m/coupons/{used.code}").content)
    refused = client.post(f"/m/coupons/{used.code}/cancel", {"idempotency_key": "c"})
    assert refused.status_code == 409
    assert "COUPON_USED" in text(refused.content)
    monkeypatch.setattr("django.utils.timezone.now", lambda: place.now + timedelta(days=31))
    client = place.client()
    late = client.get(f"/m/coupons/{waiting.code}")
    assert 'class="qr"' not in late.content.decode()
    assert "已过有效期，积分会在夜间退回" in text(late.content)
    assert "公交周卡" in text(client.get("/m/coupons?state=expired").content)
