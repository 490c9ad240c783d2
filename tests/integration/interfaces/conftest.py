"""A registry with one issuance and one certificate, set up through operations, and a browser that is not one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings
from tests.credits_cast import CreditsCast, assemble

from tanpuhui.books.transparency.operations import sequence_leaves
from tanpuhui.config import wiring
from tanpuhui.credits.registry.operations import Beneficiary, UnitsRetired, offer_transfer, retire_units
from tanpuhui.credits.registry.queries import IssuanceView, Purpose
from tanpuhui.foundation.kernel.quantities import Tonnes


@dataclass(frozen=True, kw_only=True)
class Registry:
    """100 t issued, 30 t of them in transit, 7 t retired."""

    cast: CreditsCast
    issuance: IssuanceView
    retired: UnitsRetired

    @property
    def page(self) -> str:
        return f"/c/{self.retired.certificate_number}"


@pytest.fixture(autouse=True)
def wired() -> Iterator[None]:
    """Give each test the tables of the composition root, and give them back where a test laid its own."""
    wiring.install()
    yield
    wiring.install()


@pytest.fixture
def own_folder(
    settings: Settings, tmp_path: Path, invented_jurisdiction: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give each test keys, documents and an outbox of its own."""
    monkeypatch.delenv("TANPUHUI_KEY_RING", raising=False)
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    return tmp_path


def retire(
    cast: CreditsCast, issuance_id: int, tonnes: int, *, key: str, kind: str = "event"
) -> UnitsRetired:
    return retire_units(
        actor=cast.owner,
        at=cast.at,
        organisation_id=cast.owner_id,
        issuance_id=issuance_id,
        quantity=Tonnes(tonnes),
        beneficiary=Beneficiary(kind=kind, name="湿地徒步大会", code="EV-1"),
        purpose=Purpose.EVENT,
        purpose_text="大型活动碳中和",
        idempotency_key=key,
    )


@pytest.fixture
def unsequenced(db: None, now: datetime, own_folder: Path, invented_jurisdiction: Path) -> Registry:
    """Assemble the registry; the retirement's leaf still waits for a head."""
    cast = assemble(at=now, folder=invented_jurisdiction)
    issuance = cast.issued(tonnes=100)
    sequence_leaves(at=now)
    offer_transfer(
        actor=cast.owner,
        at=now,
        issuance_id=issuance.issuance_id,
        source_organisation_id=cast.owner_id,
        target_organisation_id=cast.buyer_id,
        quantity=Tonnes(30),
        idempotency_key="offer",
    )
    return Registry(cast=cast, issuance=issuance, retired=retire(cast, issuance.issuance_id, 7, key="retire"))


@pytest.fixture
def registry(unsequenced: Registry, now: datetime) -> Registry:
    """Sign a head over everything."""
    sequence_leaves(at=now)
    return unsequenced


@pytest.fixture
def english(client: Client) -> Client:
    """Give a visitor who chose English."""
    other = Client()
    other.cookies["django_language"] = "en"
    return other


def damage(statement: str) -> None:
    """Change a row behind the triggers' back, as only the owner of the database could."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("set session_replication_role = origin")
