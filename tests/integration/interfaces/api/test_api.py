"""Partners send files under a key; everybody reads what is public; every error has one shape."""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.integration.behaviour.activity.town import Town, build, bus, csv
from tests.integration.interfaces.conftest import Registry

from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.operations import post_batch
from tanpuhui.foundation.identity.operations import (
    OrganisationKind,
    issue_api_key,
    register_organisation,
    revoke_api_key,
)
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.identifiers import complete_uscc

BATCHES = "/api/v1/batches"
FILE = csv(bus("R1"), bus("R2", distance="-3"), bus("R3", subject="unknown"), bus("=1+1", area="000000"))


@pytest.fixture
def town(db: None, own_folder: Path) -> Town:
    return build(subjects=("S1",))


@pytest.fixture
def key(town: Town) -> str:
    return issue_api_key(actor=SYSTEM, at=timezone.now(), organisation_id=town.partner_id, name="生产").key


def send(client: Client, key: str, content: bytes = FILE, *, under: str = "day-1", **headers: str) -> Any:
    given = {
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": under,
        "X-File-Name": "rides.csv",
        **headers,
    }
    return client.post(
        BATCHES, data=content, content_type="text/csv", headers={n: v for n, v in given.items() if v}
    )


def problem(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"code", "message", "data", "retryable"}
    return dict(body)


def test_a_file_is_taken_and_its_report_can_be_read(
    town: Town, key: str, client: Client, now: datetime
) -> None:
    sent = send(client, key)
    assert sent.status_code == 202
    accepted = sent.json()
    assert accepted["report_url"].endswith(f"{BATCHES}/{accepted['batch_id']}")
    post_batch(actor=SYSTEM, at=now, batch_id=accepted["batch_id"])
    report = client.get(accepted["report_url"], headers={"Authorization": f"Bearer {key}"}).json()
    assert (report["state"], report["rows"], report["grams"], report["file_name"]) == (
        "posted",
        4,
        436,
        "rides.csv",
    )
    assert sum(report["verdicts"].values()) == 4
    assert report["outcomes_total"] == len(report["outcomes"]) == 3
    rejected = client.get(report["rejected_csv_url"], headers={"Authorization": f"Bearer {key}"})
    lines = b"".join(rejected.streaming_content).decode().splitlines()
    assert lines[0].startswith("row_number,verdict,reason")
    assert len(lines) == 4
    assert not any(cell.startswith("=") for line in lines for cell in line.split(","))


def test_rejected_rows_are_taken_corrected_and_sent_for_their_batch(
    town: Town, key: str, client: Client, now: datetime
) -> None:
    asked = {"Authorization": f"Bearer {key}"}
    batch_id = send(client, key).json()["batch_id"]
    post_batch(actor=SYSTEM, at=now, batch_id=batch_id)
    address = f"{BATCHES}/{batch_id}"
    left = client.get(address, headers=asked).json()["rows_open"]
    assert left > 0
    template = b"".join(client.get(f"{address}/to-correct.csv", headers=asked).streaming_content)
    names, *lines = template.decode().splitlines()
    row = lines[0].split(",")[names.split(",").index("corrects_row")]
    mended = csv(bus("MENDED")).decode().splitlines()
    content = f"{mended[0]},corrects_row\n{mended[1]},{row}\n".encode()
    sent = client.post(
        f"{BATCHES}?corrects={batch_id}",
        data=content,
        content_type="text/csv",
        headers=asked | {"Idempotency-Key": "again", "X-File-Name": "again.csv"},
    )
    assert sent.status_code == 202
    later = sent.json()["batch_id"]
    post_batch(actor=SYSTEM, at=now, batch_id=later)
    report = client.get(address, headers=asked).json()
    assert (report["rows_open"], report["corrected_by"]) == (left - 1, [later])
    assert client.get(f"{BATCHES}/{later}", headers=asked).json()["corrects"] == batch_id


def test_a_resend_has_one_effect_and_another_file_under_the_key_is_a_conflict(
    town: Town, key: str, client: Client
) -> None:
    first, again = send(client, key), send(client, key)
    assert first.json() == again.json()
    assert Batch.objects.count() == 1
    other = send(client, key, csv(bus("R9")))
    assert (other.status_code, problem(other)["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert Batch.objects.count() == 1


def test_a_compressed_file_is_kept_as_it_came(town: Town, key: str, client: Client) -> None:
    packed = gzip.compress(FILE, mtime=0)
    sent = send(client, key, packed, **{"X-File-Name": "%E5%87%BA%E8%A1%8C.csv.gz"})
    assert sent.status_code == 202
    row = Batch.objects.get(pk=sent.json()["batch_id"])
    assert (row.size_bytes, row.file_name) == (len(packed), "出行.csv.gz")


@pytest.mark.parametrize("method", ["post", "get"])
def test_without_a_key_nothing_is_taken_or_told(method: str, town: Town, client: Client) -> None:
    response = getattr(client, method)(BATCHES if method == "post" else f"{BATCHES}/1")
    assert (response.status_code, problem(response)["code"]) == (401, "NOT_SIGNED_IN")


def test_a_wrong_or_revoked_key_is_named(town: Town, client: Client) -> None:
    issued = issue_api_key(actor=SYSTEM, at=timezone.now(), organisation_id=town.partner_id, name="旧")
    revoke_api_key(actor=SYSTEM, at=timezone.now(), api_key_id=issued.api_key_id)
    for key in (issued.key, "tph_guess"):
        response = send(client, key)
        assert (response.status_code, problem(response)["code"]) == (401, "API_KEY_UNKNOWN")
    assert not Batch.objects.exists()


def test_a_session_counts_for_nothing_at_the_api(town: Town, client: Client) -> None:
    from tanpuhui.foundation.identity.models import User

    client.force_login(User.objects.get(pk=town.users["S1"]))
    response = client.post(BATCHES, data=FILE, content_type="text/csv")
    assert response.status_code == 401


def test_one_partner_does_not_see_anothers_batch(town: Town, key: str, client: Client, now: datetime) -> None:
    batch_id = send(client, key).json()["batch_id"]
    other = register_organisation(
        actor=SYSTEM, at=now, kind=OrganisationKind.PARTNER, name="另一家", name_en="Another",
        uscc=complete_uscc("91990000", "MA000009"), area="990000",
    )  # fmt: skip
    foreign = issue_api_key(
        actor=SYSTEM, at=timezone.now(), organisation_id=other.organisation_id, name="k"
    ).key
    for address in (
        f"{BATCHES}/{batch_id}",
        f"{BATCHES}/{batch_id}/rejected.csv",
        f"{BATCHES}/{batch_id}/to-correct.csv",
    ):
        response = client.get(address, headers={"Authorization": f"Bearer {foreign}"})
        assert (response.status_code, problem(response)["code"]) == (404, "NOT_FOUND")
    refused = send(client, foreign)
    assert (refused.status_code, problem(refused)["code"]) == (409, "FEED_CLOSED")


@pytest.mark.parametrize("missing", ["Idempotency-Key", "X-File-Name"])
def test_a_missing_header_is_a_422_in_the_one_shape(
    missing: str, town: Town, key: str, client: Client
) -> None:
    response = send(client, key, **{missing: ""})
    assert (response.status_code, problem(response)["code"]) == (422, "INVALID")
    assert missing.lower() in str(problem(response)["data"]).lower().replace("_", "-")


def test_an_unknown_format_is_named(town: Town, key: str, client: Client) -> None:
    given = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k", "X-File-Name": "a.csv"}
    response = client.post(f"{BATCHES}?adapter=fax", data=FILE, content_type="text/csv", headers=given)
    assert problem(response)["code"] == "ADAPTER_UNKNOWN"


def test_a_body_above_the_limit_is_refused_and_leaves_nothing(
    town: Town, key: str, client: Client, settings: Settings, own_folder: Path
) -> None:
    settings.TANPUHUI_BATCH_BYTES_MAX = len(FILE) - 1
    response = send(client, key)
    assert (response.status_code, problem(response)["code"]) == (413, "FILE_TOO_LARGE")
    assert not Batch.objects.exists()
    assert [path for path in (own_folder / "documents").rglob("*") if path.is_file()] == []


def test_a_limit_holds_whatever_the_length_header_says(own_folder: Path) -> None:
    import io

    from tanpuhui.interfaces.api.views.batches import FileTooLarge, LimitedBody

    body = LimitedBody(io.BytesIO(b"x" * 11), limit=10)  # type: ignore[arg-type]
    assert body.read(10) == b"x" * 10
    with pytest.raises(FileTooLarge):
        body.read(10)


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "a%0Ab.csv"])
def test_a_file_name_carries_no_folder_and_no_control_character(
    name: str, town: Town, key: str, client: Client
) -> None:
    response = send(client, key, **{"X-File-Name": name})
    if response.status_code == 202:
        assert Batch.objects.get().file_name == "passwd"
    else:
        assert problem(response)["code"] == "INVALID"


def test_an_unknown_address_answers_in_the_one_shape(db: None, own_folder: Path, client: Client) -> None:
    response = client.get("/api/v1/nothing-here")
    assert (response.status_code, problem(response)["code"]) == (404, "NOT_FOUND")


def test_a_refusal_speaks_the_language_asked_for(town: Town, client: Client) -> None:
    english = client.get(f"{BATCHES}/1", headers={"Accept-Language": "en"})
    assert problem(english)["message"].startswith("This address needs an API key")


def test_a_certificate_the_head_and_the_keys_are_open(registry: Registry, client: Client) -> None:
    found = client.get(f"/api/v1/certificates/{registry.retired.certificate_number}").json()
    assert (found["quantity_t"], found["content"]["quantity_t"]) == (7, 7)
    assert found["page_url"].endswith(registry.page)
    assert client.get("/api/v1/log/head").content == client.get("/log/head").content
    assert client.get("/api/v1/keys").content == client.get("/keys").content
    assert problem(client.get("/api/v1/certificates/none"))["code"] == "NOT_FOUND"


def test_every_error_that_can_be_answered_is_documented_in_the_one_shape(
    db: None, own_folder: Path, client: Client
) -> None:
    document = client.get("/api/v1/openapi.json").json()
    answers = document["paths"][BATCHES]["post"]["responses"]
    assert {"202", "401", "403", "409", "413", "422", "503"} <= set(answers)
    shapes = {
        answers[code]["content"]["application/json"]["schema"]["$ref"] for code in answers if code != "202"
    }
    assert shapes == {"#/components/schemas/Problem"}
    assert set(document["components"]["schemas"]["Problem"]["required"]) == {
        "code",
        "message",
        "data",
        "retryable",
    }


def test_the_documents_need_no_script_of_anybody_else(db: None, own_folder: Path, client: Client) -> None:
    response = client.get("/api/v1/docs")
    body = response.content.decode()
    assert "/api/v1/batches" in body
    assert re.findall(r'(?:src|href)="https?://', body) == []
    assert "unsafe" not in response.headers["Content-Security-Policy"]
