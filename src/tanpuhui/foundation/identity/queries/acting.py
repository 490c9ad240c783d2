"""Who may act as what at a moment: own roles, the cities assigned to a sub-centre, and what colleagues delegated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet

from tanpuhui.foundation.identity.domain import DelegationOver, OrganisationKind, shared_area
from tanpuhui.foundation.identity.models import (
    AreaAssignment,
    Delegation,
    Membership,
    OrganisationContract,
    User,
)
from tanpuhui.foundation.kernel.actors import (
    SCHEME_ADMINISTRATORS,
    Actor,
    Grant,
    Role,
    area_covers,
    areas_over,
)
from tanpuhui.foundation.kernel.calendar import CHINA, business_day
from tanpuhui.foundation.kernel.errors import NotFound

Dated = TypeVar("Dated", Membership, AreaAssignment)


def actor_of(*, user_id: int, at: datetime) -> Actor:
    """Return a user as an actor with the grants that hold at a moment; an inactive user has none. Raises NotFound.

    People of a sub-centre act on the cities assigned to it at that moment, inside the area of their role. What a
    colleague delegated is held as far as the colleague holds it, and says on whose behalf.
    """
    user = (
        User.objects.filter(id=user_id)
        .only("area", "is_citizen", "is_active", "organisation_id", "display_name")
        .first()
    )
    if user is None:
        raise NotFound(what="用户 user", id=user_id)
    grants: list[Grant] = []
    if user.is_active:
        if user.is_citizen:
            grants.append(Grant(role=Role.CITIZEN, area=user.area))
        grants.extend(_own_grants(user_id, at=at))
        grants.extend(_delegated_grants(user, own=grants, at=at))
    return Actor(kind="user", id=str(user_id), grants=tuple(grants))


def _own_grants(user_id: int, *, at: datetime) -> list[Grant]:
    rows = list(
        in_force(under_contract(Membership.objects.filter(user_id=user_id), at), at)
        .order_by("id")
        .values_list("role", "organisation_id", "area", "organisation__kind")
    )
    assigned: dict[int, list[str]] = {}
    sub_centres = {
        organisation_id for _, organisation_id, _, kind in rows if kind == OrganisationKind.SUBCENTRE
    }
    if sub_centres:
        found = in_force(AreaAssignment.objects.filter(organisation_id__in=sub_centres), at)
        for organisation_id, area in found.order_by("area").values_list("organisation_id", "area"):
            assigned.setdefault(organisation_id, []).append(area)
    grants: list[Grant] = []
    for role, organisation_id, area, kind in rows:
        areas: Iterable[str | None] = (
            (shared_area(area, city) for city in assigned.get(organisation_id, []))
            if kind == OrganisationKind.SUBCENTRE
            else (area,)
        )
        grants.extend(
            Grant(role=Role(role), organisation_id=organisation_id, area=held) for held in areas if held
        )
    return grants


def _delegated_grants(user: User, *, own: Sequence[Grant], at: datetime) -> list[Grant]:
    """Return what colleagues delegated to a user; whoever administers the scheme acts for nobody."""
    if any(grant.role in SCHEME_ADMINISTRATORS for grant in own):
        return []
    colleagues_of = {
        organisation_id
        for organisation_id in (user.organisation_id, *(grant.organisation_id for grant in own))
        if organisation_id is not None
    }
    rows = Delegation.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at),
        receiver=user,
        valid_from__lte=at,
        valid_to__gt=at,
        giver__is_active=True,
        organisation_id__in=colleagues_of,
    ).order_by("id")
    return [
        Grant(role=grant.role, organisation_id=row.organisation_id, area=held, on_behalf_of=str(row.giver_id))
        for row in rows
        for grant in _own_grants(row.giver_id, at=at)
        if grant.role in row.roles
        and grant.organisation_id == row.organisation_id
        and (held := shared_area(grant.area, row.area)) is not None
    ]


def users_with_role(
    *, role: str, area: str, at: datetime, organisation_id: int | None = None
) -> frozenset[int]:
    """Return the active people who may act in a role over an area at a moment, of one organisation where it is given.

    The other direction of `actor_of`: sub-centres only where they run the area, contracts in force, and whoever acts for
    one of these people.
    """
    around = areas_over(area)
    runs_it = in_force(
        AreaAssignment.objects.filter(organisation_id=OuterRef("organisation_id"), area__in=around), at
    )
    rows = under_contract(in_force(Membership.objects.filter(role=role, area__in=around), at), at).filter(
        ~Q(organisation__kind=OrganisationKind.SUBCENTRE) | Exists(runs_it), user__is_active=True
    )
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    holders = set(rows.values_list("user_id", "organisation_id"))
    standing = Delegation.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at),
        giver_id__in={user_id for user_id, _ in holders},
        roles__contains=[role],
        area__in=around,
        valid_from__lte=at,
        valid_to__gt=at,
    )
    receivers = {
        row.receiver_id
        for row in standing
        if (row.giver_id, row.organisation_id) in holders
        and any(
            grant.on_behalf_of == str(row.giver_id) and grant.role == role and area_covers(grant.area, area)
            for grant in actor_of(user_id=row.receiver_id, at=at).grants
        )
    }
    return frozenset({user_id for user_id, _ in holders} | receivers)


def under_contract(rows: QuerySet[Membership], at: datetime) -> QuerySet[Membership]:
    """Return the memberships of organisations whose contract is in force; one that has none (the scheme's own) needs none."""
    day = business_day(at)
    contracts = OrganisationContract.objects.filter(organisation_id=OuterRef("organisation_id"))
    return rows.filter(~Exists(contracts) | Exists(contracts.filter(valid_from__lte=day, valid_to__gte=day)))


def in_force(rows: QuerySet[Dated], at: datetime) -> QuerySet[Dated]:
    """Return the dated rows that hold at a moment."""
    return rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at), valid_from__lte=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaAssignmentView:
    """Which sub-centre runs a city, between which moments, and why."""

    organisation_id: int
    area: str
    valid_from: datetime
    valid_to: datetime | None
    reason: str


def area_assignments(
    *, at: datetime | None = None, organisation_id: int | None = None
) -> tuple[AreaAssignmentView, ...]:
    """Return who runs which city at a moment, or ever where none is given, by area and date."""
    rows = AreaAssignment.objects.order_by("area", "valid_from")
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    if at is not None:
        rows = in_force(rows, at)
    return tuple(
        AreaAssignmentView(
            organisation_id=row.organisation_id,
            area=row.area,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            reason=row.reason,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationView:
    """Who may act for whom, in which roles and area, between which moments; `over_at` is when it ends or ended."""

    id: int
    giver_id: int
    receiver_id: int
    organisation_id: int
    roles: tuple[str, ...]
    area: str
    valid_from: datetime
    over_at: datetime
    reason: str


def delegations(
    *, user_id: int | None = None, organisation_id: int | None = None
) -> tuple[DelegationView, ...]:
    """Return the delegations that a user gave or received, or those of an organisation, the newest first."""
    rows = Delegation.objects.order_by("-id")
    if user_id is not None:
        rows = rows.filter(Q(giver_id=user_id) | Q(receiver_id=user_id))
    if organisation_id is not None:
        rows = rows.filter(organisation_id=organisation_id)
    return tuple(_delegation_view(row) for row in rows)


def delegation_over(
    *,
    actor: Actor,
    roles: Iterable[str],
    area: str,
    at: datetime,
    organisation_ids: Collection[int] | None = None,
) -> DelegationOver | None:
    """Return why somebody can no longer act in one of the roles over an area: a delegation that covered it has ended.

    `organisation_ids`, if given, are those for which it must have been. None where there was no such delegation.
    """
    if actor.kind != "user" or not actor.id.isdigit():
        return None
    wanted = set(roles)
    rows = Delegation.objects.filter(
        Q(ended_at__lte=at) | Q(valid_to__lte=at), receiver_id=int(actor.id), valid_from__lte=at
    )
    if organisation_ids is not None:
        rows = rows.filter(organisation_id__in=organisation_ids)
    for row in rows.select_related("giver").order_by("-id"):
        if wanted & set(row.roles) and area_covers(row.area, area):
            ended_at = (row.ended_at or row.valid_to).astimezone(CHINA)
            return DelegationOver(giver=row.giver.display_name, ended_at=f"{ended_at:%Y-%m-%d %H:%M}")
    return None


def _delegation_view(row: Delegation) -> DelegationView:
    return DelegationView(
        id=row.pk,
        giver_id=row.giver_id,
        receiver_id=row.receiver_id,
        organisation_id=row.organisation_id,
        roles=tuple(row.roles),
        area=row.area,
        valid_from=row.valid_from,
        over_at=row.valid_to if row.ended_at is None else row.ended_at,
        reason=row.reason,
    )
