"""Who keeps organisations and people, and who gives and ends their roles (三员分立).

The system administrator keeps, the security administrator gives: neither makes somebody powerful alone. An outside
organisation's own administrator does both, for its own people.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.identity.domain import (
    AdministratorsCombined,
    NotTheirPerson,
    SelfAppointment,
)
from tanpuhui.foundation.identity.models import Membership, Organisation, User
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotPermitted


def require_keeper(actor: Actor, *, area: str, operation: str, organisation_id: int | None = None) -> None:
    """Refuse unless the actor is the system administrator over this area, or administers this organisation.

    Raises NotPermitted.
    """
    _require(
        Role.SYSTEM_ADMINISTRATOR, actor, area=area, operation=operation, organisation_id=organisation_id
    )


def require_granter(actor: Actor, *, area: str, operation: str, organisation_id: int | None = None) -> None:
    """Refuse unless the actor is the security administrator over this area, or administers this organisation.

    Raises NotPermitted.
    """
    _require(
        Role.SECURITY_ADMINISTRATOR, actor, area=area, operation=operation, organisation_id=organisation_id
    )


def check_appointment(
    actor: Actor,
    *,
    user: User,
    organisation: Organisation,
    role: Role,
    area: str,
    begins: datetime,
    ends: datetime | None,
) -> None:
    """Refuse a role that this person may not be given by this actor for this time; call it under the person's lock.

    Raises SelfAppointment, NotTheirPerson, AdministratorsCombined, Invalid.
    """
    if (actor.kind, actor.id) == ("user", str(user.pk)):
        raise SelfAppointment
    if user.is_citizen:
        raise Invalid(
            field="user_id", why="公众账户不能任职，请添加工作账户 / a citizen's account holds no office"
        )
    across = Role.SYSTEM in actor.roles or actor.has(Role.SECURITY_ADMINISTRATOR, area=area)
    if not across and user.organisation_id != organisation.pk:
        raise NotTheirPerson
    if role in SCHEME_ADMINISTRATORS and area != organisation.area:
        raise Invalid(
            field="area", why="三员的区域是全省 / the three administrators serve the whole province"
        )
    rows = Membership.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=begins), user=user)
    if ends is not None:
        rows = rows.filter(valid_from__lt=ends)
    held = {Role(found) for found in rows.values_list("role", flat=True)}
    if any(other is not role and SCHEME_ADMINISTRATORS & {role, other} for other in held):
        raise AdministratorsCombined(role=role.value, held=", ".join(sorted(held - {role})))


def require_administrator_of(actor: Actor, *, user_id: int, at: datetime, operation: str) -> None:
    """Refuse unless the actor is the security administrator over, or administers, every organisation somebody serves.

    One would not do: an administrator of a merchant could otherwise let a second factor of the centre lapse.
    Raises NotPermitted.
    """
    own = User.objects.filter(id=user_id).values_list("organisation_id", "organisation__area")
    held = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at), user_id=user_id, valid_from__lte=at
    ).values_list("organisation_id", "area")
    served = [(identifier, area) for identifier, area in {*own, *held} if identifier is not None]
    if not served:
        actor.require(Role.SYSTEM, operation=operation)
    for organisation_id, area in served:
        require_granter(actor, organisation_id=organisation_id, area=area or "", operation=operation)


def refuse_oneself(actor: Actor, user_id: int, *, operation: str) -> None:
    """Refuse an administrator who acts on their own sign-in. Raises NotPermitted."""
    if (actor.kind, actor.id) == ("user", str(user_id)):
        raise NotPermitted(operation=operation)


def require_reason(reason: str) -> None:
    """Refuse an act of an administrator without its reason. Raises Invalid."""
    if not reason.strip():
        raise Invalid(
            field="reason",
            why="请写明理由，例如怎样核实了本人 / say why, for example how the person was verified",
        )


def _require(
    scheme_role: Role, actor: Actor, *, area: str, operation: str, organisation_id: int | None
) -> None:
    if Role.SYSTEM in actor.roles or actor.has(scheme_role, area=area):
        return
    if organisation_id is not None and actor.has(
        Role.ADMINISTRATOR, organisation_id=organisation_id, area=area
    ):
        return
    raise NotPermitted(operation=operation)
