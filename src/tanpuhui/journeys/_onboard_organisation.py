"""Bring an organisation in (机构入驻): from somebody's application through a case to people who can sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import store_document
from tanpuhui.foundation.identity.operations import (
    OrganisationFacts,
    admit_application,
    close_application,
    correct_application,
    file_application,
)
from tanpuhui.foundation.identity.queries import ApplicationView, application
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound, NotPermitted
from tanpuhui.foundation.workflow.operations import attach, decide, open_case
from tanpuhui.foundation.workflow.queries import CaseView, case, cases_of, latest_outcome

PROCESS = "organisation_admission"
SUBJECT = "organisation_application"
LICENCE, AUTHORISATION = "licence", "authorisation"
FILE_BYTES_MAX = 10 * 1024 * 1024
MEDIA_TYPES = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n": "image/png"}
"""A scan or a photograph, told by its first bytes and not by what its name claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationApplied:
    """The application and its case."""

    application_id: int
    case_id: int
    case_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationAdmitted:
    """The organisation that an application became."""

    application_id: int
    organisation_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationEnded:
    """The application that came to nothing."""

    application_id: int


@operation(roles={Role.CITIZEN}, subject="organisation_application:{application_id}")
def apply_for_organisation(
    *,
    actor: Actor,
    at: datetime,
    facts: OrganisationFacts,
    licence_name: str,
    licence: bytes,
    authorisation_name: str,
    authorisation: bytes,
    idempotency_key: str | None = None,
) -> OrganisationApplied:
    """File an application for somebody signed in by phone, with its two documents, and open its case.

    `licence` is the certificate that bears the credit code, `authorisation` the organisation's letter for its people.
    Raises Invalid, RoleNotOfKind, UscCodeTaken, UsernameTaken, ApplicationRuns, TooManyApplications.
    """
    application_id = file_application(facts, applicant_id=int(actor.id), at=at)
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT,
        subject_id=str(application_id),
        title=facts.name.strip(),
        area=facts.area,
    )
    for kind, name, content in (
        (LICENCE, licence_name, licence),
        (AUTHORISATION, authorisation_name, authorisation),
    ):
        _attach(actor, at=at, case_id=opened.case_id, kind=kind, name=name, content=content)
    return OrganisationApplied(
        application_id=application_id, case_id=opened.case_id, case_number=opened.number
    )


@operation(roles={Role.CITIZEN}, subject="organisation_application:{application_id}")
def resubmit_application(
    *,
    actor: Actor,
    at: datetime,
    application_id: int,
    facts: OrganisationFacts,
    opinion: str,
    licence_name: str = "",
    licence: bytes = b"",
    authorisation_name: str = "",
    authorisation: bytes = b"",
    idempotency_key: str | None = None,
) -> OrganisationApplied:
    """Answer a return with corrected facts, new documents where given, and what was changed. The area stays.

    Raises what `apply_for_organisation` raises, and what `decide` refuses.
    """
    view = own_application(actor, application_id)
    if facts.area != view.facts.area:
        raise Invalid(
            field="area",
            why="办件已经由当地受理，区域不能再改；需要的话请撤回后重新申请 / the case lies in its area; withdraw and apply again",
        )
    found = case_of(application_id)
    correct_application(application_id, facts, at=at)
    for kind, name, content in (
        (LICENCE, licence_name, licence),
        (AUTHORISATION, authorisation_name, authorisation),
    ):
        if content:
            _attach(actor, at=at, case_id=found.case_id, kind=kind, name=name, content=content)
    decide(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=found.case_id,
        outcome="resubmit",
        opinion=opinion,
    )
    return OrganisationApplied(application_id=application_id, case_id=found.case_id, case_number=found.number)


@operation(roles=set(), subject="organisation_application:{application_id}")
def admit_organisation(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> OrganisationAdmitted:
    """Effect of admitting: organisation, contract, people and their roles begin in the deciding transaction.

    Their activation codes leave by deferred jobs once it is committed. Raises NotPermitted (the case was not decided
    so), ApplicationClosed, UscCodeTaken, UsernameTaken.
    """
    _check_decided("admit", case_id=case_id, subject_id=subject_id)
    application_id = int(subject_id)
    return OrganisationAdmitted(
        application_id=application_id, organisation_id=admit_application(application_id, at=at)
    )


@operation(roles=set(), subject="organisation_application:{application_id}")
def reject_organisation(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationEnded:
    """Effect of rejecting: the application ends. Raises NotPermitted, ApplicationClosed."""
    return _end("reject", case_id=case_id, subject_id=subject_id, at=at)


@operation(roles=set(), subject="organisation_application:{application_id}")
def withdraw_application(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ApplicationEnded:
    """Effect of withdrawing: the application ends. Raises NotPermitted, ApplicationClosed."""
    return _end("withdraw", case_id=case_id, subject_id=subject_id, at=at)


def own_application(actor: Actor, application_id: int) -> ApplicationView:
    """Return an application of this applicant; another's is not found. Raises NotFound."""
    view = application(application_id)
    if (actor.kind, actor.id) != ("user", str(view.applicant_id)):
        raise NotFound(what="入驻申请 application", id=application_id)
    return view


def case_of(application_id: int) -> CaseView:
    """Return the case of an application. Raises NotFound."""
    found = cases_of(SUBJECT, str(application_id))
    if not found:
        raise NotFound(what="案件 / case", id=application_id)
    return found[0]


def _attach(actor: Actor, *, at: datetime, case_id: int, kind: str, name: str, content: bytes) -> None:
    media_type = next((known for start, known in MEDIA_TYPES.items() if content.startswith(start)), None)
    if media_type is None:
        raise Invalid(field=kind, why="请提交 PDF、JPG 或 PNG 文件 / a PDF, JPG or PNG file is expected")
    if len(content) > FILE_BYTES_MAX:
        raise Invalid(field=kind, why="文件不能超过 10 MB / a file has at most 10 MB")
    stored = store_document(content=content, name=name, media_type=media_type, at=at)
    attach(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=case_id,
        kind=kind,
        name=name,
        sha256=stored.sha256,
    )


def _end(outcome: str, *, case_id: int, subject_id: str, at: datetime) -> ApplicationEnded:
    _check_decided(outcome, case_id=case_id, subject_id=subject_id)
    close_application(int(subject_id), at=at)
    return ApplicationEnded(application_id=int(subject_id))


def _check_decided(outcome: str, *, case_id: int, subject_id: str) -> None:
    """Refuse a call that is not the effect of this outcome on this subject."""
    found = case(case_id)
    if (found.subject_type, found.subject_id, latest_outcome(case_id)) != (SUBJECT, subject_id, outcome):
        raise NotPermitted(operation=f"journeys.{outcome}")
