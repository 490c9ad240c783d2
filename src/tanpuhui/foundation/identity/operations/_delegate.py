"""Let a colleague act in one's own place for a while, and end it (授权代办)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    AdministratorsCombined,
    DelegationImpossible,
    MembershipEnded,
    check_area,
)
from tanpuhui.foundation.identity.models import Delegation, Membership, User
from tanpuhui.foundation.identity.operations._authority import require_granter
from tanpuhui.foundation.kernel.actors import SCHEME_ADMINISTRATORS, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.locks import lock_names

NEVER_DELEGATED = SCHEME_ADMINISTRATORS | {Role.ADMINISTRATOR, Role.CITIZEN, Role.SYSTEM}
"""Roles over other people's rights, and those that are a person or a machine, are used by their holder only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """The delegation and to whom."""

    delegation_id: int
    receiver_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationEnded:
    """The delegation that ended, and when."""

    delegation_id: int
    ended_at: datetime


@operation(roles=frozenset(Role) - NEVER_DELEGATED, subject="delegation:{delegation_id}")
def delegate(
    *,
    actor: Actor,
    at: datetime,
    receiver_id: int,
    organisation_id: int,
    roles: Sequence[Role],
    area: str,
    valid_from: datetime,
    valid_to: datetime,
    reason: str,
    idempotency_key: str | None = None,
) -> Delegated:
    """Let a colleague of the same organisation use some of the actor's own roles inside an area, between two moments.

    It ends by itself with the giver's membership, and cannot be passed on. Decisions name both persons, and the
    two-person rule counts both. Raises DelegationImpossible, AdministratorsCombined, Invalid, NotFound, NotPermitted.
    """
    check_area(area)
    wanted = tuple(dict.fromkeys(Role(role) for role in roles))
    if not wanted:
        raise Invalid(field="roles", why="至少选一个角色 / choose at least one role")
    if not reason.strip():
        raise Invalid(field="reason", why="请写明原因 / say why")
    if not max(at, valid_from) < valid_to:
        raise Invalid(
            field="valid_to",
            why="结束时间应晚于开始时间和现在 / the end is after the beginning and after now",
        )
    _check_roles(actor, wanted, organisation_id=organisation_id, area=area)
    lock_names(f"identity:user:{receiver_id}")
    receiver = User.objects.filter(id=receiver_id, is_active=True, is_citizen=False).first()
    if receiver is None:
        raise NotFound(what="用户 user", id=receiver_id)
    _check_receiver(actor, receiver, organisation_id=organisation_id, roles=wanted, at=at)
    row = Delegation.objects.create(
        giver_id=int(actor.id),
        receiver=receiver,
        organisation_id=organisation_id,
        roles=[role.value for role in wanted],
        area=area,
        valid_from=max(at, valid_from),
        valid_to=valid_to,
        reason=reason.strip(),
    )
    return Delegated(delegation_id=row.pk, receiver_id=receiver.pk)


@operation(roles=set(), subject="delegation:{delegation_id}")
def end_delegation(
    *, actor: Actor, at: datetime, delegation_id: int, idempotency_key: str | None = None
) -> DelegationEnded:
    """End a delegation now: its giver, its receiver, or whoever may end the giver's role.

    Raises NotFound, MembershipEnded, NotPermitted.
    """
    row = Delegation.objects.select_for_update().filter(id=delegation_id).first()
    if row is None:
        raise NotFound(what="代办授权 delegation", id=delegation_id)
    if actor.kind != "user" or actor.id not in {str(row.giver_id), str(row.receiver_id)}:
        require_granter(
            actor, organisation_id=row.organisation_id, area=row.area, operation="identity.end_delegation"
        )
    over = row.ended_at or row.valid_to
    if over <= at:
        raise MembershipEnded(ended_at=over.isoformat())
    row.ended_at = at
    row.ended_by = f"{actor.kind}:{actor.id}"
    row.save(update_fields=["ended_at", "ended_by"])
    return DelegationEnded(delegation_id=row.pk, ended_at=at)


def _check_roles(actor: Actor, roles: Sequence[Role], *, organisation_id: int, area: str) -> None:
    """Refuse roles that are not the actor's own: administrators' roles, another's, or beyond their area."""
    if actor.kind != "user":
        raise DelegationImpossible(
            why_zh="只有本人可以授权", why_en="only a person delegates, and only their own roles"
        )
    own = Actor(kind=actor.kind, id=actor.id, grants=tuple(g for g in actor.grants if not g.on_behalf_of))
    for role in roles:
        if role in NEVER_DELEGATED:
            raise DelegationImpossible(
                why_zh=f"角色 {role} 只能由本人行使", why_en=f"the role {role} is used by its holder only"
            )
        if own.has(role, organisation_id=organisation_id, area=area):
            continue
        if actor.has(role, organisation_id=organisation_id, area=area):
            raise DelegationImpossible(
                why_zh="代办的权限不能再转授", why_en="what you hold on behalf of another cannot be passed on"
            )
        raise DelegationImpossible(
            why_zh=f"你在本机构、该区域没有角色 {role}",
            why_en=f"you do not hold the role {role} there yourself",
        )


def _check_receiver(
    actor: Actor, receiver: User, *, organisation_id: int, roles: Sequence[Role], at: datetime
) -> None:
    if str(receiver.pk) == actor.id:
        raise DelegationImpossible(why_zh="不能授权给自己", why_en="nobody delegates to themselves")
    held = Membership.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at), user=receiver)
    if (
        receiver.organisation_id != organisation_id
        and not held.filter(organisation_id=organisation_id).exists()
    ):
        raise DelegationImpossible(
            why_zh="只能授权给本机构的同事",
            why_en="only a colleague of the same organisation can act for you",
        )
    offices = SCHEME_ADMINISTRATORS & {Role(role) for role in held.values_list("role", flat=True)}
    if offices:
        raise AdministratorsCombined(
            role=", ".join(role.value for role in roles), held=", ".join(sorted(offices))
        )
