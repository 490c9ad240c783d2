"""A certificate's page says "valid" only when registry, log, signatures and history were checked now and agree."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override
from tests.integration.interfaces.conftest import Registry, damage, retire
from tests.integration.interfaces.portal.test_pages import text_of

from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.interfaces.portal.examination import Standing, examine

SOURCE = Path(__file__).resolve().parents[4] / "src"


def test_a_sound_certificate_is_valid_by_four_checks(
    registry: Registry, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        response = client.get(registry.page)
    text = text_of(response)
    assert "证书有效" in text
    assert response.context["standing"] == "valid"
    assert [check.ok for check in response.context["examined"].checks] == [True] * 4
    assert "序列号 7 个，状态均为已消纳，未在别处使用" in text
    assert "湿地徒步大会" in text
    assert registry.retired.serials[0] in text
    assert response.content.decode().count('class="mk-n"') == len(response.context["examined"].sides)


def test_the_english_page_says_the_same(registry: Registry, english: Client) -> None:
    text = text_of(english.get(registry.page))
    assert "Certificate valid" in text
    assert "7 serials, all retired under this certificate and used nowhere else" in text


def test_a_certificate_of_one_tonne_is_spoken_of_in_the_singular(
    registry: Registry, english: Client, now: datetime
) -> None:
    single = retire(registry.cast, registry.issuance.issuance_id, 1, key="one")
    sequence_leaves(at=now)
    assert "this 1 tonne was not used a second time" in text_of(
        english.get(f"/c/{single.certificate_number}")
    )


def test_later_heads_keep_it_valid_against_the_first_that_covered_it(
    registry: Registry, client: Client, now: datetime
) -> None:
    for hour in range(1, 4):
        retire(registry.cast, registry.issuance.issuance_id, 1, key=f"later-{hour}")
        sequence_leaves(at=now + timedelta(hours=hour))
    with override("zh-hans"):
        examined = examine(number=registry.retired.certificate_number)
    assert examined.standing is Standing.VALID
    assert (examined.head_number, examined.checks[3].ok) == (5, True)
    assert "第 2 号树头前后一致" in examined.checks[3].detail


def test_a_fresh_certificate_is_pending_and_not_yet_valid(unsequenced: Registry, client: Client) -> None:
    response = client.get(unsequenced.page)
    text = text_of(response)
    assert response.context["standing"] == "pending"
    assert "证明待生成" in text
    assert "证书有效" not in text
    assert client.get(f"{unsequenced.page}.pdf").status_code == 409
    assert json.loads(client.get(f"{unsequenced.page}.json").content)["proof"] is None


NO_CHECK = "alter table transparency_leaf drop constraint transparency_leaf_hash; "
"""The owner of the database can take a constraint away, too."""
DAMAGES = {
    "the units are held again": "update registry_block set state = 'held', certificate_number = null where state = 'retired'",
    "the units are gone": "delete from registry_block where state = 'retired'",
    "another certificate claims them": "update registry_block set certificate_number = 'X' where state = 'retired'",
    "more tonnes": "update registry_certificate set quantity = quantity + 1",
    "another beneficiary": "update registry_certificate set payload = jsonb_set(payload, '{beneficiary,name}', '\"别人\"')",
    "the leaf says more": "update transparency_leaf set leaf_bytes = convert_to(replace(convert_from(leaf_bytes, 'utf8'), '湿地', '沙地'), 'utf8'), leaf_hash = sha256('\\x00'::bytea || convert_to(replace(convert_from(leaf_bytes, 'utf8'), '湿地', '沙地'), 'utf8')) where kind = 'retirement'",
    "the leaf is no text": NO_CHECK
    + "update transparency_leaf set leaf_bytes = '\\xff00' where kind = 'retirement'",
    "the leaf is gone": "delete from transparency_leaf where kind = 'retirement'",
    "a sibling's hash": NO_CHECK
    + "update transparency_leaf set leaf_hash = sha256('x') where kind = 'transfer'",
    "a node is gone": "delete from transparency_node",
    "the head's root": "update transparency_head set head_bytes = convert_to(regexp_replace(convert_from(head_bytes, 'utf8'), '\"root\":\"....', '\"root\":\"0000'), 'utf8')",
    "the head is no text": "update transparency_head set head_bytes = '\\xff00'",
    "a signature": "update transparency_head set signatures = jsonb_set(signatures, '{ed25519,signature}', to_jsonb(repeat('0', 128)))",
    "one signature only": "update transparency_head set signatures = signatures - 'sm2-sm3'",
    "an earlier head's root": "update transparency_head set head_bytes = convert_to(regexp_replace(convert_from(head_bytes, 'utf8'), '\"root\":\"....', '\"root\":\"0000'), 'utf8') where number = 1",
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_row_is_never_called_valid(
    what: str, registry: Registry, client: Client, english: Client
) -> None:
    damage(DAMAGES[what])
    response = client.get(registry.page)
    text = text_of(response)
    assert response.status_code == 200
    assert "证书有效" not in text
    assert "证书不能认可" in text
    assert "vb-bad" in response.content.decode()
    assert "pv-bad" in response.content.decode()
    assert "Certificate valid" not in text_of(english.get(registry.page))
    refused = client.get(f"{registry.page}.pdf")
    assert refused.status_code == 409
    assert "CERTIFICATE_NOT_SOUND" in text_of(refused)


def test_an_unknown_number_has_a_page_that_says_what_to_do(registry: Registry, client: Client) -> None:
    response = client.get("/c/hh99-ret-2026-999999-x")
    assert response.status_code == 404
    assert "没有这张证书" in text_of(response)
    assert "HH99-RET-2026-999999-X" in text_of(response)


def test_the_pdf_carries_the_public_address(registry: Registry, client: Client, english: Client) -> None:
    response = client.get(f"{registry.page}.pdf")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert client.get(f"{registry.page}.pdf").content == response.content
    assert english.get(f"{registry.page}.pdf").content != response.content


def test_the_bundle_is_checked_by_a_process_that_knows_nothing_of_us(
    registry: Registry, client: Client, tmp_path: Path
) -> None:
    bundle, keys = tmp_path / "certificate.json", tmp_path / "keys.json"
    bundle.write_bytes(client.get(f"{registry.page}.json").content)
    keys.write_bytes(client.get("/keys").content)
    command = [
        sys.executable,
        "-m",
        "tanpuhui.interfaces.commands.main",
        "verify",
        str(bundle),
        "--keys",
        str(keys),
    ]
    assert subprocess.run(command, check=False, capture_output=True, cwd=SOURCE).returncode == 0


def upload(client: Client, content: bytes) -> Any:
    return client.post("/verify", {"file": SimpleUploadedFile("certificate.json", content)})


def test_a_stranger_may_bring_a_certificate(registry: Registry, client: Client) -> None:
    content = client.get(f"{registry.page}.json").content
    text = text_of(upload(client, content))
    assert "文件有效" in text
    assert registry.retired.certificate_number in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("湿地", "沙地"), "文件不能认可"),
        (lambda text: text.replace('"quantity_t":7', '"quantity_t":8'), "文件不能认可"),
        (lambda text: text[:-5], "文件读不了"),
        (lambda text: "", "文件读不了"),
    ],
)
def test_a_changed_file_is_refused_and_its_words_are_not_repeated(
    change: Any, said: str, registry: Registry, client: Client
) -> None:
    text = text_of(upload(client, change(client.get(f"{registry.page}.json").content.decode()).encode()))
    assert said in text
    assert "文件有效" not in text
    assert "沙地徒步大会" not in text


def test_no_file_is_a_mistake_that_is_named(registry: Registry, client: Client) -> None:
    response = client.post("/verify")
    assert response.status_code == 422
    assert "请选择从证书页下载的 JSON 文件" in text_of(response)


def test_the_log_answers_programs(registry: Registry, client: Client) -> None:
    head = client.get("/log/head").json()
    size = head["head"]["size"]
    assert client.get(f"/log/heads/{size}").json() == head
    assert client.get("/log/heads/999").status_code == 404
    inclusion = client.get(f"/log/proof/inclusion/{registry.retired.leaf_id}").json()
    assert (inclusion["size"], inclusion["root"]) == (size, head["head"]["root"])
    consistency = client.get(f"/log/proof/consistency/1/{size}").json()
    assert consistency["new_root"] == head["head"]["root"]
    assert client.get(f"/log/proof/consistency/{size}/1").status_code == 404
    assert client.get("/log/proof/inclusion/999999").status_code == 404
    assert {key["algorithm"] for key in client.get("/keys").json()["keys"]} == {"ed25519", "sm2-sm3"}
