"""Closing one's account on the phone: what is lost and kept is said, what must be done first too, and one can stay."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.integration.behaviour.activity.test_plausibility import rule
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.foundation.identity import queries as identity
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.journeys import close_account
from tanpuhui.uses.rewards.operations import cancel_coupon, reserve_coupon

ADDRESS = "/m/me/close"


def key_on(page: bytes) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page.decode())
    assert found is not None
    return found[1]


def ask(client: Client) -> object:
    key = key_on(client.get(ADDRESS).content)
    return client.post(ADDRESS, {"idempotency_key": key}, follow=True)


def test_the_page_says_what_is_lost_what_stays_and_that_there_is_no_waiting_time(place: Place) -> None:
    place.ride(bus("R1"))
    page = text(place.client().get(ADDRESS).content)
    for words in ("）退回平台", "只剩一个编号", "先下载我的数据", "没有规定等待的天数", "保存多久还没有规定"):
        assert words in page, words
    assert ADDRESS in place.client().get("/m/me").content.decode()


def test_who_confirms_is_signed_out_once_it_is_done_and_is_nobody_here_any_more(place: Place) -> None:
    place.ride(bus("R1"))
    client = place.client()
    assert "正在办理" in text(ask(client).content)  # type: ignore[attr-defined]
    user_id = place.town.users["S1"]
    closure = identity.closure_of(user_id)
    assert closure is not None
    assert close_account(actor=SYSTEM, at=place.now, closure_id=closure.id).closed
    assert client.get("/m/me").status_code in {302, 403}
    assert identity.person(user_id).display_name == "已注销"
    assert identity.user_of_phone("13900000000") is None


def test_with_a_waiting_time_one_can_come_back(place: Place) -> None:
    rule("account.closure_days", "7", scope="")
    client = place.client()
    assert "7 天内" in text(client.get(ADDRESS).content)
    asked = text(ask(client).content)  # type: ignore[attr-defined]
    due = timezone.localtime(place.now + timedelta(days=7))
    assert f"{due:%Y-%m-%d %H:%M}" in asked
    shown = client.get(ADDRESS)
    assert "确认注销" not in text(shown.content)
    back = client.post(reverse("citizen:stay"), {"idempotency_key": key_on(shown.content)}, follow=True)
    assert "已撤回注销申请" in text(back.content)
    assert identity.closure_of(place.town.users["S1"]) is None
    again = client.post(reverse("citizen:stay"), {"idempotency_key": "another"})
    assert again.status_code == 409


def test_an_unused_coupon_comes_first(place: Place) -> None:
    place.ride(bus("R1"))
    user_id = place.town.users["S1"]
    coupon = reserve_coupon(
        actor=place.citizen("S1"), at=place.now, idempotency_key="c", good_id=place.good(), user_id=user_id
    )
    client = place.client()
    page = client.get(ADDRESS)
    assert "1 张券还没有用" in text(page.content)
    assert "确认注销" not in text(page.content)
    refused = client.post(ADDRESS, {"idempotency_key": "k"})
    assert refused.status_code == 409
    assert identity.closure_of(user_id) is None
    cancel_coupon(actor=place.citizen("S1"), at=place.now, idempotency_key="b", code=coupon.code)
    assert "确认注销" in text(client.get(ADDRESS).content)


def test_it_takes_a_fresh_sign_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    client = place.client()
    key = key_on(client.get(ADDRESS).content)
    session = client.session
    name = next(name for name, value in session.items() if isinstance(value, dict) and "opened_at" in value)
    stamp = dict(session[name])
    stamp["fresh_seconds"] = -1
    session[name] = stamp
    session.save()
    assert client.post(ADDRESS, {"idempotency_key": key}).status_code == 403
    assert identity.closure_of(place.town.users["S1"]) is None
