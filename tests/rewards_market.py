"""A market made through operations: two merchants, a good, two persons with points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from django.db import transaction

from tanpuhui.behaviour.carbon_accounts.operations import open_carbon_account
from tanpuhui.books.ledger.operations import AccountDayLegs, post_account_days
from tanpuhui.foundation.identity.operations import OrganisationKind, register_citizen, register_organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Fen, Points
from tanpuhui.foundation.messages.operations import load_templates
from tanpuhui.foundation.rulebook.operations import load_jurisdiction
from tanpuhui.uses.rewards.operations import CouponReserved, list_good, reserve_coupon

AREA = "990100"
PRICE = Points(100)
FACE_VALUE = Fen(1999)


@dataclass(frozen=True, kw_only=True)
class Market:
    """Who buys and sells, and when."""

    at: datetime
    merchant_id: int
    other_merchant_id: int
    merchant: Actor
    other_merchant: Actor
    maker: Actor
    people: tuple[Actor, Actor]
    accounts: tuple[int, int]

    def good(self, *, stock: int = 10, limit: int | None = None, days: int = 365) -> int:
        """List a good of the first merchant."""
        day = business_day(self.at)
        return list_good(
            actor=self.merchant,
            at=self.at,
            merchant_id=self.merchant_id,
            name_zh="公交周卡",
            name_en="Weekly bus card",
            face_value=FACE_VALUE,
            price=PRICE,
            stock=stock,
            valid_from=day,
            valid_to=day + timedelta(days=days),
            limit_per_person=limit,
        ).good_id

    def reserve(
        self, good_id: int, *, key: str = "r1", person: int = 0, at: datetime | None = None
    ) -> CouponReserved:
        """Let a person redeem one piece."""
        actor = self.people[person]
        return reserve_coupon(
            actor=actor, at=at or self.at, idempotency_key=key, good_id=good_id, user_id=int(actor.id)
        )


def open_market(*, at: datetime, folder: Path, points: int = 250) -> Market:
    """Load the rules, register everybody, and credit each person points for the day before."""
    load_jurisdiction(actor=SYSTEM, at=at, folder=folder)
    load_templates(actor=SYSTEM, at=at, folder=folder)
    shops = [
        register_organisation(
            actor=SYSTEM,
            at=at,
            kind=OrganisationKind.MERCHANT,
            name=name,
            name_en=name_en,
            uscc=complete_uscc("91990000", f"MA00010{number}"),
            area=AREA,
        ).organisation_id
        for number, (name, name_en) in enumerate(
            (("北港书店", "Beigang Books"), ("灯塔咖啡", "Lighthouse Café"))
        )
    ]
    users = [
        register_citizen(
            actor=SYSTEM, at=at, phone=f"1390000000{n}", display_name=f"市民{n}", area=AREA
        ).user_id
        for n in range(2)
    ]
    people = [
        Actor(kind="user", id=str(user), grants=(Grant(role=Role.CITIZEN, area=AREA),)) for user in users
    ]
    accounts = [
        open_carbon_account(actor=actor, at=at, user_id=int(actor.id)).ledger_account_id for actor in people
    ]
    _credit(accounts, points, at=at, day=business_day(at) - timedelta(days=1))

    def clerk(number: int, shop: int) -> Actor:
        grant = Grant(role=Role.MERCHANT, organisation_id=shop, area=AREA)
        return Actor(kind="user", id=str(9000 + number), grants=(grant,))

    return Market(
        at=at,
        merchant_id=shops[0],
        other_merchant_id=shops[1],
        merchant=clerk(1, shops[0]),
        other_merchant=clerk(2, shops[1]),
        maker=Actor(kind="user", id="9009", grants=(Grant(role=Role.MAKER, area="990000"),)),
        people=(people[0], people[1]),
        accounts=(accounts[0], accounts[1]),
    )


def _credit(accounts: list[int], points: int, *, at: datetime, day: date) -> None:
    size = len(accounts)
    with transaction.atomic():
        post_account_days(
            kind="posting",
            reference="market",
            at=at,
            system_code="scheme:credited",
            legs=AccountDayLegs(
                account_id=np.array(sorted(accounts), dtype=np.int64),
                day=np.full(size, day, dtype="datetime64[D]"),
                grams=np.full(size, points * 10, dtype=np.int64),
                points=np.full(size, points, dtype=np.int64),
                n_records=np.ones(size, dtype=np.int64),
            ),
        )
