"""Reads of applications, contracts and the people of organisations."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from tanpuhui.foundation.identity.domain import OrganisationKind
from tanpuhui.foundation.identity.domain.onboarding import AuthorisedPerson, OrganisationFacts
from tanpuhui.foundation.identity.models import (
    Membership,
    OrganisationApplication,
    OrganisationContract,
    User,
)
from tanpuhui.foundation.kernel.actors import Role
from tanpuhui.foundation.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application with everything it says; `organisation_id` once it was admitted."""

    id: int
    applicant_id: int
    facts: OrganisationFacts
    submitted_at: datetime
    closed_at: datetime | None
    organisation_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractView:
    """A contract, first and last day included."""

    id: int
    organisation_id: int
    number: str
    valid_from: date
    valid_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """Somebody an organisation keeps or who holds a role for it, with the roles held at a moment."""

    user_id: int
    username: str
    display_name: str
    activated: bool
    active: bool
    roles: tuple[tuple[int, str, str, datetime | None], ...]
    """Membership, role, area, end."""


def people_of(row: OrganisationApplication) -> tuple[AuthorisedPerson, ...]:
    """Return whom an application names, opened from its seal."""
    return tuple(
        AuthorisedPerson(
            name=person["name"],
            phone=person["phone"],
            username=person["username"],
            roles=tuple(Role(role) for role in person["roles"]),
        )
        for person in json.loads(str(row.people))
    )


def application(application_id: int) -> ApplicationView:
    """Return an application; raises NotFound."""
    row = OrganisationApplication.objects.filter(pk=application_id).first()
    if row is None:
        raise NotFound(what="入驻申请 application", id=application_id)
    return _application_view(row)


def applications_of(applicant_id: int) -> tuple[ApplicationView, ...]:
    """Return what a person applied for, the newest first."""
    rows = OrganisationApplication.objects.filter(applicant_id=applicant_id).order_by("-id")
    return tuple(_application_view(row) for row in rows)


def contracts(*, organisation_ids: Collection[int] | None = None) -> tuple[ContractView, ...]:
    """Return the contracts of some organisations, or all, the one that ends last first."""
    rows = OrganisationContract.objects.order_by("organisation_id", "-valid_to", "-id")
    if organisation_ids is not None:
        rows = rows.filter(organisation_id__in=organisation_ids)
    return tuple(
        ContractView(
            id=row.pk,
            organisation_id=row.organisation_id,
            number=row.number,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in rows
    )


def staff(organisation_id: int, *, at: datetime) -> tuple[StaffView, ...]:
    """Return the people of an organisation with the roles they hold for it at a moment, by name of sign-in."""
    held = Membership.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=at), organisation_id=organisation_id, valid_from__lte=at
    ).order_by("id")
    roles: dict[int, list[tuple[int, str, str, datetime | None]]] = {}
    for row in held:
        roles.setdefault(row.user_id, []).append((row.pk, row.role, row.area, row.valid_to))
    people = User.objects.filter(Q(organisation_id=organisation_id) | Q(id__in=roles)).order_by("username")
    return tuple(
        StaffView(
            user_id=person.pk,
            username=person.username,
            display_name=person.display_name,
            activated=person.has_usable_password(),
            active=person.is_active,
            roles=tuple(roles.get(person.pk, ())),
        )
        for person in people
    )


def _application_view(row: OrganisationApplication) -> ApplicationView:
    return ApplicationView(
        id=row.pk,
        applicant_id=row.applicant_id,
        facts=OrganisationFacts(
            kind=OrganisationKind(row.kind),
            name=row.name,
            name_en=row.name_en,
            uscc=row.uscc,
            area=row.area,
            contract_number=row.contract_number,
            contract_from=row.contract_from,
            contract_to=row.contract_to,
            people=people_of(row),
        ),
        submitted_at=row.submitted_at,
        closed_at=row.closed_at,
        organisation_id=row.organisation_id,
    )
