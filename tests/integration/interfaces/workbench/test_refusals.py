"""What is refused is said at the form, and what was typed stays there."""

from __future__ import annotations

from django.utils import timezone
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_chain import post, upload

from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide


def test_a_decision_that_came_too_late_keeps_the_opinion_and_says_what_happened(desk: Desk) -> None:
    opened = desk.cast.report()
    seen = workflow.case(opened.case_id).step
    decide(
        actor=desk.cast.owner, at=timezone.now(), idempotency_key=None, case_id=opened.case_id, outcome="submit",
        opinion="先到的意见",
    )  # fmt: skip
    late = post(
        desk.client("owner"),
        f"/w/cases/{opened.case_id}",
        decision="submit",
        opinion="写了很久的意见",
        seen_step=seen,
    )
    page = late.content.decode()
    assert late.status_code == 409
    assert "CASE_MOVED" in page
    assert "先到的意见" in page
    assert "写了很久的意见" in page
    assert workflow.case(opened.case_id).step == seen + 1


def test_the_typed_opinion_stays_in_the_bar_when_the_reader_may_still_decide(desk: Desk) -> None:
    opened = desk.cast.report()
    decided = post(
        desk.client("owner"),
        f"/w/cases/{opened.case_id}",
        decision="submit",
        opinion="写了很久的意见",
        seen_step=7,
    )
    assert decided.status_code in {409, 422}
    assert ">写了很久的意见</textarea>" in decided.content.decode()
    assert workflow.case(opened.case_id).state == "draft"


def test_no_opinion_no_decision(desk: Desk) -> None:
    opened = desk.cast.report()
    refused = post(
        desk.client("owner"), f"/w/cases/{opened.case_id}", decision="submit", opinion=" ", seen_step=0
    )
    assert "OPINION_MISSING" in refused.content.decode()
    assert workflow.case(opened.case_id).state == "draft"


def test_retirement_needs_the_quantity_twice(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    refused = post(
        desk.client("owner"), f"/w/holdings/{desk.cast.owner_id}/retire", issuance_id=issuance.issuance_id,
        quantity=5, beneficiary_kind="event", beneficiary_name="湿地徒步大会", purpose="event_neutrality",
        purpose_text="活动", confirmed=4,
    )  # fmt: skip
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "要消纳 5 t，这里输入的是 4" in page
    assert 'value="湿地徒步大会"' in page
    assert not registry.certificates()


def test_more_than_is_free_is_refused_at_the_form(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    refused = post(
        desk.client("owner"), f"/w/holdings/{desk.cast.owner_id}/offer", issuance_id=issuance.issuance_id,
        target_id=desk.cast.buyer_id, quantity=11,
    )  # fmt: skip
    assert refused.status_code == 409
    assert "NOT_ENOUGH_UNITS" in refused.content.decode()
    assert 'value="11"' in refused.content.decode()


def test_a_mistyped_code_is_refused_and_kept(desk: Desk) -> None:
    refused = desk.client("merchant").get("/w/shop?code=1234 5678 9012")
    assert "COUPON_CODE_MISTYPED" in refused.content.decode()
    assert 'value="1234 5678 9012"' in refused.content.decode()


def test_a_month_that_is_not_over_cannot_be_pooled(desk: Desk) -> None:
    refused = post(desk.client("maker"), "/w/pools/new", scenario="bus", month="2026-11")
    assert "POOL_TOO_EARLY" in refused.content.decode()
    assert 'value="2026-11"' in refused.content.decode()


def test_an_unusable_file_is_named_in_words(desk: Desk) -> None:
    batch = upload(desk, b"").headers.get("Location")
    if batch is None:
        return
    desk.post(int(batch.rsplit("/", 1)[1]))
    page = desk.client("partner").get(batch).content.decode()
    assert "文件里没有任何记录" in page


def test_a_form_without_its_key_does_nothing(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    data = {"issuance_id": issuance.issuance_id, "target_id": desk.cast.buyer_id, "quantity": 1}
    refused = desk.client("owner").post(f"/w/holdings/{desk.cast.owner_id}/offer", data)
    assert refused.status_code == 422
    assert not registry.transfers(organisation_id=desk.cast.owner_id)
