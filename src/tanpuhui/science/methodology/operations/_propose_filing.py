from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow.operations import open_case
from tanpuhui.science.methodology.domain import FILING_SUBJECT, PROCESS, SUBJECT_TYPE, VersionState
from tanpuhui.science.methodology.models import FilingVersion, MethodologyFiling
from tanpuhui.science.methodology.operations._import_version import IMPORTERS
from tanpuhui.science.methodology.operations._settle_version import become, locked
from tanpuhui.science.methodology.queries import loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingProposed:
    """A version is before the committee (已提出备案)."""

    version_id: int
    case_id: int
    number: str


@operation(roles=IMPORTERS, subject="methodology_version:{version_id}")
def propose_filing(
    *,
    actor: Actor,
    at: datetime,
    version_id: int,
    valid_from: date | None = None,
    organisation_id: int | None = None,
) -> FilingProposed:
    """Propose a draft or returned version for filing: opens its case. `valid_from` is the day it is to hold from.

    A version that cannot calculate for want of an operator's value is not proposed: it would hide one that can.
    Raises NotFound, WrongVersionState, VersionBlocked (names the parameters), ArchiveChanged, CaseAlreadyOpen.
    """
    row = locked(version_id)
    loaded(version_id).require_runnable()
    become(row, VersionState.PROPOSED)
    subject_type = _subject_type(at)
    filing = None
    if subject_type == FILING_SUBJECT:
        filing = MethodologyFiling.objects.create(organisation_id=organisation_id, version=row, opened_at=at)
        FilingVersion.objects.create(
            filing=filing, seq=1, version=row, submitted_at=at, submitted_by=actor.id
        )
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=subject_type,
        subject_id=str(version_id if filing is None else filing.pk),
        title=f"{row.code} {row.name_zh} {row.version}",
        area=rulebook.jurisdiction().area,
        organisation_id=organisation_id,
    )
    if filing is not None:
        filing.case_id = opened.case_id
        filing.save(update_fields=["case_id"])
    row.case_id = opened.case_id
    row.proposed_from = valid_from
    row.save(update_fields=["state", "case_id", "proposed_from"])
    return FilingProposed(version_id=version_id, case_id=opened.case_id, number=opened.number)


def _subject_type(at: datetime) -> str:
    """Return what a filing case opened now is about: the first process, without a committee of its own, knew only the version."""
    version = rulebook.process_version(process=PROCESS, at=at)
    convenes = any(transition.outcome == "conclude" for transition in version.transitions)
    return FILING_SUBJECT if convenes else SUBJECT_TYPE
