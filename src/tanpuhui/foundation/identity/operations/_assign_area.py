"""Assign a city to a sub-centre, or back to the province (辖区划分).

The system administrator does it alone: they hold no other role, so a change of areas can never be a change in their own
favour, and running cases move with the area at once, which must not wait for a second person's absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import (
    AreaAssignedAlready,
    AreaNotAssignable,
    OrganisationKind,
    check_area,
)
from tanpuhui.foundation.identity.models import AreaAssignment, Organisation
from tanpuhui.foundation.identity.operations._add_member import organisation_of
from tanpuhui.foundation.identity.operations._authority import require_keeper
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import jurisdiction, regions

CITY = "city"
AT_ADMISSION = "辖区资料 / jurisdiction.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaAssigned:
    """Who runs the area from `begins` on; None is the province's centre."""

    area: str
    organisation_id: int | None
    begins: datetime


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="area:{area}")
def assign_area(
    *,
    actor: Actor,
    at: datetime,
    area: str,
    organisation_id: int | None,
    reason: str,
    begins: datetime | None = None,
    idempotency_key: str | None = None,
) -> AreaAssigned:
    """Let a sub-centre run a city from `begins` (now unless given) on; None gives it back to the province.

    Running cases of the area are the new centre's from that moment; what was decided stays with who decided it.
    Raises AreaNotAssignable, AreaAssignedAlready, Invalid, NotFound, NotPermitted.
    """
    start = at if begins is None else begins
    check_area(area)
    require_keeper(actor, area=area, operation="identity.assign_area")
    if start < at:
        raise Invalid(field="begins", why="不能从过去开始 / cannot begin in the past")
    if not reason.strip():
        raise Invalid(field="reason", why="请写明理由 / say why")
    centre = None if organisation_id is None else organisation_of(organisation_id)
    _check_assignable(area, centre)
    lock_names(f"identity:area:{area}")
    later = AreaAssignment.objects.filter(area=area, valid_from__gte=start).order_by("valid_from").first()
    current = AreaAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=start), area=area, valid_from__lt=start
    ).first()
    standing = later or (
        current if current is not None and current.organisation_id == organisation_id else None
    )
    if standing is not None:
        raise AreaAssignedAlready(
            area=area,
            centre=standing.organisation.name,
            centre_en=standing.organisation.name_en,
            since=standing.valid_from.isoformat(timespec="minutes"),
        )
    if current is not None:
        current.valid_to = start
        current.save(update_fields=["valid_to"])
    if centre is not None:
        AreaAssignment.objects.create(organisation=centre, area=area, valid_from=start, reason=reason.strip())
    return AreaAssigned(area=area, organisation_id=organisation_id, begins=start)


def assign_areas_of_seat(centre: Organisation, *, at: datetime) -> None:
    """Give a sub-centre that enters the areas that the jurisdiction names for its seat, as far as nobody runs them.

    Call it inside the operation that registers the sub-centre.
    """
    named = [area for sub in jurisdiction().sub_centres if sub.seat == centre.area for area in sub.areas]
    lock_names(*(f"identity:area:{area}" for area in named))
    taken = set(
        AreaAssignment.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=at), area__in=named
        ).values_list("area", flat=True)
    )
    AreaAssignment.objects.bulk_create(
        AreaAssignment(organisation=centre, area=area, valid_from=at, reason=AT_ADMISSION)
        for area in named
        if area not in taken
    )


def _check_assignable(area: str, centre: Organisation | None) -> None:
    if centre is not None and centre.kind != OrganisationKind.SUBCENTRE:
        raise AreaNotAssignable(
            area=area, why_zh="只有分中心管辖指定的区域", why_en="only a sub-centre runs assigned areas"
        )
    if area not in {region.code for region in regions(level=CITY)}:
        raise AreaNotAssignable(
            area=area, why_zh="辖区按地级市划分", why_en="areas are assigned city by city"
        )
