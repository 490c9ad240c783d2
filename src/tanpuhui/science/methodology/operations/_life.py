"""What becomes of a filed version: its case is opened, and each outcome writes a dated status row with its leaf in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import open_case
from tanpuhui.science.methodology.domain import (
    SUBJECT_TYPE,
    NotDecided,
    StatusKind,
    TransitionRuleMissing,
    VersionState,
    WrongVersionState,
)
from tanpuhui.science.methodology.domain.life import LIFE_PROCESS
from tanpuhui.science.methodology.models import MethodologyVersion, VersionStatus
from tanpuhui.science.methodology.operations._settle_version import locked
from tanpuhui.science.methodology.queries import filed_before, versions_due

REVIEW_YEARS = "methodology.periodic_review_years"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeCaseOpened:
    """A filed version is looked at again."""

    version_id: int
    case_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsOpened:
    """The periodic reviews that were due."""

    case_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecorded:
    """A status row of a filed version."""

    version_id: int
    kind: str
    effective_on: date


@operation(roles={Role.MAKER, Role.REGULATOR}, subject="methodology_version:{version_id}")
def open_life_case(
    *, actor: Actor, at: datetime, version_id: int, idempotency_key: str | None = None
) -> LifeCaseOpened:
    """Open the case that may keep, suspend, resume or repeal a filed version, or ask for its revision.

    Raises NotFound, NotPermitted, WrongVersionState, CaseAlreadyOpen.
    """
    area = rulebook.jurisdiction().area
    actor.require(Role.MAKER, Role.REGULATOR, operation="methodology.open_life_case", area=area)
    row = locked(version_id)
    if row.state != VersionState.FILED:
        raise WrongVersionState(code=row.code, version=row.version, state=row.state, target=LIFE_PROCESS)
    opened = open_case(
        actor=actor,
        at=at,
        process=LIFE_PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(version_id),
        title=f"{row.filing_number} {row.name_zh} {row.version}",
        area=area,
    )
    return LifeCaseOpened(version_id=version_id, case_id=opened.case_id, number=opened.number)


@operation(roles={Role.SYSTEM}, subject="methodology_library")
def open_due_reviews(*, actor: Actor, at: datetime) -> ReviewsOpened:
    """Open the periodic review (定期复审) of every version that is due by the rule; where no rule sets the years, of none."""
    rule = rulebook.parameter(key=REVIEW_YEARS, at=at)
    if rule.value is None:
        return ReviewsOpened(case_ids=())
    due = versions_due(day=business_day(at), years=int(rule.value))
    return ReviewsOpened(
        case_ids=tuple(open_life_case(actor=actor, at=at, version_id=one).case_id for one in due)
    )


@operation(roles=set(), subject="methodology_version:{version_id}")
def confirm_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StatusRecorded:
    """Effect of `keep`: the version was looked at and stays in force (维持有效); the next review counts from today."""
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="keep")
    return record(
        row, StatusKind.CONFIRMED, effective_on=business_day(at), case_id=case_id, reason=opinion, at=at
    )


@operation(roles=set(), subject="methodology_version:{version_id}")
def suspend_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StatusRecorded:
    """Effect of `suspend`: nothing is calculated with the version from a day on (暂停)."""
    return _from_a_day(
        StatusKind.SUSPENDED,
        outcome="suspend",
        at=at,
        case_id=case_id,
        subject_id=subject_id,
        opinion=opinion,
    )


@operation(roles=set(), subject="methodology_version:{version_id}")
def resume_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StatusRecorded:
    """Effect of `resume`: a suspension ends with a day (恢复)."""
    return _from_a_day(
        StatusKind.RESUMED,
        outcome="resume",
        at=at,
        case_id=case_id,
        subject_id=subject_id,
        opinion=opinion,
    )


@operation(roles=set(), subject="methodology_version:{version_id}")
def repeal_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StatusRecorded:
    """Effect of `repeal`: the version is closed from a day on; what ran before may go on through another (废止)."""
    return _from_a_day(
        StatusKind.REPEALED,
        outcome="repeal",
        at=at,
        case_id=case_id,
        subject_id=subject_id,
        opinion=opinion,
    )


def supersede(row: MethodologyVersion, *, case_id: int, at: datetime, opinion: str) -> None:
    """Close the filed versions before a newly filed one, by the transition rule that the decision names (过渡规则).

    The first day closed to new projects is not before the new version holds. Raises TransitionRuleMissing, Invalid.
    """
    before = filed_before(row.pk)
    if not before:
        return
    values = _values(case_id)
    if "closed_from" not in values:
        number = MethodologyVersion.objects.values_list("filing_number", flat=True).get(pk=before[-1])
        raise TransitionRuleMissing(filing_number=number)
    closed_from = date.fromisoformat(values["closed_from"])
    until = date.fromisoformat(values["usable_until"]) if "usable_until" in values else None
    if row.valid_from is None or closed_from < row.valid_from:
        raise Invalid(
            field="closed_from",
            why=f"不早于新版本适用的第一天 {row.valid_from} / not before the new one holds",
        )
    _check_until(closed_from, until)
    for version_id in before:
        record(
            locked(version_id),
            StatusKind.SUPERSEDED,
            effective_on=closed_from,
            usable_until=until,
            successor=row,
            case_id=case_id,
            reason=opinion,
            at=at,
        )


def record(
    row: MethodologyVersion,
    kind: StatusKind,
    *,
    effective_on: date,
    case_id: int,
    reason: str,
    at: datetime,
    usable_until: date | None = None,
    successor: MethodologyVersion | None = None,
) -> StatusRecorded:
    """Write one status row and put it in the log, under the filing number that it is about."""
    seq = row.statuses.count() + 1
    leaf_id = append_leaf(
        kind="filing",
        subject=f"{row.filing_number}/{seq}",
        payload={
            "case": workflow.case(case_id).number,
            "effective_on": effective_on.isoformat(),
            "filing_number": row.filing_number,
            "status": kind.value,
            "successor": successor.filing_number if successor is not None else None,
            "usable_until": usable_until.isoformat() if usable_until is not None else None,
        },
        at=at,
    )
    VersionStatus.objects.create(
        version=row,
        kind=kind.value,
        effective_on=effective_on,
        usable_until=usable_until,
        successor=successor,
        reason=reason,
        case_id=case_id,
        leaf_id=leaf_id,
        recorded_at=at,
    )
    return StatusRecorded(version_id=row.pk, kind=kind.value, effective_on=effective_on)


def _from_a_day(
    kind: StatusKind, *, outcome: str, at: datetime, case_id: int, subject_id: str, opinion: str
) -> StatusRecorded:
    """Record a status from the day that the decision names; the past is not closed, what was calculated stands."""
    row = _decided(case_id=case_id, subject_id=subject_id, outcome=outcome)
    values = _values(case_id)
    effective_on = date.fromisoformat(values["effective_on"])
    if effective_on < business_day(at):
        raise Invalid(field="effective_on", why="不早于今天；已算出的结果不受影响 / not before today")
    until = date.fromisoformat(values["usable_until"]) if "usable_until" in values else None
    _check_until(effective_on, until)
    return record(
        row,
        kind,
        effective_on=effective_on,
        usable_until=until,
        case_id=case_id,
        reason=opinion,
        at=at,
    )


def _check_until(first: date, until: date | None) -> None:
    if until is not None and until < first:
        raise Invalid(field="usable_until", why=f"不早于 {first} / not before {first}")


def _values(case_id: int) -> dict[str, str]:
    decision = workflow.latest_decision(case_id)
    return dict(decision.values) if decision is not None else {}


def _decided(*, case_id: int, subject_id: str, outcome: str) -> MethodologyVersion:
    """Return the locked filed version, if the case's latest decision is this outcome on it. Raises NotDecided."""
    row = locked(int(subject_id))
    case = workflow.case(case_id)
    about = (case.process, case.subject_type, case.subject_id)
    if (
        about != (LIFE_PROCESS, SUBJECT_TYPE, subject_id)
        or row.state != VersionState.FILED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise NotDecided(case_id=case_id, code=row.code, version=row.version, outcome=outcome)
    return row
