"""A small scheme with real users: the credits cast, a data partner, a merchant, experts, a regulator, two riders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pydantic import SecretStr
from pytest_django import Settings
from tests.credits_cast import AREA, CreditsCast, assemble
from tests.integration.behaviour.activity.town import (
    CITY,
    DEMONSTRATION,
    LONG_AGO,
    METHODOLOGIES,
    file_methodology,
)

from tanpuhui.behaviour.activity.operations import open_feed, open_scenario, post_batch, receive_batch
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_accounts
from tanpuhui.config import wiring
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import (
    NewCitizen,
    OrganisationKind,
    add_member,
    bind_partner_subjects,
    give_consents,
    register_citizens,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.workflow.operations import CaseOpened
from tanpuhui.science.methodology.operations import import_version, propose_filing

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
HEADER = "record_id,subject,scenario,started_at,ended_at,area,distance_km"
PASSWORD = SecretStr("a long pass phrase 1")


@dataclass(kw_only=True)
class Desk:
    """Who sits where."""

    cast: CreditsCast
    partner_id: int
    other_partner_id: int
    merchant_id: int
    other_merchant_id: int
    other_owner_id: int
    citizens: tuple[int, ...]
    users: dict[str, User] = field(default_factory=dict)

    def client(self, name: str, *, language: str = "zh-hans") -> Client:
        """Return the browser of somebody who is signed in."""
        client = Client(headers={"accept-language": language})
        client.force_login(self.users[name])
        return client

    def rides(
        self, count: int, *, first: int = 0, month: str = "2026-10", extra: tuple[str, ...] = ()
    ) -> bytes:
        """Return a file of long rides: at most one for each rider, day and hour, so that no cap clips them."""
        rows = [
            f"r{n},S{n % 2},bus,{month}-{n // 12 % 28 + 1:02d}T{6 + n % 12:02d}:{n // 336:02d}:00+08:00,,{CITY},200"
            for n in range(first, first + count)
        ]
        return "\n".join([HEADER, *rows, *extra, ""]).encode()

    def send(self, content: bytes) -> int:
        """Send a file as the partner's system does, have it posted, and return its batch."""
        partner = Actor(
            kind="partner",
            id=str(self.partner_id),
            grants=(Grant(role=Role.PARTNER, organisation_id=self.partner_id),),
        )
        batch_id = receive_batch(
            actor=partner, at=timezone.now(), idempotency_key=sha256(content).hexdigest(),
            partner_id=self.partner_id, adapter="standard", file_name="rides.csv", media_type="text/csv",
            content=content,
        ).batch_id  # fmt: skip
        self.post(batch_id)
        return batch_id

    def post(self, batch_id: int) -> None:
        """Do what the worker does."""
        post_batch(actor=SYSTEM, at=timezone.now(), batch_id=batch_id)

    def proposed(self) -> CaseOpened:
        """Propose a revised version for filing and return its case."""
        path = METHODOLOGIES / "a01-bus" / "1.0"
        files = {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}
        files["methodology.yaml"] = files["methodology.yaml"].replace(b'version: "1.0"', b'version: "1.1"', 1)
        imported = import_version(actor=SYSTEM, at=NOW, files=files, parameter_set=DEMONSTRATION.read_bytes())
        opened = propose_filing(actor=self.cast.maker, at=NOW, version_id=imported.version_id)
        return CaseOpened(case_id=opened.case_id, number=opened.number, state="proposed")


@pytest.fixture
def desk(
    db: None, settings: Settings, tmp_path: Path, invented_jurisdiction: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """Set the desk up through operations, at a fixed hour."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    wiring.install()
    cast = assemble(at=LONG_AGO, folder=invented_jurisdiction)

    def organisation(kind: OrganisationKind, number: int) -> int:
        return register_organisation(
            actor=SYSTEM,
            at=LONG_AGO,
            kind=kind,
            name=f"{kind} {number} 号",
            name_en=f"{kind} number {number}",
            uscc=complete_uscc("91990000", f"MA00020{number}"),
            area="990100" if kind is OrganisationKind.SUBCENTRE else AREA,
        ).organisation_id

    built = Desk(
        cast=cast,
        partner_id=organisation(OrganisationKind.PARTNER, 0),
        other_partner_id=organisation(OrganisationKind.PARTNER, 1),
        merchant_id=organisation(OrganisationKind.MERCHANT, 2),
        other_merchant_id=organisation(OrganisationKind.MERCHANT, 3),
        other_owner_id=organisation(OrganisationKind.OWNER, 4),
        citizens=_riders(),
    )
    centre = cast.maker.grants[0].organisation_id
    assert centre is not None
    for name, role, organisation_id in (
        ("partner", Role.PARTNER, built.partner_id),
        ("other_partner", Role.PARTNER, built.other_partner_id),
        ("merchant", Role.MERCHANT, built.merchant_id),
        ("other_merchant", Role.MERCHANT, built.other_merchant_id),
        ("owner", Role.OWNER, cast.owner_id),
        ("other_owner", Role.OWNER, built.other_owner_id),
        ("buyer", Role.BUYER, cast.buyer_id),
        ("verifier", Role.VERIFIER, cast.verifier_id),
        ("maker", Role.MAKER, centre),
        ("checker", Role.CHECKER, centre),
        ("expert", Role.EXPERT, organisation(OrganisationKind.EXPERT_BODY, 5)),
        ("regulator", Role.REGULATOR, organisation(OrganisationKind.REGULATOR, 6)),
        ("administrator", Role.ADMINISTRATOR, built.partner_id),
        ("system_administrator", Role.SYSTEM_ADMINISTRATOR, centre),
        ("security_administrator", Role.SECURITY_ADMINISTRATOR, centre),
        ("audit_administrator", Role.AUDIT_ADMINISTRATOR, centre),
        ("subcentre", Role.SUBCENTRE, organisation(OrganisationKind.SUBCENTRE, 7)),
    ):
        member = add_member(
            actor=SYSTEM, at=LONG_AGO, organisation_id=organisation_id, username=name, display_name=name.title(),
            password=PASSWORD, role=role, area="990100" if name == "subcentre" else AREA,
        )  # fmt: skip
        built.users[name] = User.objects.get(pk=member.user_id)
    built.users["citizen"] = User.objects.get(pk=built.citizens[0])
    _open_bus(built)
    yield built
    wiring.install()


def _riders() -> tuple[int, ...]:
    people = [NewCitizen(phone=f"1390000000{n}", display_name=f"乘客{n}", area=CITY) for n in range(2)]
    ids = register_citizens(actor=SYSTEM, at=LONG_AGO, citizens=people).user_ids
    open_carbon_accounts(actor=SYSTEM, at=LONG_AGO, user_ids=ids)
    return ids


def _open_bus(built: Desk) -> None:
    file_methodology("a01-bus", parameter_set=DEMONSTRATION, valid_from=date(2018, 1, 1))
    open_scenario(actor=SYSTEM, at=LONG_AGO, code="bus", name_zh="公交", name_en="Bus", area=AREA)
    for partner_id in (built.partner_id, built.other_partner_id):
        open_feed(
            actor=SYSTEM,
            at=LONG_AGO,
            partner_id=partner_id,
            scenario="bus",
            adapter="standard",
            evidence_tier=1,
        )
    pairs = [(f"S{n}", user_id) for n, user_id in enumerate(built.citizens)]
    bind_partner_subjects(actor=SYSTEM, at=LONG_AGO, partner_id=built.partner_id, pairs=pairs)
    give_consents(actor=SYSTEM, at=LONG_AGO, user_ids=list(built.citizens), scenario="bus", text_version="1")
