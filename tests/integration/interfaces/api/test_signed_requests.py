"""A partner's system signs its requests: what was changed, is old, comes again or is not theirs is refused by name."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from tests.integration.behaviour.activity.town import LONG_AGO, Town, build, bus, csv

from tanpuhui.behaviour.activity.models import Batch, PushedRecord
from tanpuhui.behaviour.activity.operations import gather_pushed, post_batch
from tanpuhui.behaviour.activity.queries import breaches
from tanpuhui.books.ledger import queries as ledger
from tanpuhui.foundation.identity.models import UsedNonce
from tanpuhui.foundation.identity.operations import (
    SigningKeyUnusable,
    forget_nonces,
    issue_api_key,
    register_signing_key,
    revoke_signing_key,
)
from tanpuhui.foundation.kernel.actors import SYSTEM
from tanpuhui.foundation.kernel.quantities import Grams

BATCHES, RECORDS = "/api/v1/batches", "/api/v1/records"
COVERED = ("@method", "@authority", "@path", "@query")
FILE = csv(bus("R1"))
_numbers = count()


@dataclass
class Request:
    """A request as the library signs it and the test client sends it."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class System:
    """A partner's system with its private key."""

    client: Client
    key: Ed25519PrivateKey
    key_id: str

    def signed(
        self,
        path: str,
        body: bytes | None = None,
        *,
        under: str = "k",
        kind: str = "application/json",
        at: datetime | None = None,
        nonce: str = "",
        covered: tuple[str, ...] | None = None,
    ) -> Request:
        request = Request("GET" if body is None else "POST", f"http://testserver{path}")
        if body is not None:
            digest = b64encode(hashlib.sha256(body).digest()).decode()
            request.headers |= {
                "Content-Digest": f"sha-256=:{digest}:",
                "Idempotency-Key": under,
                "Content-Type": kind,
                "X-File-Name": "rides.csv",
            }
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={self.key_id: self.key}),
        )
        with_body = () if body is None else ("content-digest", "idempotency-key")
        signer.sign(
            request,
            key_id=self.key_id,
            created=at or datetime.now(UTC),
            nonce=nonce or f"nonce-number-{next(_numbers):08}",
            covered_component_ids=covered or (*COVERED, *with_body),
            use_existing_digest=body is not None,
        )
        return request

    def send(self, request: Request, body: bytes | None = None) -> Any:
        path = request.url.removeprefix("http://testserver")
        headers = {name: value for name, value in request.headers.items() if name != "Content-Type"}
        if request.method == "GET":
            return self.client.get(path, headers=headers)
        kind = request.headers["Content-Type"]
        return self.client.post(path, data=body, content_type=kind, headers=headers)


@pytest.fixture
def town(db: None, own_folder: Path) -> Town:
    return build(subjects=("S1",))


@pytest.fixture
def system(town: Town, client: Client) -> System:
    return system_of(town, client)


def system_of(town: Town, client: Client, *, at: datetime | None = None) -> System:
    key = Ed25519PrivateKey.generate()
    found = register_signing_key(
        actor=SYSTEM, at=at or LONG_AGO, organisation_id=town.partner_id, name="生产", public_key=pem(key)
    )
    return System(client, key, found.key_id)


def pem(key: Ed25519PrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form).decode()


def refused(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def ride(record_id: str = "P1", **more: Any) -> dict[str, Any]:
    started = f"{timezone.localdate():%Y-%m-%d}T00:00:00+08:00"
    return {
        "record_id": record_id,
        "subject": "S1",
        "scenario": "bus",
        "started_at": started,
        "area": "990102",
        "distance_km": 8.4,
        **more,
    }


def test_a_signed_file_is_taken_and_its_report_is_read_by_a_signed_request(
    town: Town, system: System
) -> None:
    sent = system.send(system.signed(BATCHES, FILE, kind="text/csv"), FILE)
    assert sent.status_code == 202
    path = f"{BATCHES}/{sent.json()['batch_id']}"
    assert system.send(system.signed(path)).status_code == 200


def test_the_same_signed_request_is_carried_out_once(town: Town, system: System) -> None:
    request = system.signed(BATCHES, FILE, kind="text/csv")
    assert system.send(request, FILE).status_code == 202
    assert refused(system.send(request, FILE)) == (401, "SIGNATURE_REPLAYED")
    again = system.send(system.signed(BATCHES, FILE, kind="text/csv"), FILE)
    assert again.status_code == 202  # signed anew under the same idempotency key: the same answer
    assert Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda r: setattr(r, "url", f"{r.url}?adapter=other"), "SIGNATURE_INVALID"),
        (lambda r: r.headers.update({"Idempotency-Key": "another"}), "SIGNATURE_INVALID"),
        (lambda r: r.headers.update({"Content-Digest": f"sha-256=:{'A' * 43}=:"}), "SIGNATURE_INVALID"),
        (lambda r: r.headers.pop("Signature"), "SIGNATURE_INVALID"),
        (lambda r: r.headers.update({"Signature-Input": "nonsense"}), "SIGNATURE_INVALID"),
    ],
    ids=["address", "idempotency key", "digest", "no signature", "nonsense"],
)
def test_nothing_that_decides_what_happens_can_be_changed(
    town: Town, system: System, change: Callable[[Request], None], code: str
) -> None:
    request = system.signed(BATCHES, FILE, kind="text/csv")
    change(request)
    assert refused(system.send(request, FILE)) == (401, code)
    assert not Batch.objects.exists()


def test_another_body_than_the_signed_one_is_not_kept(town: Town, system: System) -> None:
    other = csv(bus("R2"))
    response = system.send(system.signed(BATCHES, FILE, kind="text/csv"), other)
    assert refused(response) == (422, "CONTENT_DIGEST_WRONG")
    body = json.dumps(ride()).encode()
    assert refused(system.send(system.signed(RECORDS, body), body + b" ")) == (422, "CONTENT_DIGEST_WRONG")
    assert not Batch.objects.exists()
    assert not PushedRecord.objects.exists()


def test_what_has_to_be_covered_is_asked_for(town: Town, system: System) -> None:
    request = system.signed(
        BATCHES, FILE, kind="text/csv", covered=("@method", "@authority", "@path", "@query")
    )
    assert refused(system.send(request, FILE)) == (401, "SIGNATURE_INVALID")
    short = system.signed(BATCHES, FILE, kind="text/csv", nonce="short")
    assert refused(system.send(short, FILE)) == (401, "SIGNATURE_INVALID")


@pytest.mark.parametrize("minutes", [-6, 6], ids=["late", "clock ahead"])
def test_an_old_signature_and_a_clock_that_is_ahead_are_told_apart_from_a_wrong_one(
    town: Town, system: System, minutes: int
) -> None:
    request = system.signed(BATCHES, FILE, kind="text/csv", at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert refused(system.send(request, FILE)) == (401, "SIGNATURE_STALE")


def test_keys_rotate_without_a_gap_and_a_revoked_one_is_nobodys(
    town: Town, system: System, client: Client
) -> None:
    new = system_of(town, client)
    for one in (system, new):
        assert one.send(one.signed(f"{BATCHES}/999")).status_code == 404
    old = register_signing_key(
        actor=SYSTEM,
        at=LONG_AGO,
        organisation_id=town.partner_id,
        name="旧",
        public_key=pem(system.key),
        valid_to=LONG_AGO + timedelta(days=1),
    )
    expired = System(client, system.key, old.key_id)
    assert refused(expired.send(expired.signed(f"{BATCHES}/999"))) == (401, "SIGNATURE_KEY_UNKNOWN")
    from tanpuhui.foundation.identity.queries import signing_keys

    (row,) = (one for one in signing_keys(town.partner_id) if one.key_id == new.key_id)
    revoke_signing_key(actor=SYSTEM, at=timezone.now(), signing_key_id=row.id)
    assert refused(new.send(new.signed(f"{BATCHES}/999"))) == (401, "SIGNATURE_KEY_UNKNOWN")


def test_whoever_has_a_signing_key_signs(town: Town, client: Client) -> None:
    key = issue_api_key(actor=SYSTEM, at=timezone.now(), organisation_id=town.partner_id, name="联调").key
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.get(f"{BATCHES}/999", headers=bearer).status_code == 404
    system_of(town, client)
    assert refused(client.get(f"{BATCHES}/999", headers=bearer)) == (401, "SIGNATURE_NEEDED")


def test_only_an_ed25519_public_key_is_registered(town: Town) -> None:
    for text in ("", "nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"):
        with pytest.raises(SigningKeyUnusable):
            register_signing_key(
                actor=SYSTEM, at=LONG_AGO, organisation_id=town.partner_id, name="x", public_key=text
            )


def test_nonces_are_kept_as_long_as_they_could_be_used_again(town: Town, system: System) -> None:
    system.send(system.signed(f"{BATCHES}/999"))
    assert forget_nonces(actor=SYSTEM, at=timezone.now()).nonces == 0
    assert forget_nonces(actor=SYSTEM, at=timezone.now() + timedelta(minutes=11)).nonces == 1
    assert not UsedNonce.objects.exists()


def test_pushed_records_are_kept_at_once_and_posted_as_a_files_rows_are(town: Town, system: System) -> None:
    records = [
        ride("P1"),
        ride("P2", distance_km=-3),
        ride("P3", subject=""),
        ride("P1"),
        ride("P4", started_at="heute"),
    ]
    body = json.dumps(records).encode()
    sent = system.send(system.signed(RECORDS, body), body)
    assert sent.status_code == 202
    assert [(one["record_id"], one["state"], one["reason"]) for one in sent.json()["receipts"]] == [
        ("P1", "received", ""),
        ("P2", "received", ""),
        ("P3", "refused", "MISSING_FIELD"),
        ("P1", "known", ""),
        ("P4", "refused", "BAD_TIME"),
    ]
    at = timezone.now()
    gathered = gather_pushed(actor=SYSTEM, at=at, partner_id=town.partner_id)
    assert (gathered.records, gather_pushed(actor=SYSTEM, at=at, partner_id=town.partner_id).records) == (
        2,
        0,
    )
    assert gathered.batch_id is not None
    assert verdict(system, "P1") == ("received", "")
    post_batch(actor=SYSTEM, at=at, batch_id=gathered.batch_id)
    assert verdict(system, "P1") == ("counted", "")
    assert verdict(system, "P2") == ("rejected", "NEGATIVE_DISTANCE")
    assert ledger.balance(town.accounts["S1"]).grams == Grams(436)
    assert list(breaches()) == []


def test_a_corrected_record_counts_and_a_changed_one_does_not_count_twice(town: Town, system: System) -> None:
    for record in (ride("P1"), ride("P2", distance_km=-3), ride("P1", distance_km=9), ride("P2")):
        body = json.dumps(record).encode()
        system.send(system.signed(RECORDS, body, under=str(next(_numbers))), body)
        gathered = gather_pushed(actor=SYSTEM, at=timezone.now(), partner_id=town.partner_id)
        post_batch(actor=SYSTEM, at=timezone.now(), batch_id=gathered.batch_id or 0)
    assert verdict(system, "P1") == ("duplicate", "DUPLICATE_POSTED")
    assert verdict(system, "P2") == ("counted", "")
    assert ledger.balance(town.accounts["S1"]).grams == Grams(872)


@pytest.mark.parametrize("body", [b"[]", b"{", b"[1]", b'"x"'], ids=["none", "broken", "number", "text"])
def test_a_body_without_records_is_refused(town: Town, system: System, body: bytes) -> None:
    assert system.send(system.signed(RECORDS, body), body).status_code == 422


def test_a_record_nobody_pushed_is_not_found(town: Town, system: System) -> None:
    path = f"{RECORDS}/P9?day={timezone.localdate()}"
    assert refused(system.send(system.signed(path))) == (404, "RECORD_NOT_PUSHED")


def verdict(system: System, record_id: str) -> tuple[str, str]:
    path = f"{RECORDS}/{record_id}?day={timezone.localdate()}"
    first = system.send(system.signed(path)).json()[0]
    return first["verdict"], first["reason"]
