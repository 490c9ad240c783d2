"""Scenarios on the desk: an application written, tried, judged and taken live through the pages; a suspension proposed."""

from __future__ import annotations

import io
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.integration.behaviour.activity.town import DEMONSTRATION, file_methodology
from tests.integration.interfaces.workbench.conftest import CITY, NOW, Desk

from tanpuhui.behaviour.activity import queries
from tanpuhui.behaviour.activity.operations import propose_standing
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, end_notices

HEADER = "record_id,subject,scenario,started_at,ended_at,area,distance_km,duration_s,vehicle_type"


@pytest.fixture
def ruled(desk: Desk, invented_jurisdiction: Path) -> Desk:
    """Set the desk up with the demonstration's rules of quality, and a methodology for cycling."""
    load_jurisdiction(actor=SYSTEM, at=NOW, folder=invented_jurisdiction, packs=("base", "demonstration"))
    load_templates(actor=SYSTEM, at=NOW, folder=invented_jurisdiction)
    file_methodology("a03-bike", parameter_set=DEMONSTRATION, valid_from=date(2018, 1, 1))
    return desk


def post(client: Client, name: str, args: list[object], data: dict[str, object], key: str) -> str:
    """Post a form as a browser does and return where it leads."""
    response = client.post(reverse(f"workbench:{name}", args=args), {**data, "idempotency_key": key})
    assert response.status_code in {302, 303}, response.content.decode()
    return str(response.headers["Location"])


def number(address: str) -> int:
    found = re.search(r"/(\d+)", address)
    assert found
    return int(found[1])


def begin(desk: Desk, client: Client) -> int:
    partner_id = str(desk.other_partner_id)
    data: dict[str, object] = {
        "organisation_id": partner_id, "methodology": "A03|bike", "partner_id": partner_id, "name_zh": "共享单车",
        "name_en": "Shared bikes", "scenario_class": "everyday", "reach": "general", "area": "990000",
        "adapter": "standard", "evidence_tier": "1",
    }  # fmt: skip
    return number(post(client, "new-application", [], data, "new"))


def form_of(application_id: int, **changes: object) -> dict[str, object]:
    view = queries.application(application_id)
    said = view.content
    return {
        "version": view.version, "methodology": "A03|bike", "partner_id": said.partner_id, "name_zh": said.name_zh,
        "name_en": said.name_en, "scenario_class": said.scenario_class, "reach": said.reach, "area": said.area,
        "adapter": said.adapter, "evidence_tier": said.evidence_tier, "behaviour": "骑共享单车代替开车。",
        "evidence_note": "锁具记录，可核对。", "records_per_day": "5000", "people": "800", "default_area": "",
        "excluded_from": ["ets", "ccer", "green_certificate", "other_scheme"], "exclusion_note": "",
        "column_code": [field.code for field in said.fields], "column_meaning": [field.meaning for field in said.fields],
        "column_purpose": [field.purpose for field in said.fields],
        "column_required": [str(n) for n, field in enumerate(said.fields) if field.required],
        **changes,
    }  # fmt: skip


def sample(rows: int = 4, *, km: str = "4.2", extra: str = "") -> SimpleUploadedFile:
    lines = [
        f"B{n},U{n % 2},bike,2026-11-19T0{n % 8}:00:00+08:00,2026-11-19T0{n % 8}:20:00+08:00,{CITY},{km},1200,bike"
        for n in range(rows)
    ]
    return SimpleUploadedFile("sample.csv", "\n".join([HEADER, *lines, extra, ""]).encode(), "text/csv")


def try_it(client: Client, application_id: int, file: SimpleUploadedFile, key: str) -> int:
    return number(post(client, "docking", [application_id], {"file": file}, key))


def decided(client: Client, case_id: int, outcome: str, key: str) -> str:
    view = workflow.case(case_id)
    data: dict[str, object] = {"decision": outcome, "opinion": "意见", "seen_step": view.step}
    post(client, "case", [case_id], data, key)
    return workflow.case(case_id).state


def test_from_application_to_live_through_the_pages(ruled: Desk) -> None:
    partner, maker, checker = (ruled.client(name) for name in ("other_partner", "maker", "checker"))
    application_id = begin(ruled, partner)
    page = partner.get(reverse("workbench:application", args=[application_id])).content.decode()
    assert "提交以前还缺" in page
    assert "请填写行为说明" in page
    assert "distance_km" in page, "the columns begin with what the methodology needs"
    post(partner, "edit-application", [application_id], form_of(application_id), "edit")
    assert queries.application_lacks(queries.application(application_id).content, at=NOW) == ()
    post(partner, "submit-application", [application_id], {}, "submit")
    case_id = queries.application(application_id).case_id
    assert case_id is not None
    assert decided(maker, case_id, "accept", "accept") == "docking"

    bad = try_it(partner, application_id, sample(km="-1"), "bad")
    shown = partner.get(reverse("workbench:sample", args=[bad])).content.decode()
    assert "没有达到要求" in shown
    assert "距离不能为负" in shown
    good = try_it(partner, application_id, sample(), "good")
    shown = partner.get(reverse("workbench:sample", args=[good]) + "?row=2").content.decode()
    assert "达到要求" in shown
    assert "第 2 行怎样得出" in shown
    assert decided(partner, case_id, "ready", "ready") == "docked"
    assert decided(maker, case_id, "pass", "pass") == "assessment"
    judged = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    assert "作为依据的样本" in judged
    assert "骑共享单车代替开车" in judged
    assert decided(checker, case_id, "endorse", "endorse") == "notice"
    end_notices(at=NOW + timedelta(days=9))
    assert queries.application(application_id).state == "live"
    listed = maker.get(reverse("workbench:scenarios")).content.decode()
    assert "共享单车" in listed
    assert "日常场景" in listed
    assert {feed.scenario for feed in queries.feeds(partner_id=ruled.other_partner_id)} == {"bus", "bike"}


def test_what_is_missing_is_said_and_what_was_typed_stays(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    address = reverse("workbench:edit-application", args=[application_id])
    wrong = form_of(
        application_id, name_zh="", column_code=["mine"], column_meaning=["我的列"], column_purpose=["试"]
    )
    answer = partner.post(address, {**wrong, "idempotency_key": "w"})
    assert answer.status_code == 422
    assert "我的列" in answer.content.decode()
    assert queries.application(application_id).version == 1
    partner.post(address, {**form_of(application_id), "idempotency_key": "first"})
    late = partner.post(address, {**form_of(application_id), "version": "1", "idempotency_key": "late"})
    assert late.status_code == 409
    assert "第 2 版" in late.content.decode()


def test_a_maker_accepts_in_writing_and_the_partner_cannot(ruled: Desk) -> None:
    partner, maker = ruled.client("other_partner"), ruled.client("maker")
    application_id = submitted(ruled, partner)
    sample_id = try_it(partner, application_id, sample(2), "s")
    accept = reverse("workbench:accept-sample", args=[sample_id])
    assert partner.post(accept, {"reason": "x", "idempotency_key": "p"}).status_code == 403
    blank = maker.post(accept, {"reason": " ", "idempotency_key": "b"})
    assert blank.status_code == 409
    post(maker, "accept-sample", [sample_id], {"reason": "行数少但逐行核对过"}, "a")
    assert queries.sample_in_force(application_id).id == sample_id
    assert "行数少但逐行核对过" in partner.get(reverse("workbench:sample", args=[sample_id])).content.decode()


def submitted(desk: Desk, client: Client) -> int:
    application_id = begin(desk, client)
    post(client, "edit-application", [application_id], form_of(application_id), "edit")
    post(client, "submit-application", [application_id], {}, "submit")
    return application_id


def test_drafts_are_their_owners_and_submitted_ones_are_seen_by_area(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    pages = [
        reverse(f"workbench:{name}", args=[application_id])
        for name in ("application", "docking", "edit-application")
    ]
    for stranger in ("partner", "maker"):
        assert {ruled.client(stranger).get(page).status_code for page in pages} == {404}
    post(partner, "edit-application", [application_id], form_of(application_id), "edit")
    post(partner, "submit-application", [application_id], {}, "submit")
    assert ruled.client("maker").get(pages[0]).status_code == 200
    assert ruled.client("partner").get(pages[0]).status_code == 404
    sample_id = try_it(partner, application_id, sample(), "s")
    for name in ("sample", "sample-rows", "sample-report"):
        address = reverse(f"workbench:{name}", args=[sample_id])
        assert ruled.client("partner").get(address).status_code == 404
        assert ruled.client("maker").get(address).status_code == 200
    assert "共享单车" not in ruled.client("partner").get(reverse("workbench:applications")).content.decode()


def test_the_report_comes_as_csv_and_json(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = submitted(ruled, partner)
    sample_id = try_it(partner, application_id, sample(3), "s")
    rows = partner.get(reverse("workbench:sample-rows", args=[sample_id]))
    lines = b"".join(rows.streaming_content).decode().lstrip("\ufeff").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 4
    report = json.loads(partner.get(reverse("workbench:sample-report", args=[sample_id])).content)
    assert (report["format"], report["rows"], report["counted"]) == ("tanpuhui-quality-report/1", 3, 3)
    assert not any(isinstance(value, float) for value in flattened(report))
    post(partner, "erase-sample", [sample_id], {}, "e")
    assert partner.get(reverse("workbench:sample-rows", args=[sample_id])).status_code == 409
    assert partner.get(reverse("workbench:sample", args=[sample_id])).status_code == 200


def flattened(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in flattened(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in flattened(one)]
    return [value]


def test_documents_are_attached_opened_by_readers_and_taken_off(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    file = SimpleUploadedFile("协议.html", b"<script>alert(1)</script>", "text/html")
    post(partner, "attach-to-application", [application_id], {"file": file}, "d")
    (document,) = queries.application(application_id).content.documents
    answer = partner.get(reverse("workbench:application-document", args=[application_id, document.sha256]))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert io.BytesIO(b"".join(answer.streaming_content)).read() == b"<script>alert(1)</script>"  # type: ignore[attr-defined]
    assert ruled.client("partner").get(answer.request["PATH_INFO"]).status_code == 404
    post(partner, "detach-from-application", [application_id, document.sha256], {}, "x")
    assert queries.application(application_id).content.documents == ()


def test_a_suspension_is_proposed_on_the_page_and_decided_by_another(ruled: Desk) -> None:
    maker, checker = ruled.client("maker"), ruled.client("checker")
    data: dict[str, object] = {
        "standing": "suspended",
        "from_day": "2026-11-23",
        "reason": "数据异常，核查中",
    }
    case_id = number(post(maker, "scenario-standing", ["bus"], data, "p"))
    page = checker.get(reverse("workbench:case", args=[case_id])).content.decode()
    assert "数据异常，核查中" in page
    assert decided(checker, case_id, "approve", "a") == "approved"
    shown = maker.get(reverse("workbench:scenario", args=["bus"])).content.decode()
    assert "2026-11-23" in shown
    (status,) = queries.statuses("bus")
    assert status.standing == "suspended"


@pytest.mark.parametrize("name", ["applications", "new-application", "scenarios"])
def test_the_pages_speak_english(ruled: Desk, name: str) -> None:
    said = english(ruled, reverse(f"workbench:{name}"), "maker")
    assert "scenario" in said.lower()


def test_a_report_speaks_english(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = submitted(ruled, partner)
    sample_id = try_it(
        partner, application_id, sample(4, extra=f"X,U1,bike,2026-11-30T05:00:00,,{CITY},4200,9,bike"), "s"
    )
    said = english(ruled, reverse("workbench:sample", args=[sample_id]), "maker")
    assert "Does not meet the rules" in said or "Meets the rules" in said
    assert "check the unit" in said or "Plausible" in said


def english(desk: Desk, address: str, role: str) -> str:
    """Return the text of a page's main part, in which no Chinese is left but what people wrote themselves."""
    page = desk.client(role, language="en").get(address).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    said = re.sub(r"<(script|style|option)[^>]*>.*?</\1>|<[^>]+>", " ", main, flags=re.DOTALL)
    assert not re.search(r"[\u4e00-\u9fff]", said), (address, re.findall(r"[\u4e00-\u9fff]+", said))
    return said


def test_nothing_is_proposed_or_decided_twice(ruled: Desk) -> None:
    maker = ruled.cast.maker
    found = propose_standing(
        actor=maker, at=NOW, scenario="bus", standing="suspended", from_day=date(2026, 11, 23), reason="核查",
        idempotency_key="same",
    )  # fmt: skip
    again = propose_standing(
        actor=maker, at=NOW, scenario="bus", standing="suspended", from_day=date(2026, 11, 23), reason="核查",
        idempotency_key="same",
    )  # fmt: skip
    assert found == again
    decide(
        actor=ruled.cast.maker,
        at=NOW,
        idempotency_key=None,
        case_id=found.case_id,
        outcome="withdraw",
        opinion="误报",
    )
    assert queries.statuses("bus") == ()
