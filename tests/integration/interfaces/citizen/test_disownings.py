"""The phone pages of a record that is not one's own: from the record to the decision, and how it then stands."""

from __future__ import annotations

import pytest
from django.conf import settings
from tests.integration.behaviour.activity.town import bus
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_appeals import CHECKER, MAKER, decided, key_in
from tests.integration.interfaces.citizen.test_pages import text

from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.messages.queries import messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wordings(place: Place) -> None:
    load_templates(actor=SYSTEM, at=place.now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    place.ride(bus("R1"))


def test_from_the_record_to_the_decision(place: Place) -> None:
    phone, record = place.client(), place.record()
    address = f"/m/records/{record.posting_id}/{record.row}"
    assert f"{address}/not-mine" in phone.get(address).content.decode()
    form = phone.get(f"{address}/not-mine").content.decode()
    assert "这条记录不是你的？" in form
    empty = phone.post(f"{address}/not-mine", {"idempotency_key": key_in(form), "statement": " "})
    assert (empty.status_code, "said" in empty.content.decode()) == (409, True)
    sent = phone.post(
        f"{address}/not-mine", {"idempotency_key": "other", "statement": "卡借给了家人"}, follow=True
    )
    page = text(sent.content)
    assert ("已提交" in page, "处理中" in page, "卡借给了家人" in page) == (True, True, True)
    (view,) = accounts.disownings_of_user(place.town.users["S1"])
    assert "这不是我的：处理中" in text(phone.get(address).content)
    assert f"/m/disownings/{view.id}" in phone.get("/m/appeals").content.decode()

    decided(view.case_id, "examine", MAKER, place.now)
    decided(view.case_id, "uphold", CHECKER, place.now)

    page = text(phone.get(f"/m/disownings/{view.id}").content)
    assert ("uphold的理由" in page, "属实，已冲回" in page) == (True, True)
    page = text(phone.get(address).content)
    assert ("已冲回，不再计入" in page, "已入账" in page, "这不是我的" in page) == (True, False, False)
    told = messages_of(place.town.users["S1"])
    assert phone.get(told[0].link)["Location"] == f"/m/disownings/{view.id}"


def test_who_takes_it_back_may_say_it_again(place: Place) -> None:
    phone, record = place.client(), place.record()
    address = f"/m/records/{record.posting_id}/{record.row}/not-mine"
    phone.post(address, {"idempotency_key": "a", "statement": "不是我"})
    (view,) = accounts.disownings_of_user(place.town.users["S1"])
    page = phone.get(f"/m/disownings/{view.id}").content.decode()
    phone.post(f"/m/disownings/{view.id}", {"idempotency_key": key_in(page)})
    assert phone.post(address, {"idempotency_key": "b", "statement": "不是我"}).status_code == 303


def test_nobody_sees_or_says_it_of_somebody_elses_record(place: Place) -> None:
    record = place.record()
    place.client().post(
        f"/m/records/{record.posting_id}/{record.row}/not-mine",
        {"idempotency_key": "a", "statement": "不是我"},
    )
    (view,) = accounts.disownings_of_user(place.town.users["S1"])
    other = place.client("S2")
    assert other.get(f"/m/disownings/{view.id}").status_code == 404
    assert other.get(f"/m/records/{record.posting_id}/{record.row}/not-mine").status_code == 404
