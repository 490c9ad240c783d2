"""Give an organisation a person who signs in with user name and password (添加成员)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
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
from tanpuhui.foundation.identity.operations._authority import require_administrator
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdded:
    """The new user and their first membership."""

    user_id: int
    membership_id: int


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
    idempotency_key: str | None = None,
) -> MemberAdded:
    """Create a user and give them one role for the organisation in an area.

    The password is a SecretStr, so that the audit's argument hash does not cover it and cannot be used to guess it.
    Raises Invalid, UsernameTaken, RoleNotOfKind, NotFound, NotPermitted.
    """
    organisation = Organisation.objects.filter(id=organisation_id).first()
    if organisation is None:
        raise NotFound(what="机构 organisation", id=organisation_id)
    require_administrator(actor, organisation_id=organisation_id, area=area, operation="identity.add_member")
    check_area(area)
    check_name(username, field="username")
    check_name(display_name, field="display_name")
    check_role(Role(role), kind=OrganisationKind(organisation.kind))
    _check_password(password)
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "display_name": display_name,
            "area": area,
            "is_citizen": False,
            "password": make_password(password.get_secret_value()),
            "joined_at": at,
        },
    )
    if not created:
        raise UsernameTaken(username=username)
    membership = Membership.objects.create(
        user=user, organisation=organisation, role=Role(role).value, area=area, valid_from=at
    )
    return MemberAdded(user_id=user.id, membership_id=membership.id)


def _check_password(password: SecretStr) -> None:
    try:
        validate_password(password.get_secret_value())
    except ValidationError as error:
        raise Invalid(field="password", why=" ".join(str(m) for m in error.messages)) from error
