"""An outbox of its own for each test, and a centre whose administrator may act."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django.fixtures import Settings

from tanpuhui.foundation.identity.operations import add_member, register_organisation
from tanpuhui.foundation.identity.queries import OrganisationKind, actor_of
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.rulebook.operations import load_jurisdiction

ROOT = Path(__file__).resolve().parents[4]
PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_JURISDICTION_DIR = ROOT / "tests" / "jurisdictions" / "huanghai"
    return tmp_path


@pytest.fixture
def rules(db: None, now: datetime) -> None:
    """Load the invented rules: what a password must be, what locks, how long a code holds."""
    load_jurisdiction(actor=SYSTEM, at=now, folder=ROOT / "tests" / "jurisdictions" / "huanghai")


@pytest.fixture
def centre_id(rules: None, now: datetime) -> int:
    return register_organisation(
        actor=SYSTEM,
        at=now,
        kind=OrganisationKind.CENTRE,
        name="黄海碳普惠中心",
        name_en="Huanghai Centre",
        uscc=complete_uscc("12990000", "00000001"),
        area="990000",
    ).organisation_id


@pytest.fixture
def partner_id(rules: None, now: datetime) -> int:
    return register_organisation(
        actor=SYSTEM,
        at=now,
        kind=OrganisationKind.PARTNER,
        name="北港公交",
        name_en="Beigang Bus",
        uscc=complete_uscc("91990100", "00000002"),
        area="990100",
    ).organisation_id


def _administrator(role: Role, username: str, centre_id: int, now: datetime) -> Actor:
    added = add_member(
        actor=SYSTEM,
        at=now,
        organisation_id=centre_id,
        username=username,
        display_name="三员之一",
        password=SecretStr(PASSWORD),
        role=role,
        area="990000",
    )
    return actor_of(user_id=added.user_id, at=now)


@pytest.fixture
def administrator(centre_id: int, now: datetime) -> Actor:
    return _administrator(Role.SYSTEM_ADMINISTRATOR, "admin.centre", centre_id, now)


@pytest.fixture
def security(centre_id: int, now: datetime) -> Actor:
    return _administrator(Role.SECURITY_ADMINISTRATOR, "admin.security", centre_id, now)
