from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.persistence.events import publish
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.domain import (
    NUMBER_PARAMETER,
    NUMBER_PATTERN,
    CaseAlreadyOpen,
    CaseFacts,
    PartyUnsuitable,
    case_number,
)
from tanpuhui.foundation.workflow.events import CaseStarted
from tanpuhui.foundation.workflow.models import Case, CaseParty
from tanpuhui.foundation.workflow.operations._deadlines import reckon
from tanpuhui.foundation.workflow.operations._index import index_cases


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A case begins (立案)."""

    case_id: int
    number: str
    state: str


@operation(roles=set(), subject="case:{case_id}")
def open_case(
    *,
    actor: Actor,
    at: datetime,
    process: str,
    subject_type: str,
    subject_id: str,
    title: str,
    area: str,
    organisation_id: int | None = None,
    parties: Mapping[str, int] | None = None,
) -> CaseOpened:
    """Open a case of the process version in force at `at`, in its initial state; the case keeps that version.

    `organisation_id` is the applicant, `parties` the other organisations by role (`{"verifier": 12}`). Who may open
    is for the calling operation to say; the system may. Raises CaseAlreadyOpen, PartyUnsuitable, rulebook's refusals.
    """
    version = rulebook.process_version(process=process, at=at)
    state = version.initial_state
    lock_names(f"case:{process}:{subject_type}:{subject_id}")
    running = Case.objects.filter(
        process=process, subject_type=subject_type, subject_id=subject_id, closed_at__isnull=True
    ).first()
    if running is not None:
        raise CaseAlreadyOpen(number=running.number)
    days, day = _first_deadline(version, at=at)
    row = Case.objects.create(
        number=_next_number(process=process, at=at),
        process=process,
        process_version_id=version.id,
        subject_type=subject_type,
        subject_id=subject_id,
        title=title,
        area=area,
        organisation_id=organisation_id,
        state=state,
        opened_at=at,
        opened_by_kind=actor.kind,
        opened_by_id=actor.id,
        entered_at=at,
        deadline_working_days=days,
        deadline_day=day,
    )
    for role, party in sorted((parties or {}).items()):
        insert_party(case=row, role=role, organisation_id=party, at=at)
    index_cases([row.pk])
    publish(
        CaseStarted(
            case_id=row.pk,
            number=row.number,
            process=process,
            subject_type=subject_type,
            subject_id=subject_id,
            state=state,
        )
    )
    return CaseOpened(case_id=row.pk, number=row.number, state=state)


def _first_deadline(version: rulebook.ProcessVersion, *, at: datetime) -> tuple[int | None, date | None]:
    """Return the deadline of a case that begins now."""
    begun = CaseFacts(
        number="",
        state=version.initial_state,
        step=0,
        area="",
        opened_by=("", ""),
        organisation_id=None,
        parties={},
        decisions=(),
        opened_at=at,
    )
    return reckon(begun, version=version, entered_on=business_day(at), chosen=None, closed=False)


def insert_party(*, case: Case, role: str, organisation_id: int, at: datetime) -> None:
    """Write one party. The verifier is never the owner's own organisation. Raises PartyUnsuitable."""
    if role == Role.VERIFIER and organisation_id == case.organisation_id:
        raise PartyUnsuitable(
            number=case.number,
            role=role,
            why_zh="核查机构不能是申请单位自己",
            why_en="the verifier cannot be the applicant itself",
        )
    CaseParty.objects.create(case=case, role=Role(role).value, organisation_id=organisation_id, named_at=at)


def _next_number(*, process: str, at: datetime) -> str:
    year = business_day(at).year
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into workflow_casesequence (process, year, last) values (%s, %s, 1) "
            "on conflict (process, year) do update set last = workflow_casesequence.last + 1 returning last",
            [process, year],
        )
        seq = cursor.fetchone()[0]
    pattern = rulebook.parameter(key=NUMBER_PARAMETER, at=at, scope=process).value or NUMBER_PATTERN
    prefix = rulebook.jurisdiction().serial_prefix
    return case_number(pattern, prefix=prefix, process=process, year=year, seq=seq)
