"""A partner writes its field mapping on the desk, sees what it makes of its own file, and another person puts it in force."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.integration.interfaces.workbench.conftest import CITY, NOW, Desk
from tests.integration.interfaces.workbench.test_scenario_pages import (
    decided,
    form_of,
    number,
    post,
    ruled,
    try_it,
)

from tanpuhui.behaviour.activity import queries
from tanpuhui.foundation.workflow.operations import end_notices

__all__ = ["ruled"]
MAPPING = f"""\
format: tanpuhui-field-mapping/1
file: {{encoding: gb18030, delimiter: ";"}}
fields:
  record_id: {{column: 单号}}
  subject: {{column: 会员}}
  started_at: {{column: 开始, time: "%Y/%m/%d %H:%M", zone: Asia/Shanghai}}
  ended_at: {{column: 结束, time: "%Y/%m/%d %H:%M", zone: Asia/Shanghai}}
  area: {{constant: "{CITY}"}}
  distance_km: {{column: 米, from_unit: m, to_unit: km, places: 1}}
  duration_s: {{column: 分钟, from_unit: minute, to_unit: s, places: 0}}
  vehicle_type: {{column: 车, codes: {{"1": bike}}}}
"""


def begin(desk: Desk, client: Client) -> int:
    partner_id = str(desk.other_partner_id)
    data: dict[str, object] = {
        "organisation_id": partner_id, "methodology": "A03|bike", "partner_id": partner_id, "name_zh": "共享单车",
        "name_en": "Shared bikes", "scenario_class": "everyday", "reach": "general", "area": "990000",
        "adapter": "mapped", "evidence_tier": "1",
    }  # fmt: skip
    return number(post(client, "new-application", [], data, "new"))


def own_sample(rows: int = 4, *, metres: str = "4200", name: str = "骑行.csv") -> SimpleUploadedFile:
    lines = [f"B{n};U{n % 2};2026/11/19 {n % 8}:00;2026/11/19 {n % 8}:20;{metres};20;1" for n in range(rows)]
    text = "\n".join(["单号;会员;开始;结束;米;分钟;车", *lines, ""])
    return SimpleUploadedFile(name, text.encode("gb18030"), "text/csv")


def save(client: Client, application_id: int, key: str, document: str = MAPPING) -> None:
    version = queries.application(application_id).version
    data: dict[str, object] = {"version": version, "document": document, "act": "save"}
    post(client, "mapping", [application_id], data, key)


def test_a_mapping_goes_live_with_its_application_and_a_changed_one_by_another_person(ruled: Desk) -> None:
    partner, maker, checker = (ruled.client(name) for name in ("other_partner", "maker", "checker"))
    application_id = begin(ruled, partner)
    page = reverse("workbench:mapping", args=[application_id])
    begun = partner.get(page).content.decode()
    assert "还没有保存过" in begun
    assert "distance_km: {column: distance_km, from_unit: km" in begun
    assert (
        "请写字段映射"
        in partner.get(reverse("workbench:application", args=[application_id])).content.decode()
    )
    post(partner, "edit-application", [application_id], form_of(application_id), "edit")
    save(partner, application_id, "m1")
    file = partner.get(reverse("workbench:mapping-file", args=[application_id]))
    assert file.content.decode() == MAPPING
    assert queries.application_lacks(queries.application(application_id).content, at=NOW) == ()
    post(partner, "submit-application", [application_id], {}, "submit")
    case_id = queries.application(application_id).case_id
    assert case_id is not None
    decided(maker, case_id, "accept", "accept")
    assert "act=" not in partner.get(page).content.decode()
    sample_id = try_it(partner, application_id, own_sample(), "sample")
    assert queries.sample(sample_id).verdict == "passed"
    decided(partner, case_id, "ready", "ready")
    decided(maker, case_id, "pass", "pass")
    decided(checker, case_id, "endorse", "endorse")
    end_notices(at=NOW + timedelta(days=9))
    live = queries.application(application_id)
    assert live.state == "live"
    assert live.feed_id is not None
    assert [one.adapter for one in queries.feeds(partner_id=ruled.other_partner_id) if one.scenario == "bike"] == [
        "mapped.bike"
    ]  # fmt: skip
    (stands,) = queries.mapping_versions(live.feed_id)
    assert (stands.document, stands.sample_id) == (MAPPING, sample_id)

    changed = MAPPING.replace("from_unit: m,", "from_unit: km,")
    save(partner, application_id, "m2", changed)
    shown = maker.get(page).content.decode()
    assert "还没有生效" in shown
    assert "启用这一版" not in shown, "no sample proves it yet"
    try_it(partner, application_id, own_sample(metres="4.2"), "second")
    assert "启用这一版" in maker.get(page).content.decode()
    assert "启用这一版" not in partner.get(page).content.decode()
    post(maker, "switch-mapping", [application_id], {"version": live.version + 1}, "switch")
    assert [one.version for one in queries.mapping_versions(live.feed_id)] == [2, 1]


def test_the_preview_shows_both_sides_and_keeps_nothing(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    address = reverse("workbench:mapping", args=[application_id])
    given = {"version": 1, "document": MAPPING, "act": "preview", "idempotency_key": "p"}
    answer = partner.post(address, {**given, "sample": own_sample(30, metres="4255")})
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert shown.count('<details class="fold"') == 20
    assert "CONVERSION_NOT_EXACT" in shown
    assert "4255" in shown
    assert "2026-11-19T00:20:00+08:00" in shown
    assert queries.application(application_id).version == 1
    assert queries.samples(application_id) == ()


def test_a_mistake_is_said_with_its_line_and_what_was_typed_stays(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    address = reverse("workbench:mapping", args=[application_id])
    wrong = MAPPING.replace("gb18030", "big5") + "# 我写的\n"
    for number_, act in enumerate(("save", "preview")):
        data = {
            "version": 1,
            "document": wrong,
            "act": act,
            "idempotency_key": f"w{number_}",
            "sample": own_sample(),
        }
        answer = partner.post(address, data)
        shown = answer.content.decode()
        assert answer.status_code >= 400
        assert "第 2 行" in shown
        assert "我写的" in shown
    assert queries.application(application_id).version == 1


def test_a_mapping_can_be_sent_as_a_file(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    file = SimpleUploadedFile("mapping.yaml", b"\xef\xbb\xbf" + MAPPING.encode(), "application/yaml")
    data: dict[str, object] = {"version": 1, "document": "", "act": "save", "document_file": file}
    post(partner, "mapping", [application_id], data, "file")
    assert queries.application(application_id).content.mapping == MAPPING


def test_an_application_in_our_format_has_no_such_page(ruled: Desk) -> None:
    partner = ruled.client("other_partner")
    application_id = begin(ruled, partner)
    post(partner, "edit-application", [application_id], form_of(application_id, adapter="standard"), "edit")
    assert partner.get(reverse("workbench:mapping", args=[application_id])).status_code == 404
