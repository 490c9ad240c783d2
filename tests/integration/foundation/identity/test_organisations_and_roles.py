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
    RoleNotOfKind,
    UscCodeTaken,
    UsernameTaken,
    add_member,
    end_membership,
    grant_role,
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


def test_the_centre_admits_an_organisation_and_finds_it_by_kind_and_area(
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


def test_only_an_administrator_of_centre_or_regulator_admits(
    administrator: Actor, partner_id: int, now: datetime
) -> None:
    added = add_member(
        actor=administrator,
        at=now,
        organisation_id=partner_id,
        username="boss",
        display_name="伙伴管理员",
        password=PASSWORD,
        role=Role.ADMINISTRATOR,
        area="990100",
    )
    partner_boss = queries.actor_of(user_id=added.user_id, at=now)
    with pytest.raises(NotPermitted):
        admit(partner_boss, now)
    colleague = add_member(
        actor=partner_boss,
        at=now,
        organisation_id=partner_id,
        username="colleague",
        display_name="同事",
        password=PASSWORD,
        role=Role.PARTNER,
        area="990100",
    )
    assert queries.actor_of(user_id=colleague.user_id, at=now).has(Role.PARTNER, organisation_id=partner_id)
    with pytest.raises(NotPermitted):
        grant_role(
            actor=partner_boss, at=now, user_id=colleague.user_id, organisation_id=partner_id, role=Role.PARTNER, area="990000"
        )  # fmt: skip


def test_a_kind_of_organisation_gives_only_its_own_roles(
    administrator: Actor, partner_id: int, now: datetime
) -> None:
    with pytest.raises(RoleNotOfKind):
        add_member(
            actor=administrator,
            at=now,
            organisation_id=partner_id,
            username="x",
            display_name="x",
            password=PASSWORD,
            role=Role.CHECKER,
            area="990100",
        )
    assert not User.objects.filter(username="x").exists()


def test_a_short_password_and_a_taken_name_are_refused(
    administrator: Actor, centre_id: int, now: datetime
) -> None:
    facts = {"organisation_id": centre_id, "display_name": "经办", "role": Role.MAKER, "area": "990000"}
    with pytest.raises(Invalid, match="password"):
        add_member(actor=administrator, at=now, username="maker", password=SecretStr("short"), **facts)  # type: ignore[arg-type]
    with pytest.raises(UsernameTaken):
        add_member(actor=administrator, at=now, username="admin.centre", password=PASSWORD, **facts)  # type: ignore[arg-type]


def test_the_password_leaves_no_trace_in_the_audit(
    administrator: Actor, centre_id: int, now: datetime
) -> None:
    digests = set()
    for number, password in enumerate(("first-long-password", "second-long-password")):
        User.objects.filter(username="maker").update(username=f"earlier-{number}")
        add_member(
            actor=administrator,
            at=now,
            organisation_id=centre_id,
            username="maker",
            display_name="经办",
            password=SecretStr(password),
            role=Role.MAKER,
            area="990000",
        )
        digests.add(bytes(AuditRecord.objects.latest("id").arguments_sha256))
    assert len(digests) == 1


def test_a_role_holds_from_its_grant_until_its_end(
    administrator: Actor, centre_id: int, now: datetime
) -> None:
    user_id = int(administrator.id)
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
    end_membership(actor=administrator, at=ended, membership_id=granted.membership_id)
    assert not queries.actor_of(user_id=user_id, at=ended).has(Role.MAKER)
    assert [member.role for member in queries.members(centre_id, at=ended)] == ["administrator"]
    with pytest.raises(MembershipEnded):
        end_membership(actor=administrator, at=ended, membership_id=granted.membership_id)


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
