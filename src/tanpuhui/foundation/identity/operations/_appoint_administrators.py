"""Appoint the first three administrators (首次任命三员): by the system, once, when nobody could appoint anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import AlreadyFounded, OrganisationKind
from tanpuhui.foundation.identity.models import Membership, Organisation
from tanpuhui.foundation.identity.operations._add_member import add_member
from tanpuhui.foundation.identity.operations._register_organisation import register_organisation
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdministrator:
    """Whom to appoint: the name they sign in with, their own name, and a first password."""

    username: str
    display_name: str
    password: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministratorsAppointed:
    """The three users, by role."""

    organisation_id: int
    system_user_id: int
    security_user_id: int
    audit_user_id: int


@operation(roles={Role.SYSTEM}, subject="organisation:{organisation_id}")
def appoint_administrators(
    *,
    actor: Actor,
    at: datetime,
    name: str,
    name_en: str,
    uscc: str,
    area: str,
    system: NewAdministrator,
    security: NewAdministrator,
    audit: NewAdministrator,
) -> AdministratorsAppointed:
    """Register the centre, unless it is there, and create its three administrators.

    Raises AlreadyFounded, Invalid, UsernameTaken, RoleNotOfKind (the organisation that is there is no centre).
    """
    lock_names("identity:found")
    if Membership.objects.filter(role__in=SCHEME_ADMINISTRATORS).exists():
        raise AlreadyFounded
    centre = Organisation.objects.filter(uscc=uscc).first()
    organisation_id = (
        centre.pk
        if centre is not None
        else register_organisation(
            actor=actor,
            at=at,
            kind=OrganisationKind.CENTRE,
            name=name,
            name_en=name_en,
            uscc=uscc,
            area=area,
        ).organisation_id
    )
    users = {
        role: add_member(
            actor=actor,
            at=at,
            organisation_id=organisation_id,
            username=person.username,
            display_name=person.display_name,
            password=person.password,
            role=role,
            area=area,
        ).user_id
        for role, person in (
            (Role.SYSTEM_ADMINISTRATOR, system),
            (Role.SECURITY_ADMINISTRATOR, security),
            (Role.AUDIT_ADMINISTRATOR, audit),
        )
    }
    return AdministratorsAppointed(
        organisation_id=organisation_id,
        system_user_id=users[Role.SYSTEM_ADMINISTRATOR],
        security_user_id=users[Role.SECURITY_ADMINISTRATOR],
        audit_user_id=users[Role.AUDIT_ADMINISTRATOR],
    )
