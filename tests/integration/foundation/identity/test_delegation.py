"""A colleague acts in one's place for a while: some of one's own roles, never an administrator's, never passed on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.identity.operations import (
    AdministratorsCombined,
    DelegationImpossible,
    MembershipEnded,
    add_member,
    add_person,
    delegate,
    end_delegation,
    end_membership,
    grant_role,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted

pytestmark = pytest.mark.django_db
PASSWORD = SecretStr("another-long-password")
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Office:
    """A centre with a checker who goes on leave, and a maker who stands in."""

    centre_id: int
    checker: int
    maker: int
    membership_id: int
    at: datetime

    def actor(self, user_id: int, at: datetime | None = None) -> Actor:
        return queries.actor_of(user_id=user_id, at=at or self.at)

    def delegates(self, **changes: object) -> int:
        facts: dict[str, object] = {
            "actor": self.actor(self.checker),
            "at": self.at,
            "receiver_id": self.maker,
            "organisation_id": self.centre_id,
            "roles": [Role.CHECKER],
            "area": "990000",
            "valid_from": self.at,
            "valid_to": self.at + WEEK,
            "reason": "休假",
        }
        return delegate(**{**facts, **changes}).delegation_id  # type: ignore[arg-type]


@pytest.fixture
def office(centre_id: int, now: datetime) -> Office:
    def member(name: str, role: Role) -> tuple[int, int]:
        added = add_member(
            actor=SYSTEM,
            at=now,
            organisation_id=centre_id,
            username=name,
            display_name=name,
            password=PASSWORD,
            role=role,
            area="990000",
        )
        return added.user_id, added.membership_id

    checker, membership_id = member("checker", Role.CHECKER)
    maker, _ = member("maker", Role.MAKER)
    return Office(centre_id, checker, maker, membership_id, now)


def test_the_receiver_holds_the_role_on_behalf_of_the_giver_between_the_two_moments(office: Office) -> None:
    office.delegates(valid_from=office.at + timedelta(days=1), area="990100")
    before, during, after = office.at, office.at + timedelta(days=1), office.at + WEEK
    held = Grant(Role.CHECKER, office.centre_id, "990100", on_behalf_of=str(office.checker))
    assert held not in office.actor(office.maker, before).grants
    assert held in office.actor(office.maker, during).grants
    assert office.actor(office.maker, after).roles == {Role.MAKER}
    assert office.actor(office.checker, during).has(Role.CHECKER)


def test_it_ends_when_giver_or_receiver_or_the_security_administrator_says_so(
    office: Office, security: Actor
) -> None:
    later = office.at + timedelta(days=1)
    for who in (office.actor(office.checker), office.actor(office.maker), security):
        delegation_id = office.delegates()
        assert office.actor(office.maker, later).has(Role.CHECKER)
        end_delegation(actor=who, at=later, delegation_id=delegation_id)
        assert not office.actor(office.maker, later).has(Role.CHECKER)
        with pytest.raises(MembershipEnded):
            end_delegation(actor=who, at=later, delegation_id=delegation_id)
    stranger = add_person(
        actor=SYSTEM, at=office.at, organisation_id=office.centre_id, username="x", display_name="x", password=PASSWORD
    ).user_id  # fmt: skip
    with pytest.raises(NotPermitted):
        end_delegation(actor=office.actor(stranger), at=office.at, delegation_id=office.delegates())
    with pytest.raises(NotFound):
        end_delegation(actor=security, at=office.at, delegation_id=0)


def test_it_ends_with_the_givers_own_role_or_account(office: Office, security: Actor) -> None:
    office.delegates()
    later = office.at + timedelta(days=1)
    User.objects.filter(id=office.checker).update(is_active=False)
    assert not office.actor(office.maker, later).has(Role.CHECKER)
    User.objects.filter(id=office.checker).update(is_active=True)
    assert office.actor(office.maker, later).has(Role.CHECKER)
    end_membership(actor=security, at=later, membership_id=office.membership_id)
    assert not office.actor(office.maker, later).has(Role.CHECKER)


def test_it_is_never_wider_than_what_the_giver_holds_at_that_moment(office: Office) -> None:
    office.delegates()
    Membership.objects.filter(id=office.membership_id).update(area="990100")
    grants = [grant for grant in office.actor(office.maker).grants if grant.on_behalf_of]
    assert [grant.area for grant in grants] == ["990100"]


def test_it_ends_when_the_receiver_leaves_the_organisation(office: Office, partner_id: int) -> None:
    office.delegates()
    User.objects.filter(id=office.maker).update(organisation_id=partner_id)
    Membership.objects.filter(user_id=office.maker).update(valid_to=office.at)
    assert office.actor(office.maker).grants == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"roles": [Role.MAKER]}, "do not hold the role maker"),
        ({"roles": [Role.SECURITY_ADMINISTRATOR]}, "used by its holder only"),
        ({"roles": [Role.ADMINISTRATOR]}, "used by its holder only"),
    ],
)
def test_only_own_roles_of_the_scheme_are_delegated(
    office: Office, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DelegationImpossible, match=said):
        office.delegates(**changes)


def test_there_are_no_chains(office: Office) -> None:
    office.delegates()
    third = add_person(
        actor=SYSTEM, at=office.at, organisation_id=office.centre_id, username="x", display_name="x", password=PASSWORD
    ).user_id  # fmt: skip
    with pytest.raises(DelegationImpossible, match="cannot be passed on"):
        office.delegates(actor=office.actor(office.maker), receiver_id=third)


def test_only_a_colleague_who_is_no_administrator_receives(
    office: Office, security: Actor, partner_id: int
) -> None:
    outsider = add_person(
        actor=SYSTEM, at=office.at, organisation_id=partner_id, username="x", display_name="x", password=PASSWORD
    ).user_id  # fmt: skip
    with pytest.raises(DelegationImpossible, match="colleague"):
        office.delegates(receiver_id=outsider)
    with pytest.raises(DelegationImpossible, match="themselves"):
        office.delegates(receiver_id=office.checker)
    with pytest.raises(AdministratorsCombined):
        office.delegates(receiver_id=int(security.id))
    with pytest.raises(NotFound):
        office.delegates(receiver_id=0)


def test_who_becomes_an_administrator_acts_for_nobody_any_more(office: Office) -> None:
    office.delegates()
    later = office.at + timedelta(days=1)
    Membership.objects.filter(user_id=office.maker).update(valid_to=later)
    grant_role(
        actor=SYSTEM,
        at=later,
        user_id=office.maker,
        organisation_id=office.centre_id,
        role=Role.AUDIT_ADMINISTRATOR,
        area="990000",
    )
    assert office.actor(office.maker, later).roles == {Role.AUDIT_ADMINISTRATOR}


@pytest.mark.parametrize(
    "changes",
    [{"roles": []}, {"reason": " "}, {"valid_to": datetime(2020, 1, 1).astimezone()}, {"area": "99"}],
)
def test_a_delegation_says_what_why_and_until_when(office: Office, changes: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        office.delegates(**changes)


def test_what_was_delegated_is_listed_for_both_and_for_the_organisation(office: Office) -> None:
    delegation_id = office.delegates()
    for found in (
        queries.delegations(user_id=office.checker),
        queries.delegations(user_id=office.maker),
        queries.delegations(organisation_id=office.centre_id),
    ):
        assert [(one.id, one.roles, one.reason) for one in found] == [(delegation_id, ("checker",), "休假")]


def test_who_acts_for_another_is_found_with_those_who_hold_the_role(office: Office) -> None:
    facts = {"role": Role.CHECKER, "area": "990102"}
    assert queries.users_with_role(at=office.at, **facts) == {office.checker}  # type: ignore[arg-type]
    office.delegates(area="990100")
    assert queries.users_with_role(at=office.at, **facts) == {office.checker, office.maker}  # type: ignore[arg-type]
    assert queries.users_with_role(at=office.at, role=Role.CHECKER, area="990202") == {office.checker}
    assert queries.users_with_role(at=office.at + WEEK, **facts) == {office.checker}  # type: ignore[arg-type]
