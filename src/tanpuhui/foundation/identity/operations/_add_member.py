"""Give an organisation a person who signs in with user name and password (添加人员), with or without a first role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from pydantic import SecretStr

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    OrganisationKind,
    UsernameTaken,
    check_area,
    check_name,
    check_role,
)
from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.identity.operations._authority import check_appointment, require_keeper
from tanpuhui.foundation.identity.operations._password_policy import refuse_weak_password
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAdded:
    """The new user, who holds no role yet."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdded:
    """The new user and their first membership."""

    user_id: int
    membership_id: int


@operation(roles={Role.ADMINISTRATOR, Role.SYSTEM_ADMINISTRATOR}, subject="user:{user_id}")
def add_person(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    username: str,
    display_name: str,
    password: SecretStr,
    temporary: bool = True,
    idempotency_key: str | None = None,
) -> PersonAdded:
    """Create a user of an organisation without any role; somebody else gives the roles (`grant_role`).

    A temporary password, which somebody else than its person knows, is changed at the first sign-in.

    The password is a SecretStr, so that the audit's argument hash does not cover it and cannot be used to guess it.
    Raises Invalid, PasswordTooShort, PasswordTooPlain, PasswordCommon, ParameterUnset, UsernameTaken, NotFound,
    NotPermitted.
    """
    organisation = organisation_of(organisation_id)
    require_keeper(
        actor, organisation_id=organisation_id, area=organisation.area, operation="identity.add_person"
    )
    user = _keep(
        organisation,
        username=username,
        display_name=display_name,
        password=password,
        temporary=temporary,
        at=at,
    )
    return PersonAdded(user_id=user.pk)


@operation(roles={Role.ADMINISTRATOR}, subject="user:{user_id}")
def add_member(
    *,
    actor: Actor,
    at: datetime,
    organisation_id: int,
    username: str,
    display_name: str,
    password: SecretStr,
    role: Role,
    area: str,
    temporary: bool = True,
    idempotency_key: str | None = None,
) -> MemberAdded:
    """Create a user of the administrator's own organisation and give them one role in an area.

    In the scheme's own bodies two administrators do this: `add_person`, then `grant_role`. Raises what `add_person`
    raises, and RoleNotOfKind.
    """
    organisation = organisation_of(organisation_id)
    actor.require(
        Role.ADMINISTRATOR, operation="identity.add_member", organisation_id=organisation_id, area=area
    )
    check_area(area)
    check_role(Role(role), kind=OrganisationKind(organisation.kind))
    user = _keep(
        organisation,
        username=username,
        display_name=display_name,
        password=password,
        temporary=temporary,
        at=at,
    )
    check_appointment(
        actor, user=user, organisation=organisation, role=Role(role), area=area, begins=at, ends=None
    )
    membership = Membership.objects.create(
        user=user, organisation=organisation, role=Role(role).value, area=area, valid_from=at
    )
    return MemberAdded(user_id=user.pk, membership_id=membership.pk)


def organisation_of(organisation_id: int) -> Organisation:
    """Return an organisation's row; raises NotFound."""
    row = Organisation.objects.filter(id=organisation_id).first()
    if row is None:
        raise NotFound(what="机构 organisation", id=organisation_id)
    return row


def _keep(
    organisation: Organisation,
    *,
    username: str,
    display_name: str,
    password: SecretStr,
    temporary: bool,
    at: datetime,
) -> User:
    check_name(username, field="username")
    check_name(display_name, field="display_name")
    refuse_weak_password(password, at=at)
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "display_name": display_name,
            "area": organisation.area,
            "is_citizen": False,
            "organisation": organisation,
            "password": make_password(password.get_secret_value()),
            "joined_at": at,
            "password_set_at": at,
            "password_is_temporary": temporary,
        },
    )
    if not created:
        raise UsernameTaken(username=username)
    return user
