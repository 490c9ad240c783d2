from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from tests.integration.behaviour.activity import town as made_up

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.queries import RecordView
from tanpuhui.behaviour.carbon_accounts import queries as accounts
from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_account
from tanpuhui.config.wiring import install
from tanpuhui.foundation.identity.models import User
from tanpuhui.foundation.identity.operations import OrganisationKind, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.uses.rewards.operations import list_good


@dataclass(frozen=True, kw_only=True)
class Place:
    """A town with a shop, and the moment at which the pages are opened."""

    now: datetime
    town: made_up.Town
    shop_id: int
    clerk: Actor

    def citizen(self, subject: str) -> Actor:
        grant = Grant(role=Role.CITIZEN, area=made_up.CITY)
        return Actor(kind="user", id=str(self.town.users[subject]), grants=(grant,))

    def client(self, subject: str = "S1", *, language: str = "zh-hans", elder: bool = False) -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(User.objects.get(pk=self.town.users[subject]))
        if elder:
            client.cookies["tph_mode"] = "elder"
        return client

    def ride(self, *lines: str, key: str = "k1") -> None:
        self.town.post(made_up.csv(*lines), at=self.now, key=key)

    def record(self, subject: str = "S1") -> RecordView:
        """Return the latest record of a rider."""
        account = accounts.account_of_user(self.town.users[subject])
        return activity.records_of_account(
            account_id=account.ledger_account_id, first_day=date(2026, 1, 1), last_day=date(2026, 12, 31)
        )[0]

    def good(self, *, price: int = 30, stock: int = 5, limit: int | None = 2) -> int:
        return list_good(
            actor=self.clerk, at=self.now, merchant_id=self.shop_id, name_zh="公交周卡", name_en="Weekly bus card",
            face_value=Fen(1999), price=Points(price), stock=stock, valid_from=date(2026, 11, 1),
            valid_to=date(2027, 10, 31), limit_per_person=limit,
        ).good_id  # fmt: skip


@pytest.fixture
def place(  # noqa: PLR0917  pytest fills fixtures in by name
    db: None,
    now: datetime,
    settings: Settings,
    tmp_path: Path,
    invented_jurisdiction: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    """Build the town with two riders who have accounts, one without, and a shop; the clock stands at `now`."""
    settings.TANPUHUI_JURISDICTION_DIR = invented_jurisdiction
    settings.TANPUHUI_DATA_DIR = tmp_path
    settings.TANPUHUI_PUBLIC_URL = "https://carbon.example"
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    town = made_up.build(subjects=("S1", "S2", "S3"), with_accounts=False)
    install()
    shop_id = register_organisation(
        actor=SYSTEM, at=made_up.LONG_AGO, kind=OrganisationKind.MERCHANT, name="北港书店", name_en="Beigang Books",
        uscc=complete_uscc("91990000", "MA000100"), area=made_up.CITY,
    ).organisation_id  # fmt: skip
    grant = Grant(role=Role.MERCHANT, organisation_id=shop_id, area=made_up.CITY)
    built = Place(now=now, town=town, shop_id=shop_id, clerk=Actor(kind="user", id="9001", grants=(grant,)))
    for subject in ("S1", "S2"):
        user_id = town.users[subject]
        open_carbon_account(actor=built.citizen(subject), at=made_up.LONG_AGO, user_id=user_id)
    return built
