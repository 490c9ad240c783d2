"""System, security and audit administrators are three people, who hold no other role and are never all gone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from pydantic import SecretStr

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Membership
from tanpuhui.foundation.identity.operations import (
    AdministratorNeeded,
    AdministratorsCombined,
    AlreadyFounded,
    NewAdministrator,
    add_person,
    appoint_administrators,
    end_membership,
    grant_role,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc

pytestmark = pytest.mark.django_db
PASSWORD = SecretStr("another-long-password")
SYSTEM_ROLE, SECURITY_ROLE, AUDIT_ROLE = (
    Role.SYSTEM_ADMINISTRATOR,
    Role.SECURITY_ADMINISTRATOR,
    Role.AUDIT_ADMINISTRATOR,
)
COMBINATIONS = [
    (SYSTEM_ROLE, SECURITY_ROLE),
    (SYSTEM_ROLE, AUDIT_ROLE),
    (SECURITY_ROLE, AUDIT_ROLE),
    (SYSTEM_ROLE, Role.MAKER),
    (Role.CHECKER, SECURITY_ROLE),
    (Role.MAKER, AUDIT_ROLE),
]


@pytest.fixture
def person(centre_id: int, now: datetime) -> int:
    return add_person(
        actor=SYSTEM,
        at=now,
        organisation_id=centre_id,
        username="somebody",
        display_name="某人",
        password=PASSWORD,
    ).user_id


@pytest.fixture
def second_centre(db: None, now: datetime) -> int:
    return register_organisation(
        actor=SYSTEM,
        at=now,
        kind=queries.OrganisationKind.CENTRE,
        name="另一个中心",
        name_en="Another centre",
        uscc=complete_uscc("12990000", "00000077"),
        area="990000",
    ).organisation_id


def give(at: datetime, user_id: int, organisation_id: int, role: Role, **more: object) -> int:
    return grant_role(
        actor=SYSTEM, at=at, user_id=user_id, organisation_id=organisation_id, role=role, area="990000", **more  # type: ignore[arg-type]
    ).membership_id  # fmt: skip


@pytest.mark.parametrize("pair", COMBINATIONS)
def test_one_person_is_not_given_both(
    person: int, centre_id: int, second_centre: int, now: datetime, pair: tuple[Role, Role]
) -> None:
    for first, second in (pair, pair[::-1]):
        membership_id = give(now, person, centre_id, first)
        for organisation_id in (centre_id, second_centre):
            with pytest.raises(AdministratorsCombined) as refused:
                give(now + timedelta(days=1), person, organisation_id, second)
            assert refused.value.data["held"] == first.value
        Membership.objects.filter(id=membership_id).delete()


def test_a_role_that_ends_before_the_other_begins_is_no_combination(
    person: int, centre_id: int, now: datetime
) -> None:
    give(now, person, centre_id, Role.MAKER, valid_to=now + timedelta(days=1))
    with pytest.raises(AdministratorsCombined):
        give(now, person, centre_id, AUDIT_ROLE)
    assert give(now + timedelta(days=1), person, centre_id, AUDIT_ROLE)


def test_an_appointment_for_later_counts_too(person: int, centre_id: int, now: datetime) -> None:
    Membership.objects.create(
        user_id=person, organisation_id=centre_id, role=AUDIT_ROLE, area="990000", valid_from=now + timedelta(30)
    )  # fmt: skip
    with pytest.raises(AdministratorsCombined):
        give(now, person, centre_id, Role.MAKER)
    assert give(now, person, centre_id, Role.MAKER, valid_to=now + timedelta(days=30))


def test_a_maker_may_be_checker_elsewhere(person: int, centre_id: int, now: datetime) -> None:
    give(now, person, centre_id, Role.MAKER)
    assert give(now, person, centre_id, Role.CHECKER)


@pytest.mark.parametrize("pair", COMBINATIONS)
def test_the_database_refuses_what_an_operation_would_refuse(
    person: int, centre_id: int, second_centre: int, now: datetime, pair: tuple[Role, Role]
) -> None:
    held, wanted = pair
    facts = {"user_id": person, "area": "990000"}
    Membership.objects.create(organisation_id=centre_id, role=held, valid_from=now, **facts)
    with (
        pytest.raises(IntegrityError, match="membership_administrators_stand_alone"),
        transaction.atomic(),
    ):
        Membership.objects.create(
            organisation_id=second_centre, role=wanted, valid_from=now + timedelta(days=3), **facts
        )


def test_the_three_serve_the_whole_province(person: int, centre_id: int, now: datetime) -> None:
    with pytest.raises(Invalid, match="area"):
        grant_role(
            actor=SYSTEM, at=now, user_id=person, organisation_id=centre_id, role=AUDIT_ROLE, area="990100"
        )


@pytest.mark.parametrize("role", sorted(SCHEME_ADMINISTRATORS))
def test_the_last_of_a_kind_stays_until_there_is_another(
    person: int, centre_id: int, now: datetime, role: Role
) -> None:
    first = give(now, person, centre_id, role)
    with pytest.raises(AdministratorNeeded):
        end_membership(actor=SYSTEM, at=now + timedelta(days=1), membership_id=first)
    successor = add_person(
        actor=SYSTEM,
        at=now,
        organisation_id=centre_id,
        username="successor",
        display_name="接任",
        password=PASSWORD,
    ).user_id
    give(now, successor, centre_id, role)
    assert end_membership(actor=SYSTEM, at=now + timedelta(days=1), membership_id=first)


def test_the_first_three_are_appointed_once_and_by_the_system_only(
    centre_id: int, security: Actor, now: datetime
) -> None:
    three = {
        name: NewAdministrator(username=f"first.{name}", display_name=name, password=PASSWORD)
        for name in ("system", "security", "audit")
    }
    uscc = complete_uscc("12990000", "00000001")
    facts = {"at": now, "name": "中心", "name_en": "Centre", "uscc": uscc, "area": "990000", **three}
    with pytest.raises(NotPermitted):
        appoint_administrators(actor=security, **facts)  # type: ignore[arg-type]
    with pytest.raises(AlreadyFounded):
        appoint_administrators(actor=SYSTEM, **facts)  # type: ignore[arg-type]
    Membership.objects.all().delete()
    appointed = appoint_administrators(actor=SYSTEM, **facts)  # type: ignore[arg-type]
    assert appointed.organisation_id == centre_id
    for user_id, role in (
        (appointed.system_user_id, SYSTEM_ROLE),
        (appointed.security_user_id, SECURITY_ROLE),
        (appointed.audit_user_id, AUDIT_ROLE),
    ):
        assert queries.actor_of(user_id=user_id, at=now).roles == {role}
    with pytest.raises(AlreadyFounded):
        appoint_administrators(actor=SYSTEM, **facts)  # type: ignore[arg-type]
