"""The phone pages of an appeal: from the record that does not count to the reasons of the decision."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from tests.integration.behaviour.activity.sources import DAY, ride, rule, source
from tests.integration.interfaces.citizen.conftest import Place
from tests.integration.interfaces.citizen.test_pages import HAN, text

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import RecordRef, exclude_records, settle_day
from tanpuhui.behaviour.activity.queries import SetAsideView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.messages.queries import messages_of
from tanpuhui.foundation.workflow.operations import decide, tell_of_decision
from tanpuhui.foundation.workflow.queries import latest_decision

pytestmark = pytest.mark.django_db
MAKER = Actor(kind="user", id="9001", grants=(Grant(role=Role.MAKER, area="990000"),))
CHECKER = Actor(kind="user", id="9010", grants=(Grant(role=Role.CHECKER, area="990000"),))


@pytest.fixture
def lost(place: Place) -> SetAsideView:
    """Give a ride of S1 that counted only by another partner's record."""
    load_templates(actor=SYSTEM, at=place.now, folder=settings.TANPUHUI_JURISDICTION_DIR)
    rule("intake.settle_days", "1", "bus")
    rule("intake.activity_kind", "travel/bus", "bus")
    rule("intake.clock_tolerance_s", "300")
    one, two = source(place.town, 4, 1), source(place.town, 5, 2)
    one.post(ride(one, "A1", "08:00", "08:30"), at=place.now)
    two.post(ride(two, "B1", "08:02", "08:33"), at=place.now + timedelta(minutes=1))
    settle_day(actor=SYSTEM, at=place.now, day=DAY)
    account = accounts.account_of_user(place.town.users["S1"])
    (found,) = activity.set_aside_of_account(
        account_id=account.ledger_account_id, first_day=DAY, last_day=DAY
    )
    return found


def key_in(page: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def decided(case_id: int, outcome: str, actor: Actor, at: datetime) -> None:
    decide(
        actor=actor, at=at, idempotency_key=None, case_id=case_id, outcome=outcome, opinion=f"{outcome}的理由"
    )
    last = latest_decision(case_id)
    assert last is not None
    tell_of_decision(actor=SYSTEM, at=at, case_id=case_id, decision_id=last.decision_id)


def test_from_the_records_to_the_appeal_and_its_result(place: Place, lost: SetAsideView) -> None:
    phone = place.client()
    address = f"/m/records/not-counted/{lost.waiting_id}/{lost.row}/appeal"
    assert address in phone.get(f"/m/records?month={DAY:%Y-%m}").content.decode()
    form = phone.get(address).content.decode()
    assert "同一次出行已由另一来源报来" in form
    given = {"idempotency_key": key_in(form), "statement": "  "}
    empty = phone.post(address, given)
    assert (empty.status_code, "said" in empty.content.decode()) == (409, True)
    sent = phone.post(address, {"idempotency_key": "other", "statement": "这是另一趟车"}, follow=True)
    page = text(sent.content)
    assert ("申诉已提交" in page, "处理中" in page, "这是另一趟车" in page) == (True, True, True)
    (view,) = accounts.appeals_of_user(place.town.users["S1"])
    assert f"/m/appeals/{view.id}" in phone.get(f"/m/records?month={DAY:%Y-%m}").content.decode()

    decided(view.case_id, "examine", MAKER, place.now)
    assert "examine的理由" not in text(phone.get(f"/m/appeals/{view.id}").content)
    decided(view.case_id, "dismiss", CHECKER, place.now)
    page = text(phone.get(f"/m/appeals/{view.id}").content)
    assert ("dismiss的理由" in page, "不成立，维持不计入" in page, "撤回申诉" in page) == (True, True, False)
    told = messages_of(place.town.users["S1"])
    assert [one.link for one in told] == [f"/m/cases/{view.case_id}"] * 2
    assert phone.get(told[0].link)["Location"] == f"/m/appeals/{view.id}"
    assert "不成立" in text(phone.get("/m/appeals").content)


def test_a_record_that_was_taken_back_says_so_and_leads_to_the_appeal(
    place: Place, lost: SetAsideView
) -> None:
    record = place.record()
    address = f"/m/records/{record.posting_id}/{record.row}"
    phone = place.client()
    assert f"{address}/appeal" not in phone.get(address).content.decode()
    exclude_records(
        actor=SYSTEM, at=place.now, records=(RecordRef(posting_id=record.posting_id, row=record.row),),
        reason="CLAWED_BACK",
    )  # fmt: skip
    page = phone.get(address).content.decode()
    assert ("经核查不应计入" in page, f"{address}/appeal" in page) == (True, True)
    form = phone.get(f"{address}/appeal").content.decode()
    assert "经核查不应计入" in form
    phone.post(f"{address}/appeal", {"idempotency_key": key_in(form), "statement": "是我坐的"})
    assert "申诉：处理中" in phone.get(address).content.decode()


def test_who_withdraws_may_appeal_again(place: Place, lost: SetAsideView) -> None:
    phone = place.client()
    address = f"/m/records/not-counted/{lost.waiting_id}/{lost.row}/appeal"
    phone.post(address, {"idempotency_key": "a", "statement": "这是另一趟车"})
    (view,) = accounts.appeals_of_user(place.town.users["S1"])
    page = phone.get(f"/m/appeals/{view.id}").content.decode()
    done = phone.post(f"/m/appeals/{view.id}", {"idempotency_key": key_in(page)}, follow=True)
    assert "申诉已撤回" in text(done.content)
    assert address in phone.get(f"/m/records?month={DAY:%Y-%m}").content.decode()


def test_nobody_reads_or_takes_back_somebody_elses_appeal(place: Place, lost: SetAsideView) -> None:
    address = f"/m/records/not-counted/{lost.waiting_id}/{lost.row}/appeal"
    place.client().post(address, {"idempotency_key": "a", "statement": "这是另一趟车"})
    (view,) = accounts.appeals_of_user(place.town.users["S1"])
    other = place.client("S2")
    for tried in (f"/m/appeals/{view.id}", f"/m/cases/{view.case_id}", address, "/m/cases/99999"):
        assert other.get(tried).status_code == 404, tried
    assert other.post(f"/m/appeals/{view.id}", {"idempotency_key": "b"}).status_code == 404


def test_the_pages_are_in_english_too(place: Place, lost: SetAsideView) -> None:
    phone = place.client(language="en")
    address = f"/m/records/not-counted/{lost.waiting_id}/{lost.row}/appeal"
    pages = [text(phone.get(address).content)]
    phone.post(address, {"idempotency_key": "a", "statement": "another bus"})
    (view,) = accounts.appeals_of_user(place.town.users["S1"])
    pages += [
        text(phone.get(one).content)
        for one in (f"/m/appeals/{view.id}", "/m/appeals", "/m/records?month=2026-11")
    ]
    for page in pages:
        assert set(HAN.findall(page)) <= {"中文"}, page
