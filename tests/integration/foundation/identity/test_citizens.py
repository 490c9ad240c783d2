"""Citizens: known by phone, bound to partners' subjects, consenting scenario by scenario."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Consent, PartnerSubject, User
from tanpuhui.foundation.identity.operations import (
    ConsentStands,
    NewCitizen,
    NoConsent,
    PhoneTaken,
    SubjectBoundElsewhere,
    bind_partner_subject,
    bind_partner_subjects,
    give_consent,
    give_consents,
    load_consent_texts,
    register_citizen,
    register_citizens,
    withdraw_consent,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Grant, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted

pytestmark = pytest.mark.django_db


def citizens(count: int) -> list[NewCitizen]:
    return [NewCitizen(phone=f"139{n:08d}", display_name=f"居民{n}", area="990102") for n in range(count)]


@pytest.fixture
def citizen(now: datetime) -> Actor:
    registered = register_citizen(
        actor=SYSTEM, at=now, phone="138 0000 0001", display_name="小林", area="990102"
    )
    return queries.actor_of(user_id=registered.user_id, at=now)


def test_a_citizen_is_found_by_phone_however_it_is_written_and_never_shown_whole(citizen: Actor) -> None:
    assert citizen.grants == (Grant(role=Role.CITIZEN, area="990102"),)
    for text in ("13800000001", "+86 138-0000-0001", "１３８ ００００ ０００１", "0086 13800000001"):
        assert queries.user_of_phone(text) == int(citizen.id)
    assert queries.person(int(citizen.id)).masked_phone == "138****0001"
    row = User.objects.get(id=int(citizen.id))
    assert b"13800000001" not in bytes(row.phone_sealed or b"")


@pytest.mark.parametrize("phone", ["12800000001", "1380000000", "138000000011", "not a phone", ""])
def test_what_is_no_mobile_number_is_refused(now: datetime, phone: str) -> None:
    with pytest.raises(Invalid, match="phone"):
        register_citizen(actor=SYSTEM, at=now, phone=phone, display_name="x", area="990102")


def test_one_phone_is_one_person(citizen: Actor, now: datetime) -> None:
    with pytest.raises(PhoneTaken, match=r"138\*\*\*\*0001"):
        register_citizen(actor=SYSTEM, at=now, phone="13800000001", display_name="别人", area="990102")
    assert citizen.id


def test_another_citizen_may_not_register_people(citizen: Actor, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        register_citizen(actor=citizen, at=now, phone="13800000002", display_name="x", area="990102")


def test_two_thousand_citizens_are_registered_and_bound_in_few_statements(
    partner_id: int, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(30):
        registered = register_citizens(actor=SYSTEM, at=now, citizens=citizens(2000))
        pairs = [(f"card-{n}", user_id) for n, user_id in enumerate(registered.user_ids)]
        bound = bind_partner_subjects(actor=SYSTEM, at=now, partner_id=partner_id, pairs=pairs)
    assert (registered.count, bound.bound, bound.stood) == (2000, 2000, 0)
    found = queries.users_of_subjects(
        partner_id=partner_id, subjects=["card-7", "card-1999", "card-x", "card-7"]
    )
    assert found == {"card-7": registered.user_ids[7], "card-1999": registered.user_ids[1999]}
    assert queries.person(registered.user_ids[7]).display_name == "居民7"


def test_a_bulk_with_one_taken_phone_registers_nobody(now: datetime) -> None:
    register_citizens(actor=SYSTEM, at=now, citizens=citizens(1))
    with pytest.raises(PhoneTaken):
        register_citizens(actor=SYSTEM, at=now, citizens=citizens(3))
    with pytest.raises(PhoneTaken):
        register_citizens(actor=SYSTEM, at=now, citizens=[*citizens(9)[5:], *citizens(9)[5:]])
    assert User.objects.count() == 1


def test_the_same_pair_again_is_nothing_new_and_another_person_is_refused(
    partner_id: int, citizen: Actor, now: datetime
) -> None:
    pairs = [("card-1", int(citizen.id))]
    bind_partner_subjects(actor=SYSTEM, at=now, partner_id=partner_id, pairs=pairs)
    again = bind_partner_subjects(actor=SYSTEM, at=now, partner_id=partner_id, pairs=pairs)
    assert (again.bound, again.stood) == (0, 1)
    other = register_citizens(actor=SYSTEM, at=now, citizens=citizens(1)).user_ids[0]
    with pytest.raises(SubjectBoundElsewhere):
        bind_partner_subjects(
            actor=SYSTEM, at=now, partner_id=partner_id, pairs=[("card-2", other), ("card-1", other)]
        )
    assert PartnerSubject.objects.count() == 1
    with pytest.raises(NotFound):
        bind_partner_subjects(actor=SYSTEM, at=now, partner_id=partner_id, pairs=[("card-3", 0)])


def test_a_citizen_binds_only_themselves_and_a_partner_only_its_own(
    partner_id: int, centre_id: int, citizen: Actor, now: datetime
) -> None:
    assert bind_partner_subject(
        actor=citizen, at=now, partner_id=partner_id, subject="card-1", user_id=int(citizen.id)
    ).new
    other = register_citizens(actor=SYSTEM, at=now, citizens=citizens(1)).user_ids[0]
    with pytest.raises(NotPermitted):
        bind_partner_subject(actor=citizen, at=now, partner_id=partner_id, subject="card-2", user_id=other)
    stranger = Actor(
        kind="user", id="0", grants=(Grant(role=Role.PARTNER, organisation_id=centre_id, area="990000"),)
    )
    with pytest.raises(NotPermitted):
        bind_partner_subjects(actor=stranger, at=now, partner_id=partner_id, pairs=[("card-2", other)])


def test_consent_holds_from_giving_to_withdrawal_and_can_be_given_again(
    citizen: Actor, now: datetime, invented_jurisdiction: Path
) -> None:
    load_consent_texts(actor=SYSTEM, at=now, folder=invented_jurisdiction)
    user_id = int(citizen.id)
    hours = [now + timedelta(hours=n) for n in range(4)]
    give_consent(actor=citizen, at=hours[0], user_id=user_id, scenario="bus")
    with pytest.raises(ConsentStands):
        give_consent(actor=citizen, at=hours[1], user_id=user_id, scenario="bus")
    withdraw_consent(actor=citizen, at=hours[1], user_id=user_id, scenario="bus")
    with pytest.raises(NoConsent):
        withdraw_consent(actor=citizen, at=hours[2], user_id=user_id, scenario="bus")
    give_consent(actor=citizen, at=hours[2], user_id=user_id, scenario="bus")
    assert queries.consents_of(user_ids=[user_id, 0], scenario="bus") == {
        user_id: ((hours[0], hours[1]), (hours[2], None))
    }
    assert queries.consents_of(user_ids=[user_id], scenario="metro") == {}


def test_nobody_consents_for_another(citizen: Actor, now: datetime) -> None:
    other = register_citizens(actor=SYSTEM, at=now, citizens=citizens(1)).user_ids[0]
    with pytest.raises(NotPermitted):
        give_consent(actor=citizen, at=now, user_id=other, scenario="bus")
    with pytest.raises(NotPermitted):
        give_consents(actor=citizen, at=now, user_ids=[other], scenario="bus", text_version="1")
    assert not Consent.objects.exists()


def test_many_consents_are_taken_over_once(now: datetime) -> None:
    ids = register_citizens(actor=SYSTEM, at=now, citizens=citizens(20)).user_ids
    assert give_consents(actor=SYSTEM, at=now, user_ids=ids[:5], scenario="bus", text_version="1").given == 5
    assert give_consents(actor=SYSTEM, at=now, user_ids=ids, scenario="bus", text_version="1").given == 15
    assert len(queries.consents_of(user_ids=ids, scenario="bus")) == 20


def test_a_phone_moved_to_another_person_is_found(citizen: Actor, now: datetime) -> None:
    other = register_citizens(actor=SYSTEM, at=now, citizens=citizens(1)).user_ids[0]
    assert list(queries.breaches()) == []
    stolen = User.objects.get(id=other).phone_sealed
    User.objects.filter(id=int(citizen.id)).update(phone_sealed=stolen)
    assert [(b.invariant, b.subject) for b in queries.breaches()] == [
        ("phone_opens_to_its_index", f"user:{citizen.id}")
    ]
