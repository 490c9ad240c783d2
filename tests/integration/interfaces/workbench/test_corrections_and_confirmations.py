"""A maker asks a partner to correct a file; a merchant answers for a sheet; offered units wait in the inbox."""

from __future__ import annotations

import json
from datetime import datetime
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import load_workbook
from tests.integration.interfaces.workbench.conftest import NOW, Desk
from tests.integration.interfaces.workbench.test_chain import coupon, decide, post, upload

from tanpuhui.credits.registry.operations import offer_transfer
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS
from tanpuhui.foundation.kernel.quantities import Tonnes
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.uses.rewards.operations import close_settlement
from tanpuhui.uses.rewards.queries import settlement_sheet

BAD_ROW = "bad,S0,bus,not a time,,990102,5"


def spoilt_batch(desk: Desk) -> str:
    """Upload and post a file with one bad row; return its address."""
    batch: str = upload(desk, desk.rides(3, extra=(BAD_ROW,))).headers["Location"]
    desk.post(int(batch.rsplit("/", 1)[1]))
    return batch


def test_a_maker_asks_for_a_correction_and_the_partner_answers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = spoilt_batch(desk)
    maker, partner = desk.client("maker"), desk.client("partner")
    assert "请数据伙伴更正" in maker.get(batch).content.decode()
    assert "请数据伙伴更正" not in partner.get(batch).content.decode()
    asked = post(maker, f"{batch}/correction")
    assert asked.status_code == 303
    case = asked.headers["Location"]
    case_id = int(case.rsplit("/", 1)[1])
    assert "请数据伙伴更正" not in maker.get(batch).content.decode()
    page = partner.get(case).content.decode()
    assert "时间读不懂" in page
    assert "以来还没有收到文件" in page
    assert f'href="{case}"' in partner.get("/w/").content.decode()
    refused = decide(desk, "partner", case_id, "resubmit")
    assert "NOTHING_RESENT" in refused.content.decode()
    later = datetime.fromisoformat("2026-11-20T12:00:00+08:00")
    monkeypatch.setattr(timezone, "now", lambda: later)
    resent = upload(desk, desk.rides(1, first=9), key="upload-2", name="rides-corrected.csv")
    desk.post(int(resent.headers["Location"].rsplit("/", 1)[1]))
    assert decide(desk, "partner", case_id, "resubmit").status_code == 303
    assert "rides-corrected.csv" in maker.get(case).content.decode()
    assert decide(desk, "maker", case_id, "close").status_code == 303


def test_only_a_maker_asks_and_others_do_not_see_the_case(desk: Desk) -> None:
    batch = spoilt_batch(desk)
    for name in ("partner", "checker", "regulator"):
        assert post(desk.client(name), f"{batch}/correction").status_code == 403, name
    case = post(desk.client("maker"), f"{batch}/correction").headers["Location"]
    assert desk.client("other_partner").get(case).status_code == 404
    assert desk.client("merchant").get(case).status_code == 404


def test_a_batch_without_anything_to_mend_says_so(desk: Desk) -> None:
    batch = upload(desk, desk.rides(3)).headers["Location"]
    desk.post(int(batch.rsplit("/", 1)[1]))
    refused = post(desk.client("maker"), f"{batch}/correction")
    assert refused.status_code == 409
    assert "NOTHING_TO_MEND" in refused.content.decode()


def test_a_merchant_confirms_in_the_inbox_and_the_sheet_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = upload(desk, desk.rides(10)).headers["Location"]
    desk.post(int(batch.rsplit("/", 1)[1]))
    code = coupon(desk)
    assert post(desk.client("merchant"), "/w/shop", code=code, place="一号柜台").status_code == 303
    after = datetime.fromisoformat("2026-12-02T10:00:00+08:00")
    monkeypatch.setattr(timezone, "now", lambda: after)
    sheet = close_settlement(
        actor=actor_of(user_id=desk.users["maker"].pk, at=after), at=after, idempotency_key="s",
        merchant_id=desk.merchant_id, period="2026-11",
    )  # fmt: skip
    merchant = desk.client("merchant")
    address = f"/w/sheets/{desk.merchant_id}/{sheet.sheet_id}"
    assert "还没有确认" in merchant.get(address).content.decode()
    assert f'href="/w/cases/{sheet.case_id}"' in merchant.get("/w/").content.decode()
    page = merchant.get(f"/w/cases/{sheet.case_id}").content.decode()
    assert code in page
    assert "平台不划转资金" in page
    assert desk.client("other_merchant").get(f"/w/cases/{sheet.case_id}").status_code == 404
    assert decide(desk, "merchant", sheet.case_id, "confirm").status_code == 303
    assert settlement_sheet(sheet.sheet_id).confirmed_at == after
    assert "2026-12-02 已确认" in merchant.get(address).content.decode()


def test_offered_units_wait_in_the_recipients_inbox_until_they_are_answered(desk: Desk) -> None:
    issuance = desk.cast.issued(tonnes=10)
    offered = offer_transfer(
        actor=desk.cast.owner, at=NOW, issuance_id=issuance.issuance_id,
        source_organisation_id=desk.cast.owner_id, target_organisation_id=desk.cast.buyer_id, quantity=Tonnes(3),
        idempotency_key="o",
    )  # fmt: skip
    buyer = desk.client("buyer")
    page = buyer.get("/w/").content.decode()
    assert '待办 <span class="num">1</span> 件' in page
    assert "转入 3 t" in page
    assert offered.number in page
    assert offered.number in buyer.get("/w/?process=transfer").content.decode()
    assert offered.number not in desk.client("owner").get("/w/").content.decode()
    assert post(buyer, f"/w/transfers/{offered.transfer_id}/accept").status_code == 303
    assert "没有待办" in buyer.get("/w/").content.decode()


@pytest.mark.parametrize("name", ["administrator", *sorted(SCHEME_ADMINISTRATORS)])
def test_an_administrator_is_told_why_nothing_waits(desk: Desk, name: str) -> None:
    assert workflow.inbox(actor=actor_of(user_id=desk.users[name].pk, at=NOW), at=NOW) == ()
    assert "不办理业务，所以没有待办" in desk.client(name).get("/w/").content.decode()


def test_the_partner_takes_the_rows_to_correct_and_sends_them_again(desk: Desk) -> None:
    batch = spoilt_batch(desk)
    batch_id = int(batch.rsplit("/", 1)[1])
    partner, maker = desk.client("partner"), desk.client("maker")
    page = partner.get(batch).content.decode()
    assert f"{batch}/to-correct.csv" in page
    assert f"/w/batches/send?corrects={batch_id}" in page
    assert f"{batch}/to-correct.csv" not in maker.get(batch).content.decode()
    taken = partner.get(f"{batch}/to-correct.csv")
    lines = b"".join(taken.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0].endswith("corrects_row,corrects_field,corrects_reason")
    assert lines[1].startswith("bad,S0,bus,not a time,")
    for name in ("maker", "regulator"):
        assert desk.client(name).get(f"{batch}/to-correct.csv").status_code == 403, name
    assert desk.client("other_partner").get(f"{batch}/to-correct.csv").status_code == 404
    assert f"更正批次 #{batch_id}" in partner.get(f"/w/batches/send?corrects={batch_id}").content.decode()
    mended = "\n".join([lines[0], lines[1].replace("not a time", "2026-10-05T08:00:00+08:00"), ""])
    data = {
        "idempotency_key": "again",
        "feed": f"{desk.partner_id}:standard",
        "corrects": batch_id,
        "file": SimpleUploadedFile("again.csv", mended.encode(), content_type="text/csv"),
    }
    later = partner.post("/w/batches/send", data).headers["Location"]
    desk.post(int(later.rsplit("/", 1)[1]))
    assert f'href="{batch}"' in partner.get(later).content.decode()
    page = maker.get(batch).content.decode()
    assert f"已更正：批次 #{later.rsplit('/', 1)[1]} 第 2 行" in page
    assert "上传更正文件" not in partner.get(batch).content.decode()


def test_the_report_can_be_had_as_excel_and_json_without_formulas(desk: Desk) -> None:
    batch = upload(desk, desk.rides(1, extra=("=1+1,S0,bus,2026-10-05T08:00:00+08:00,,990102,5",))).headers[
        "Location"
    ]
    desk.post(int(batch.rsplit("/", 1)[1]))
    partner = desk.client("partner")
    sheet = b"".join(partner.get(f"{batch}/rows.xlsx").streaming_content)  # type: ignore[attr-defined]
    rows = list(load_workbook(BytesIO(sheet)).active.iter_rows())  # type: ignore[union-attr]
    assert [cell.value for cell in rows[1]][:5] == [3, "rejected", "FORMULA_CELL", "record_id", "=1+1"]
    assert rows[1][4].data_type == "s"
    report = json.loads(b"".join(partner.get(f"{batch}/report.json").streaming_content))  # type: ignore[attr-defined]
    assert (report["rows"], len(report["outcomes"])) == (2, 1)
    for suffix in ("rows.xlsx", "report.json"):
        assert desk.client("other_partner").get(f"{batch}/{suffix}").status_code == 404, suffix
