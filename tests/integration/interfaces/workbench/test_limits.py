"""Operations limited to an area or an organisation are called on both sides of the limit: here they go, there they refuse.

tests/architecture/permissions.csv says which operations those are. The same person, in the same role, calls with the
things of their own city and organisation, and with those of the other city.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.integration.interfaces.workbench.conftest import NOW, Desk
from tests.integration.interfaces.workbench.two_cities import City, two_cities

from tanpuhui.behaviour.activity import operations as activity
from tanpuhui.credits.projects import operations as projects
from tanpuhui.credits.registry import operations as registry
from tanpuhui.foundation.identity import operations as identity
from tanpuhui.foundation.identity.queries import OrganisationKind
from tanpuhui.foundation.kernel.actors import Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import NotFound, NotPermitted, Refusal
from tanpuhui.foundation.kernel.identifiers import complete_uscc
from tanpuhui.foundation.kernel.quantities import Fen, Points, Tonnes
from tanpuhui.uses.rewards import operations as rewards

TABLE = Path(__file__).resolve().parents[3] / "architecture" / "permissions.csv"
CLOSED = (NotPermitted, NotFound, identity.NotTheirPerson)
PASSWORD = SecretStr("Another pass phrase 9")


@dataclass(frozen=True)
class Trial:
    """One operation: who calls it in the first city, and how it is called on a city's things."""

    who: Callable[[City], Actor]
    call: Callable[[Actor, City], object]


def staff(kind: str, role: Role) -> Callable[[City], Actor]:
    return lambda city: city.actor(kind, role)


def office(role: Role) -> Callable[[City], Actor]:
    """An administrator of the scheme whose area is one city: the area is what is tried here."""
    return lambda city: Actor(kind="user", id="77777777", grants=(Grant(role, 1, city.area),))


SYSTEM, SECURITY = office(Role.SYSTEM_ADMINISTRATOR), office(Role.SECURITY_ADMINISTRATOR)
BOSS = staff("partner", Role.ADMINISTRATOR)
MAKER = staff("subcentre", Role.MAKER)


def first(city: City, name: str) -> int:
    value = city.things[name][0]
    assert isinstance(value, int)
    return value


def partner(city: City) -> int:
    return city.organisations["partner"]


def person(city: City) -> int:
    return city.users["partner:partner"].pk


def uscc(city: City, number: int) -> str:
    return complete_uscc("91990000", f"ME00{city.number}{number:03d}")


TRIALS: Mapping[str, list[Trial]] = {
    "identity.add_member": [
        Trial(BOSS, lambda actor, city: identity.add_member(
            actor=actor, at=NOW, organisation_id=partner(city), username=f"new.{city.number}", display_name="新人",
            password=PASSWORD, role=Role.PARTNER, area=city.area,
        )),
    ],
    "identity.add_person": [
        Trial(who, lambda actor, city: identity.add_person(
            actor=actor, at=NOW, organisation_id=partner(city), username=f"added.{actor.id}.{city.number}",
            display_name="新人", password=PASSWORD,
        ))
        for who in (BOSS, SYSTEM)
    ],
    "identity.invite_person": [
        Trial(who, lambda actor, city: identity.invite_person(
            actor=actor, at=NOW, organisation_id=partner(city), username=f"invited.{actor.id}.{city.number}",
            display_name="新人", phone="13800000001",
        ))
        for who in (BOSS, SYSTEM)
    ],
    "identity.invite_again": [
        Trial(who, lambda actor, city: identity.invite_again(actor=actor, at=NOW, user_id=person(city)))
        for who in (BOSS, SYSTEM, SECURITY)
    ],
    "identity.grant_role": [
        Trial(who, lambda actor, city: identity.grant_role(
            actor=actor, at=NOW, user_id=person(city), organisation_id=partner(city), role=Role.OWNER, area=city.area,
            valid_to=NOW + timedelta(days=int(actor.id) % 7 + 1),
        ))
        for who in (BOSS, SECURITY)
    ],
    "identity.end_membership": [
        Trial(who, lambda actor, city: identity.end_membership(
            actor=actor, at=NOW + timedelta(days=1), membership_id=_membership(city),
        ))
        for who in (BOSS, SECURITY)
    ],
    "identity.record_api_key": [
        Trial(who, lambda actor, city: identity.issue_api_key(
            actor=actor, at=NOW, organisation_id=partner(city), name="另一把",
        ))
        for who in (BOSS, SECURITY)
    ],
    "identity.revoke_api_key": [
        Trial(who, lambda actor, city: identity.revoke_api_key(
            actor=actor, at=NOW, api_key_id=first(city, "api_key_id"),
        ))
        for who in (BOSS, SECURITY)
    ],
    "identity.record_contract": [
        Trial(SYSTEM, lambda actor, city: identity.record_contract(
            actor=actor, at=NOW, organisation_id=partner(city), number="另一份", valid_from=date(2026, 1, 1),
            valid_to=date(2028, 1, 1),
        )),
    ],
    "identity.register_organisation": [
        Trial(SYSTEM, lambda actor, city: identity.register_organisation(
            actor=actor, at=NOW, kind=OrganisationKind.BUYER, name="新机构", name_en="New", uscc=uscc(city, 1),
            area=city.area,
        )),
    ],
    "activity.request_correction": [
        Trial(MAKER, lambda actor, city: activity.request_correction(
            actor=actor, at=NOW, batch_id=first(city, "batch_id"),
        )),
    ],
    "projects.register_project": [
        Trial(MAKER, lambda actor, city: projects.register_project(
            actor=actor, at=NOW, owner_id=city.organisations["owner"], code=f"L{city.number}", scenario="elsewhere",
            name_zh="项目", name_en="Project", area=city.area,
        )),
    ],
    "registry.open_holding": [
        Trial(MAKER, lambda actor, city: registry.open_holding(
            actor=actor, at=NOW, organisation_id=city.organisations["pilot_area"],
        )),
    ],
    "registry.accept_transfer": [
        Trial(staff("buyer", Role.BUYER), lambda actor, city: registry.accept_transfer(
            actor=actor, at=NOW, transfer_id=first(city, "transfer_id"), idempotency_key=f"a{city.number}",
        )),
    ],
    "registry.decline_transfer": [
        Trial(staff("buyer", Role.BUYER), lambda actor, city: registry.decline_transfer(
            actor=actor, at=NOW, transfer_id=first(city, "transfer_id"), idempotency_key=f"d{city.number}",
        )),
    ],
    "registry.offer_transfer": [
        Trial(staff("owner", Role.OWNER), lambda actor, city: registry.offer_transfer(
            actor=actor, at=NOW, issuance_id=first(city, "issuance_id"), source_organisation_id=city.organisations["owner"],
            target_organisation_id=city.organisations["buyer"], quantity=Tonnes(1), idempotency_key=f"o{city.number}",
        )),
    ],
    "rewards.list_good": [
        Trial(who, lambda actor, city: rewards.list_good(
            actor=actor, at=NOW, merchant_id=city.organisations["merchant"], name_zh="茶", name_en="tea",
            face_value=Fen(1), price=Points(1), stock=1, valid_from=date(2026, 11, 1), valid_to=date(2026, 12, 1),
        ))
        for who in (staff("merchant", Role.MERCHANT), MAKER)
    ],
    "rewards.restock_good": [
        Trial(who, lambda actor, city: rewards.restock_good(
            actor=actor, at=NOW, good_id=first(city, "good_id"), added=1, idempotency_key=f"r{actor.id}{city.number}",
        ))
        for who in (staff("merchant", Role.MERCHANT), MAKER)
    ],
    "rewards.withdraw_good": [
        Trial(who, lambda actor, city: rewards.withdraw_good(
            actor=actor, at=NOW, good_id=first(city, "good_id"), idempotency_key=f"w{actor.id}{city.number}"
        ))
        for who in (staff("merchant", Role.MERCHANT), MAKER)
    ],
    "rewards.close_settlement": [
        Trial(MAKER, lambda actor, city: rewards.close_settlement(
            actor=actor, at=NOW, merchant_id=city.organisations["merchant"], period="2026-10", idempotency_key=f"s{city.number}",
        )),
    ],
    "identity.assign_area": [
        Trial(SYSTEM, lambda actor, city: identity.assign_area(
            actor=actor, at=NOW, area=city.area, organisation_id=None, reason="试",
        )),
    ],
}  # fmt: skip
"""What is tried; the area itself moves last. The other operations with such a limit are tried where they live."""


def _membership(city: City) -> int:
    from tanpuhui.foundation.identity.queries import members

    return next(one.id for one in members(partner(city), at=NOW) if one.user_id == person(city))


def limited() -> set[str]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["operation"]
            for row in csv.DictReader(stream)
            if row["limit"] in {"area", "organisation", "area or organisation"}
        }


@pytest.fixture
def cities(desk: Desk) -> tuple[City, City]:
    return two_cities(desk)


def test_what_is_tried_stands_in_the_table_as_limited() -> None:
    assert set(TRIALS) - limited() == set()
    assert len(TRIALS) > 20


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_here_it_goes_and_there_it_is_closed(cities: tuple[City, City]) -> None:
    here, there = cities
    wrong = []
    for operation, trials in TRIALS.items():
        for trial in trials:
            actor = trial.who(here)
            role = "/".join(sorted(actor.roles))
            try:
                trial.call(actor, there)
                wrong.append(f"{operation}: {role} reached the other city")
            except CLOSED:
                pass
            except Refusal as refusal:
                wrong.append(f"{operation}: {role} was told of the other city: {refusal}")
            try:
                trial.call(actor, here)
            except CLOSED as refusal:
                wrong.append(f"{operation}: {role} is closed out at home: {refusal}")
            except Refusal:
                pass
    assert not wrong, "\n".join(wrong)
