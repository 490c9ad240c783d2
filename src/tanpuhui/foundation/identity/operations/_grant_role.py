"""Give a person one more role, and end one (授予与结束角色)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    AdministratorNeeded,
    MembershipEnded,
    MembershipExists,
    OrganisationKind,
    check_area,
    check_role,
)
from tanpuhui.foundation.identity.models import Membership, User
from tanpuhui.foundation.identity.operations._add_member import organisation_of
from tanpuhui.foundation.identity.operations._authority import check_appointment, require_granter
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted:
    """The new membership."""

    membership_id: int
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipOver:
    """The membership that ended, and when."""

    membership_id: int
    ended_at: datetime


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="user:{user_id}")
def grant_role(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    organisation_id: int,
    role: Role,
    area: str,
    valid_to: datetime | None = None,
    idempotency_key: str | None = None,
) -> RoleGranted:
    """Give a user a role for an organisation in an area, from now until `valid_to` (None: without end).

    Raises Invalid, MembershipExists, RoleNotOfKind, AdministratorsCombined, SelfAppointment, NotTheirPerson,
    NotFound, NotPermitted.
    """
    lock_names(f"identity:user:{user_id}")
    organisation = organisation_of(organisation_id)
    user = User.objects.filter(id=user_id).first()
    if user is None:
        raise NotFound(what="用户 user", id=user_id)
    require_granter(actor, organisation_id=organisation_id, area=area, operation="identity.grant_role")
    check_area(area)
    check_role(Role(role), kind=OrganisationKind(organisation.kind))
    if valid_to is not None and valid_to <= at:
        raise Invalid(field="valid_to", why="结束时间应晚于开始时间 / the end is after the beginning")
    check_appointment(
        actor, user=user, organisation=organisation, role=Role(role), area=area, begins=at, ends=valid_to
    )
    held = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at),
        user_id=user_id,
        organisation_id=organisation_id,
        role=Role(role).value,
        area=area,
    )
    if held.exists():
        raise MembershipExists(role=Role(role).value)
    row = Membership.objects.create(
        user_id=user_id,
        organisation_id=organisation_id,
        role=Role(role).value,
        area=area,
        valid_from=at,
        valid_to=valid_to,
    )
    return RoleGranted(membership_id=row.pk, user_id=user_id)


@operation(roles={Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}, subject="membership:{membership_id}")
def end_membership(
    *,
    actor: Actor,
    at: datetime,
    membership_id: int,
    idempotency_key: str | None = None,
) -> MembershipOver:
    """End a role now; what was done with it stays valid.

    Raises NotFound, MembershipEnded, AdministratorNeeded, NotPermitted.
    """
    row = Membership.objects.select_for_update().filter(id=membership_id).first()
    if row is None:
        raise NotFound(what="成员关系 membership", id=membership_id)
    require_granter(
        actor, organisation_id=row.organisation_id, area=row.area, operation="identity.end_membership"
    )
    if row.valid_to is not None and row.valid_to <= at:
        raise MembershipEnded(ended_at=row.valid_to.isoformat())
    if row.role in SCHEME_ADMINISTRATORS:
        _check_not_the_last(row, at=at)
    row.valid_to = at
    row.save(update_fields=["valid_to"])
    return MembershipOver(membership_id=row.pk, ended_at=at)


def _check_not_the_last(row: Membership, *, at: datetime) -> None:
    """Refuse to leave the scheme without one of its three administrators; two that end at once wait for each other."""
    lock_names(f"identity:administrators:{row.role}")
    others = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at), role=row.role, valid_from__lte=at, user__is_active=True
    ).exclude(user_id=row.user_id)
    if not others.exists():
        raise AdministratorNeeded(role=row.role)
