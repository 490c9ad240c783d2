"""The thread as organisations walk it: file, report, pool, case, issuance, transfer, retirement; coupon, till, sheet."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from tests.integration.interfaces.workbench.conftest import NOW, Desk

from tanpuhui.behaviour.carbon_accounts.queries import pools
from tanpuhui.credits.registry import queries as registry
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.quantities import Fen, Points, Tonnes
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.uses.rewards.operations import list_good, reserve_coupon
from tanpuhui.uses.rewards.queries import settlement_lines, settlement_sheets


def post(client: Client, address: str, **data: Any) -> HttpResponse:
    """Send a form with its key."""
    return client.post(address, {"idempotency_key": str(uuid.uuid4()), **data})  # type: ignore[return-value]


def upload(desk: Desk, content: bytes, *, key: str = "upload-1", name: str = "rides.csv") -> HttpResponse:
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    data = {"idempotency_key": key, "feed": f"{desk.partner_id}:standard", "file": file}
    return desk.client("partner").post("/w/batches/send", data)  # type: ignore[return-value]


def decide(desk: Desk, name: str, case_id: int, outcome: str) -> HttpResponse:
    step = workflow.case(case_id).step
    return post(
        desk.client(name),
        f"/w/cases/{case_id}",
        decision=outcome,
        opinion="已逐项核对，同意。",
        seen_step=step,
    )


def test_the_chain_from_a_file_to_a_certificate(desk: Desk) -> None:
    answer = upload(desk, desk.rides(330, extra=("bad,S0,bus,not a time,,990102,5",)))
    assert answer.status_code == 303
    batch = answer.headers["Location"]
    partner = desk.client("partner")
    waiting = partner.get(batch).content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    desk.post(int(batch.rsplit("/", 1)[1]))
    report = partner.get(f"{batch}/report").content.decode()
    assert "hx-trigger" not in report
    assert "各项相加等于行数" in report
    assert "not a time" in report
    lines = b"".join(partner.get(f"{batch}/rows.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "BAD_TIME" in lines

    maker = desk.client("maker")
    assert post(maker, "/w/pools/new", scenario="bus", month="2026-10").status_code == 303
    (pool,) = pools()
    assert pool.tonnes > Tonnes(1)
    assert "归集入项目" in maker.get("/w/pools").content.decode()
    swept = post(maker, f"/w/pools/{pool.id}/sweep", verifier_id=desk.cast.verifier_id)
    assert swept.status_code == 303
    case_id = int(swept.headers["Location"].rsplit("/", 1)[1])
    for name, outcome in (("owner", "submit"), ("verifier", "verify"), ("maker", "prepare")):
        assert decide(desk, name, case_id, outcome).status_code == 303
    seen = desk.client("checker").get(f"/w/cases/{case_id}").content.decode()
    assert "经办人拟签发" in seen
    assert "四个数一致" in seen
    assert decide(desk, "checker", case_id, "issue").status_code == 303

    owner, buyer = desk.client("owner"), desk.client("buyer")
    (issuance,) = registry.issuances()
    holding = f"/w/holdings/{desk.cast.owner_id}"
    assert issuance.serial in owner.get(holding).content.decode()
    offered = post(
        owner, f"{holding}/offer", issuance_id=issuance.issuance_id, target_id=desk.cast.buyer_id, quantity=1
    )
    assert offered.status_code == 303
    (transfer,) = registry.transfers(organisation_id=desk.cast.buyer_id)
    assert "等待答复的转入" in buyer.get(f"/w/holdings/{desk.cast.buyer_id}").content.decode()
    assert post(buyer, f"/w/transfers/{transfer.transfer_id}/accept").status_code == 303
    retired = post(
        buyer, f"/w/holdings/{desk.cast.buyer_id}/retire", issuance_id=issuance.issuance_id, quantity=1,
        beneficiary_kind="event", beneficiary_name="湿地徒步大会", purpose="event_neutrality",
        purpose_text="大型活动碳中和", confirmed=1,
    )  # fmt: skip
    assert retired.status_code == 303
    (certificate,) = registry.certificates(organisation_id=desk.cast.buyer_id)
    page = buyer.get("/w/certificates").content.decode()
    for address in (
        f"/c/{certificate.number}",
        f"/c/{certificate.number}.pdf",
        f"/c/{certificate.number}.json",
    ):
        assert f'href="{address}"' in page
    audit = (
        desk.client("regulator").get(f"/w/audit?subject=certificate:{certificate.number}").content.decode()
    )
    assert "registry.retire_units" in audit


def test_a_verification_is_dated_by_the_day_it_is_here(desk: Desk) -> None:
    late = replace(desk.cast, at=datetime(2026, 11, 20, 22, 0, tzinfo=UTC))
    opened = late.report()
    late.decide(opened, "submit", late.owner)
    late.decide(opened, "verify", late.verifier)
    assert "于 2026-11-21 核查" in desk.client("maker").get(f"/w/cases/{opened.case_id}").content.decode()


def test_the_same_file_twice_is_one_batch(desk: Desk) -> None:
    first = upload(desk, desk.rides(3))
    assert upload(desk, desk.rides(3), key="upload-2").headers["Location"] == first.headers["Location"]


def test_a_form_sent_twice_has_one_effect(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    owner = desk.client("owner")
    data = {
        "idempotency_key": "one form", "issuance_id": issuance.issuance_id, "target_id": desk.cast.buyer_id,
        "quantity": 2,
    }  # fmt: skip
    for _ in range(2):
        assert owner.post(f"/w/holdings/{desk.cast.owner_id}/offer", data).status_code == 303
    assert len(registry.transfers(organisation_id=desk.cast.owner_id)) == 1


def coupon(desk: Desk, *, good_id: int | None = None) -> str:
    """Let the first rider redeem one piece of a good that costs a point."""
    citizen = actor_of(user_id=desk.citizens[0], at=NOW)
    merchant = actor_of(user_id=desk.users["merchant"].pk, at=NOW)
    if good_id is None:
        good_id = list_good(
            actor=merchant, at=NOW, merchant_id=desk.merchant_id, name_zh="热茶一杯", name_en="A cup of tea",
            face_value=Fen(800), price=Points(1), stock=5, valid_from=date(2026, 10, 1), valid_to=date(2026, 12, 31),
        ).good_id  # fmt: skip
    return reserve_coupon(
        actor=citizen, at=NOW, idempotency_key=str(uuid.uuid4()), good_id=good_id, user_id=desk.citizens[0]
    ).code


def test_a_coupon_is_shown_first_then_honoured_and_settled(desk: Desk) -> None:
    batch = upload(desk, desk.rides(10)).headers["Location"]
    desk.post(int(batch.rsplit("/", 1)[1]))
    code = coupon(desk)
    merchant = desk.client("merchant")
    shown = merchant.get(f"/w/shop?code={code}").content.decode()
    assert "热茶一杯" in shown
    assert not settlement_lines(merchant_id=desk.merchant_id)
    done = post(merchant, "/w/shop", code=f"{code[:4]} {code[4:8]} {code[8:]}", place="一号柜台")
    assert done.headers["Location"] == f"/w/shop/{code}"
    page = merchant.get(done.headers["Location"]).content.decode()
    assert "已核销" in page
    assert "一号柜台" in page
    again = post(merchant, "/w/shop", code=code)
    assert again.status_code == 409
    assert "COUPON_USED" in again.content.decode()
    early = post(desk.client("maker"), "/w/settlements/close", merchant_id=desk.merchant_id, period="2026-11")
    assert "SETTLEMENT_TOO_EARLY" in early.content.decode()
    assert not settlement_sheets(merchant_id=desk.merchant_id)
    assert "8.00 元" in merchant.get("/w/sheets").content.decode()


def test_a_merchant_lists_restocks_and_withdraws_a_good(desk: Desk) -> None:
    merchant = desk.client("merchant")
    listed = post(
        merchant, "/w/goods/new", merchant_id=desk.merchant_id, name_zh="热茶", face_value="8.05", price=12, stock=3,
        valid_from="2026-11-01", valid_to="2026-12-01",
    )  # fmt: skip
    assert listed.status_code == 303
    page = merchant.get("/w/goods").content.decode()
    assert "8.05" in page
    good_id = int(re.search(r"/w/goods/(\d+)/restock", page)[1])  # type: ignore[index]
    assert post(merchant, f"/w/goods/{good_id}/restock", added=4).status_code == 303
    assert post(merchant, f"/w/goods/{good_id}/withdraw").status_code == 303
    page = merchant.get("/w/goods").content.decode()
    assert "已下架" in page
    assert ">7<" in page


def test_a_proposed_version_is_read_by_experts_and_accepted_by_the_centre(desk: Desk) -> None:
    case_id = desk.proposed().case_id
    page = desk.client("expert").get(f"/w/cases/{case_id}").content.decode()
    assert '<msub><mi class="v">EF</mi><mi class="s" mathvariant="normal">bus</mi></msub>' in page
    assert "未设值" in page
    # The way from here to the filing number: test_expert_pages.py.
    assert decide(desk, "expert", case_id, "accept").status_code == 409
    assert decide(desk, "maker", case_id, "accept").status_code == 303
    assert workflow.case(case_id).state == "committee"
