"""Nobody sees or acts on another organisation's matters by guessing a number."""

from __future__ import annotations

import pytest
from tests.integration.interfaces.workbench.conftest import Desk
from tests.integration.interfaces.workbench.test_chain import coupon, post, upload

from tanpuhui.credits.registry.operations import offer_transfer
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.uses.rewards.queries import goods


def test_a_case_is_seen_by_its_parties_and_its_area_only(desk: Desk) -> None:
    opened = desk.cast.report()
    address = f"/w/cases/{opened.case_id}"
    seen = {name: desk.client(name).get(address).status_code for name in desk.users if name != "citizen"}
    assert {name for name, status in seen.items() if status == 200} == {
        "owner", "verifier", "maker", "checker", "regulator",
    }  # fmt: skip
    assert set(seen.values()) == {200, 404}


def test_the_search_finds_only_what_may_be_seen(desk: Desk) -> None:
    opened = desk.cast.report()
    for name, found in (("owner", True), ("other_owner", False), ("regulator", True), ("expert", False)):
        page = desk.client(name).get(f"/w/cases?q={opened.case_number[-6:]}").content.decode()
        assert (f'href="/w/cases/{opened.case_id}"' in page) is found, name


def test_experts_find_filings(desk: Desk) -> None:
    opened = desk.proposed()
    assert opened.number in desk.client("expert").get("/w/cases").content.decode()


@pytest.mark.parametrize("suffix", ["", "/report", "/rows.csv"])
def test_a_batch_is_its_partners(desk: Desk, suffix: str) -> None:
    address = upload(desk, desk.rides(3)).headers["Location"]
    assert desk.client("other_partner").get(address + suffix).status_code == 404
    assert desk.client("subcentre").get(address + suffix).status_code == 404
    assert desk.client("regulator").get(address + suffix).status_code == 200
    assert "rides.csv" not in desk.client("other_partner").get("/w/batches").content.decode()


def test_nobody_sends_a_file_for_another_partner(desk: Desk) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("rides.csv", desk.rides(1), content_type="text/csv")
    answer = post(
        desk.client("partner"), "/w/batches/send", feed=f"{desk.other_partner_id}:standard", file=file
    )
    assert answer.status_code == 422


def test_a_holding_is_its_organisations(desk: Desk) -> None:
    desk.cast.issued(tonnes=10)
    address = f"/w/holdings/{desk.cast.owner_id}"
    for name in ("other_owner", "buyer"):
        for suffix in ("", "/offer", "/retire"):
            assert desk.client(name).get(address + suffix).status_code == 404
            assert post(desk.client(name), f"{address}/retire").status_code == 404
    regulator = desk.client("regulator")
    assert regulator.get(address).status_code == 200
    assert regulator.get(f"{address}/retire").status_code == 403


def test_a_transfer_is_answered_by_its_recipient_only(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    offered = offer_transfer(
        actor=desk.cast.owner, at=desk.cast.at, issuance_id=issuance.issuance_id,
        source_organisation_id=desk.cast.owner_id, target_organisation_id=desk.cast.buyer_id, quantity=Tonnes(1),
        idempotency_key="o",
    )  # fmt: skip
    for name in ("owner", "other_owner"):
        answer = post(desk.client(name), f"/w/transfers/{offered.transfer_id}/accept")
        assert answer.status_code == 403, name


def test_a_project_is_its_owners(desk: Desk) -> None:
    address = f"/w/projects/{desk.cast.project_id}"
    assert desk.client("owner").get(address).status_code == 200
    assert desk.client("other_owner").get(address).status_code == 404
    assert "P0001" not in desk.client("other_owner").get("/w/projects").content.decode()


def test_a_coupon_and_a_good_are_their_merchants(desk: Desk) -> None:
    batch = upload(desk, desk.rides(10)).headers["Location"]
    desk.post(int(batch.rsplit("/", 1)[1]))
    code = coupon(desk)
    other = desk.client("other_merchant")
    answer = other.get(f"/w/shop?code={code}")
    assert answer.status_code == 409
    assert "热茶" not in answer.content.decode()
    assert other.get(f"/w/shop/{code}").status_code == 409
    (good,) = goods(merchant_id=desk.merchant_id)
    assert other.get(f"/w/goods/{good.id}/restock").status_code == 404
    assert post(other, f"/w/goods/{good.id}/withdraw").status_code == 404
