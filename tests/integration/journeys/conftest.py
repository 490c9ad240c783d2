"""A centre with a maker, a checker and a system administrator, and a citizen who applies for an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from tanpuhui.config import wiring
from tanpuhui.foundation.identity.operations import (
    AuthorisedPerson,
    OrganisationFacts,
    OrganisationKind,
    add_member,
    register_citizen,
    register_organisation,
)
from tanpuhui.foundation.identity.queries import actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.foundation.workflow.operations import Decided, decide
from tanpuhui.journeys import OrganisationApplied, apply_for_organisation

AREA = "990100"
PDF = b"%PDF-1.7 a scan"
PASSWORD = SecretStr("another-long-password")
FACTS = OrganisationFacts(
    kind=OrganisationKind.PARTNER,
    name="北港充电网",
    name_en="Beigang Charging",
    uscc=complete_uscc("91990100", "MA9D0777"),
    area=AREA,
    contract_number="HH-2026-07",
    contract_from=date(2026, 1, 1),
    contract_to=date(2027, 12, 31),
    people=(
        AuthorisedPerson(
            name="港一", phone="13800000001", username="beigang.one", roles=(Role.ADMINISTRATOR, Role.PARTNER)
        ),
        AuthorisedPerson(name="港二", phone="13800000002", username="beigang.two", roles=(Role.PARTNER,)),
    ),
)


@dataclass(kw_only=True)
class Counter:
    """Where an application is filed and decided."""

    at: datetime
    outbox: Path
    users: dict[str, int] = field(default_factory=dict)

    def actor(self, name: str, at: datetime | None = None) -> Actor:
        return actor_of(user_id=self.users[name], at=at or self.at)

    def applies(self, facts: OrganisationFacts = FACTS, **changes: object) -> OrganisationApplied:
        arguments: dict[str, object] = {
            "actor": self.actor("citizen"),
            "at": self.at,
            "facts": facts,
            "licence_name": "执照.pdf",
            "licence": PDF,
            "authorisation_name": "授权书.pdf",
            "authorisation": PDF + b" 2",
        }
        return apply_for_organisation(**{**arguments, **changes})  # type: ignore[arg-type]

    def decides(self, name: str, case_id: int, outcome: str, at: datetime | None = None) -> Decided:
        return decide(
            actor=self.actor(name, at),
            at=at or self.at,
            idempotency_key=None,
            case_id=case_id,
            outcome=outcome,
            opinion="已核对",
        )

    def admits(self, facts: OrganisationFacts = FACTS) -> OrganisationApplied:
        applied = self.applies(facts)
        self.decides("maker", applied.case_id, "complete")
        self.decides("checker", applied.case_id, "admit")
        return applied


@pytest.fixture
def counter(
    db: None, settings: Settings, tmp_path: Path, invented_jurisdiction: Path, now: datetime
) -> Iterator[Counter]:
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_SMS = "file"
    wiring.install()
    load_jurisdiction(actor=SYSTEM, at=now, folder=invented_jurisdiction)
    centre = register_organisation(
        actor=SYSTEM,
        at=now,
        kind=OrganisationKind.CENTRE,
        name="黄海中心",
        name_en="Centre",
        uscc=complete_uscc("12990000", "MB9D0001"),
        area="990000",
    ).organisation_id
    built = Counter(at=now, outbox=tmp_path / "outbox" / "sms.log")
    for role in (Role.MAKER, Role.CHECKER, Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR):
        built.users[role.value] = add_member(
            actor=SYSTEM, at=now, organisation_id=centre, username=f"c.{role}", display_name=role.value.title(),
            password=PASSWORD, role=role, area="990000",
        ).user_id  # fmt: skip
    for name, phone in (("citizen", "13900000001"), ("stranger", "13900000002")):
        built.users[name] = register_citizen(
            actor=SYSTEM, at=now, phone=phone, display_name=name, area="990202"
        ).user_id
    yield built
    wiring.install()


def changed(**changes: object) -> OrganisationFacts:
    return replace(FACTS, **changes)  # type: ignore[arg-type]
