"""Admit an organisation (机构入驻)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.domain import OrganisationKind, UscCodeTaken, check_area, check_name
from tanpuhui.foundation.identity.models import Organisation
from tanpuhui.foundation.identity.operations._assign_area import assign_areas_of_seat
from tanpuhui.foundation.identity.operations._authority import require_keeper
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.identifiers import is_uscc


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRegistered:
    """The new organisation."""

    organisation_id: int


@operation(roles={Role.SYSTEM_ADMINISTRATOR}, subject="organisation:{organisation_id}")
def register_organisation(
    *,
    actor: Actor,
    at: datetime,
    kind: OrganisationKind,
    name: str,
    name_en: str,
    uscc: str,
    area: str,
    idempotency_key: str | None = None,
) -> OrganisationRegistered:
    """Register an organisation of a kind, with its social credit code (GB 32100) and area (GB/T 2260).

    Raises Invalid, UscCodeTaken, NotPermitted. Organisations enter through a case (`journeys`); this alone founds
    the scheme and its demonstration, and lets the system administrator set up the scheme's own bodies.
    """
    require_keeper(actor, area=area, operation="identity.register_organisation")
    if kind not in set(OrganisationKind):
        raise Invalid(field="kind", why=f"{kind!r} 不是机构类型 / is not a kind of organisation")
    check_name(name, field="name")
    check_name(name_en, field="name_en")
    check_area(area)
    if not is_uscc(uscc):
        raise Invalid(field="uscc", why=f"{uscc!r} 的校验位不符 GB 32100 / fails the checks of GB 32100")
    row, created = Organisation.objects.get_or_create(
        uscc=uscc,
        defaults={
            "kind": OrganisationKind(kind).value,
            "name": name,
            "name_en": name_en,
            "area": area,
            "admitted_at": at,
        },
    )
    if not created:
        raise UscCodeTaken(uscc=uscc)
    if row.kind == OrganisationKind.SUBCENTRE:
        assign_areas_of_seat(row, at=at)
    return OrganisationRegistered(organisation_id=row.id)
