"""Who is admitted, who gives which role, and from when to when a role holds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from tanpuhui.foundation.audit.models import AuditRecord
from tanpuhui.foundation.identity import queries
from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.identity.operations import (
    MembershipEnded,
    MembershipExists,
    NotTheirPerson,
    PasswordCommon,
    PasswordTooPlain,
    PasswordTooShort,
    RoleNotOfKind,
    SelfAppointment,
    UscCodeTaken,
    UsernameTaken,
    add_member,
    add_person,
    end_membership,
    grant_role,
    register_citizen,
    register_organisation,
)
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.kernel.identifiers import complete_uscc

pytestmark = pytest.mark.django_db
PASSWORD = SecretStr("another-long-password")


def admit(actor: Actor, at: datetime, **changes: object) -> int:
    facts: dict[str, object] = {
        "kind": queries.OrganisationKind.VERIFIER,
        "name": "核查所",
        "name_en": "Verifier",
        "uscc": complete_uscc("91990200", "00000009"),
        "area": "990200",
    }
    return register_organisation(actor=actor, at=at, **{**facts, **changes}).organisation_id  # type: ignore[arg-type]


def member(actor: Actor, at: datetime, organisation_id: int, username: str, role: Role, *, area: str) -> int:
    return add_member(
        actor=actor,
        at=at,
        organisation_id=organisation_id,
        username=username,
        display_name=username.title(),
        password=PASSWORD,
        role=role,
        area=area,
    ).user_id


@pytest.fixture
def partner_boss(partner_id: int, now: datetime) -> Actor:
    user_id = member(SYSTEM, now, partner_id, "boss", Role.ADMINISTRATOR, area="990100")
    return queries.actor_of(user_id=user_id, at=now)


def test_the_system_administrator_admits_an_organisation_and_finds_it_by_kind_and_area(
    administrator: Actor, now: datetime
) -> None:
    verifier = admit(administrator, now)
    assert queries.organisation(verifier).name_en == "Verifier"
    assert [found.id for found in queries.organisations(kind="verifier", area="990000")] == [verifier]
    assert queries.organisations(kind="verifier", area="990100") == ()


@pytest.mark.parametrize("prefix", ["N2990000", "A1990000", "Y1990000"])
def test_collectives_with_a_letter_in_front_are_admitted(
    administrator: Actor, now: datetime, prefix: str
) -> None:
    assert admit(administrator, now, uscc=complete_uscc(prefix, "00000009"))


def test_a_wrong_or_repeated_credit_code_is_refused(administrator: Actor, now: datetime) -> None:
    code = complete_uscc("91990200", "00000009")
    with pytest.raises(Invalid, match="GB 32100"):
        admit(administrator, now, uscc=code[:-1] + ("0" if code[-1] != "0" else "1"))
    admit(administrator, now)
    with pytest.raises(UscCodeTaken):
        admit(administrator, now)


def test_nobody_but_the_system_administrator_admits(
    security: Actor, partner_boss: Actor, now: datetime
) -> None:
    for stranger in (security, partner_boss):
        with pytest.raises(NotPermitted):
            admit(stranger, now)


def test_an_outside_administrator_looks_after_the_people_of_that_organisation_only(
    partner_boss: Actor, partner_id: int, centre_id: int, now: datetime
) -> None:
    colleague = member(partner_boss, now, partner_id, "colleague", Role.PARTNER, area="990100")
    assert queries.actor_of(user_id=colleague, at=now).has(Role.PARTNER, organisation_id=partner_id)
    stranger = member(SYSTEM, now, centre_id, "maker", Role.MAKER, area="990000")
    with pytest.raises(NotPermitted):
        grant_role(
            actor=partner_boss, at=now, user_id=colleague, organisation_id=partner_id, role=Role.PARTNER, area="990000"
        )  # fmt: skip
    with pytest.raises(NotTheirPerson):
        grant_role(
            actor=partner_boss, at=now, user_id=stranger, organisation_id=partner_id, role=Role.PARTNER, area="990100"
        )  # fmt: skip
    with pytest.raises(NotPermitted):
        member(partner_boss, now, centre_id, "intruder", Role.MAKER, area="990000")


def test_in_the_centre_one_administrator_keeps_people_and_another_gives_roles(
    administrator: Actor, security: Actor, centre_id: int, now: datetime
) -> None:
    added = add_person(
        actor=administrator,
        at=now,
        organisation_id=centre_id,
        username="maker",
        display_name="经办",
        password=PASSWORD,
    )
    assert queries.actor_of(user_id=added.user_id, at=now).grants == ()
    facts = {"user_id": added.user_id, "organisation_id": centre_id, "role": Role.MAKER, "area": "990000"}
    with pytest.raises(NotPermitted):
        grant_role(actor=administrator, at=now, **facts)  # type: ignore[arg-type]
    grant_role(actor=security, at=now, **facts)  # type: ignore[arg-type]
    assert queries.actor_of(user_id=added.user_id, at=now).has(Role.MAKER, organisation_id=centre_id)
    with pytest.raises(NotPermitted):
        add_person(
            actor=security,
            at=now,
            organisation_id=centre_id,
            username="ghost",
            display_name="影子",
            password=PASSWORD,
        )


def test_nobody_appoints_themselves(
    security: Actor, partner_boss: Actor, centre_id: int, partner_id: int, now: datetime
) -> None:
    for actor, organisation_id, role, area in (
        (security, centre_id, Role.MAKER, "990000"),
        (partner_boss, partner_id, Role.PARTNER, "990100"),
    ):
        with pytest.raises(SelfAppointment):
            grant_role(
                actor=actor, at=now, user_id=int(actor.id), organisation_id=organisation_id, role=role, area=area
            )  # fmt: skip


def test_a_citizens_account_holds_no_office(security: Actor, partner_id: int, now: datetime) -> None:
    citizen = register_citizen(
        actor=SYSTEM, at=now, phone="13900000001", display_name="市民", area="990102"
    ).user_id
    with pytest.raises(Invalid, match="office"):
        grant_role(
            actor=security, at=now, user_id=citizen, organisation_id=partner_id, role=Role.PARTNER, area="990100"
        )  # fmt: skip


def test_a_kind_of_organisation_gives_only_its_own_roles(
    partner_boss: Actor, partner_id: int, now: datetime
) -> None:
    with pytest.raises(RoleNotOfKind):
        member(partner_boss, now, partner_id, "x", Role.CHECKER, area="990100")
    assert not User.objects.filter(username="x").exists()


def test_a_weak_password_and_a_taken_name_are_refused(
    partner_boss: Actor, partner_id: int, now: datetime
) -> None:
    facts = {"organisation_id": partner_id, "display_name": "同事", "role": Role.PARTNER, "area": "990100"}
    for password, refusal in (
        ("short", PasswordTooShort),
        ("onlysmallletters", PasswordTooPlain),
        ("password12345", PasswordCommon),
    ):
        with pytest.raises(refusal):
            add_member(actor=partner_boss, at=now, username="weak", password=SecretStr(password), **facts)  # type: ignore[arg-type]
    with pytest.raises(UsernameTaken):
        add_member(actor=partner_boss, at=now, username="boss", password=PASSWORD, **facts)  # type: ignore[arg-type]


def test_the_password_leaves_no_trace_in_the_audit(
    partner_boss: Actor, partner_id: int, now: datetime
) -> None:
    digests = set()
    for number, password in enumerate(("first-long-password", "second-long-password")):
        User.objects.filter(username="maker").update(username=f"earlier-{number}")
        add_member(
            actor=partner_boss,
            at=now,
            organisation_id=partner_id,
            username="maker",
            display_name="经办",
            password=SecretStr(password),
            role=Role.PARTNER,
            area="990100",
        )
        digests.add(bytes(AuditRecord.objects.latest("id").arguments_sha256))
    assert len(digests) == 1


def test_a_role_holds_from_its_grant_until_its_end(security: Actor, centre_id: int, now: datetime) -> None:
    user_id = member(SYSTEM, now, centre_id, "checker", Role.CHECKER, area="990000")
    later = now + timedelta(days=1)
    granted = grant_role(
        actor=SYSTEM,
        at=later,
        user_id=user_id,
        organisation_id=centre_id,
        role=Role.MAKER,
        area="990100",
        valid_to=later + timedelta(days=10),
    )
    assert not queries.actor_of(user_id=user_id, at=now).has(Role.MAKER)
    assert queries.actor_of(user_id=user_id, at=later).has(Role.MAKER, area="990102")
    assert not queries.actor_of(user_id=user_id, at=later).has(Role.MAKER, area="990202")
    assert not queries.actor_of(user_id=user_id, at=later + timedelta(days=10)).has(Role.MAKER)
    with pytest.raises(MembershipExists):
        grant_role(
            actor=SYSTEM, at=later, user_id=user_id, organisation_id=centre_id, role=Role.MAKER, area="990100"
        )
    ended = later + timedelta(days=2)
    end_membership(actor=security, at=ended, membership_id=granted.membership_id)
    assert not queries.actor_of(user_id=user_id, at=ended).has(Role.MAKER)
    assert {found.role for found in queries.members(centre_id, at=ended)} == {
        "checker",
        "security_administrator",
    }
    with pytest.raises(MembershipEnded):
        end_membership(actor=security, at=ended, membership_id=granted.membership_id)


def test_an_inactive_user_has_no_grants_and_an_unknown_one_is_refused(
    administrator: Actor, now: datetime
) -> None:
    User.objects.filter(id=int(administrator.id)).update(is_active=False)
    assert queries.actor_of(user_id=int(administrator.id), at=now).grants == ()
    with pytest.raises(NotFound):
        queries.actor_of(user_id=0, at=now)


def test_a_role_that_does_not_fit_is_found(administrator: Actor, now: datetime) -> None:
    assert list(queries.breaches()) == []
    Membership.objects.filter(user_id=int(administrator.id)).update(role="verifier")
    assert [breach.invariant for breach in queries.breaches()] == ["role_fits_organisation"]
