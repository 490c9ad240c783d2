"""Bring an organisation in (机构入驻): what `journeys` writes while the case of an application is decided.

These are parts of the journey's operations, not operations: each must be called inside one, which says who may.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, transaction

from tanpuhui.foundation.identity.domain import (
    SCHEME_BODIES,
    OrganisationKind,
    UscCodeTaken,
    UsernameTaken,
)
from tanpuhui.foundation.identity.domain.onboarding import (
    APPLICATIONS_RUNNING_MAX,
    ApplicationClosed,
    ApplicationRuns,
    OrganisationFacts,
    TooManyApplications,
    checked_facts,
)
from tanpuhui.foundation.identity.models import (
    Membership,
    Organisation,
    OrganisationApplication,
    OrganisationContract,
    User,
)
from tanpuhui.foundation.identity.operations._assign_area import assign_areas_of_seat
from tanpuhui.foundation.identity.operations._invite import invite_new_person
from tanpuhui.foundation.identity.queries.onboarding import people_of
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.persistence.locks import lock_names

NO_PASSWORD = UNUSABLE_PASSWORD_PREFIX


def file_application(facts: OrganisationFacts, *, applicant_id: int, at: datetime) -> int:
    """Write an application that nobody has decided yet and return its number.

    Raises Invalid, RoleNotOfKind, UscCodeTaken, UsernameTaken, ApplicationRuns, TooManyApplications.
    """
    checked = checked_facts(facts)
    lock_names(f"identity:uscc:{checked.uscc}", f"identity:applicant:{applicant_id}")
    running = OrganisationApplication.objects.filter(closed_at__isnull=True)
    mine = running.filter(applicant_id=applicant_id).count()
    if mine >= APPLICATIONS_RUNNING_MAX:
        raise TooManyApplications(n=mine)
    _check_free(checked)
    if running.filter(uscc=checked.uscc).exists():
        raise ApplicationRuns(uscc=checked.uscc)
    row = OrganisationApplication(applicant_id=applicant_id, submitted_at=at)
    _write(row, checked)
    return row.pk


def correct_application(application_id: int, facts: OrganisationFacts, *, at: datetime) -> None:
    """Put corrected facts in the place of those that were returned. Raises what `file_application` raises."""
    checked = checked_facts(facts)
    row = running_application(application_id)
    lock_names(f"identity:uscc:{checked.uscc}")
    _check_free(checked)
    if (
        OrganisationApplication.objects.filter(closed_at__isnull=True, uscc=checked.uscc)
        .exclude(pk=row.pk)
        .exists()
    ):
        raise ApplicationRuns(uscc=checked.uscc)
    row.submitted_at = at
    _write(row, checked)


def admit_application(application_id: int, *, at: datetime) -> int:
    """Make an application come true: organisation, contract, people, their roles and invitations; return the organisation.

    Raises ApplicationClosed, UscCodeTaken, UsernameTaken.
    """
    row = running_application(application_id)
    people = people_of(row)
    lock_names(f"identity:uscc:{row.uscc}")
    if Organisation.objects.filter(uscc=row.uscc).exists():
        raise UscCodeTaken(uscc=row.uscc)
    organisation = Organisation.objects.create(
        kind=row.kind, name=row.name, name_en=row.name_en, uscc=row.uscc, area=row.area, admitted_at=at
    )
    if organisation.kind == OrganisationKind.SUBCENTRE:
        assign_areas_of_seat(organisation, at=at)
    if organisation.kind not in SCHEME_BODIES:
        OrganisationContract.objects.create(
            organisation=organisation,
            number=row.contract_number,
            valid_from=row.contract_from,
            valid_to=row.contract_to,
            agreed_at=at,
        )
    for person in people:
        user = invite_new_person(
            organisation, username=person.username, display_name=person.name, phone=person.phone, at=at
        )
        Membership.objects.bulk_create(
            Membership(
                user=user, organisation=organisation, role=role.value, area=organisation.area, valid_from=at
            )
            for role in person.roles
        )
    row.organisation, row.closed_at = organisation, at
    row.save(update_fields=["organisation", "closed_at"])
    return organisation.pk


def close_application(application_id: int, *, at: datetime) -> None:
    """End an application that was rejected or withdrawn, so that another may be filed. Raises ApplicationClosed."""
    row = running_application(application_id)
    row.closed_at = at
    row.save(update_fields=["closed_at"])


def running_application(application_id: int) -> OrganisationApplication:
    """Return an undecided application, locked. Raises NotFound, ApplicationClosed."""
    row = OrganisationApplication.objects.select_for_update().filter(pk=application_id).first()
    if row is None:
        raise NotFound(what="入驻申请 application", id=application_id)
    if row.closed_at is not None:
        raise ApplicationClosed
    return row


def _check_free(facts: OrganisationFacts) -> None:
    if Organisation.objects.filter(uscc=facts.uscc).exists():
        raise UscCodeTaken(uscc=facts.uscc)
    names = [person.username for person in facts.people]
    taken = User.objects.filter(username__in=names).values_list("username", flat=True).first()
    if taken is not None:
        raise UsernameTaken(username=taken)


def _write(row: OrganisationApplication, facts: OrganisationFacts) -> None:
    row.kind, row.name, row.name_en = facts.kind.value, facts.name, facts.name_en
    row.uscc, row.area = facts.uscc, facts.area
    row.contract_number = facts.contract_number
    row.contract_from, row.contract_to = facts.contract_from, facts.contract_to
    row.people = json.dumps([asdict(person) for person in facts.people], ensure_ascii=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        # The constraint decides between two that were filed without either seeing the other.
        raise ApplicationRuns(uscc=facts.uscc) from error
