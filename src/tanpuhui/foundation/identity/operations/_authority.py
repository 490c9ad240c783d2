"""Who may admit organisations and give roles: their own administrator, or one of the centre or the regulator."""

from __future__ import annotations

from tanpuhui.foundation.identity.domain import OrganisationKind
from tanpuhui.foundation.identity.models import Organisation
from tanpuhui.foundation.kernel.actors import Actor, Role, area_covers
from tanpuhui.foundation.kernel.errors import NotPermitted


def require_scheme_administrator(actor: Actor, *, area: str, operation: str) -> None:
    """Refuse unless the actor administers the centre or the regulator over this area. Raises NotPermitted."""
    if Role.SYSTEM in actor.roles or _administers_scheme(actor, area=area):
        return
    raise NotPermitted(operation=operation)


def require_administrator(actor: Actor, *, organisation_id: int, area: str, operation: str) -> None:
    """Refuse unless the actor administers this organisation, or the scheme, over this area. Raises NotPermitted."""
    if actor.has(Role.ADMINISTRATOR, organisation_id=organisation_id, area=area):
        return
    require_scheme_administrator(actor, area=area, operation=operation)


def _administers_scheme(actor: Actor, *, area: str) -> bool:
    candidates = {
        grant.organisation_id
        for grant in actor.grants
        if grant.role is Role.ADMINISTRATOR and area_covers(grant.area, area)
    }
    return Organisation.objects.filter(
        id__in=[identifier for identifier in candidates if identifier is not None],
        kind__in=[OrganisationKind.CENTRE, OrganisationKind.REGULATOR],
    ).exists()
