"""Reads of what became of filed versions: which one holds for a scenario on a day, and the history of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import (
    SUBJECT_TYPE,
    MethodologyNotInForce,
    NoFiledMethodology,
    StatusEntry,
    StatusKind,
    VersionState,
    anniversary,
    standing_on,
)
from tanpuhui.science.methodology.domain.life import LIFE_PROCESS
from tanpuhui.science.methodology.models import MethodologyVersion, VersionStatus
from tanpuhui.science.methodology.queries._versions import WITHOUT_BYTES, FiledVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """One status row of a filed version."""

    version_id: int
    kind: str
    effective_on: date
    usable_until: date | None
    successor_id: int | None
    reason: str
    case_id: int
    leaf_id: int
    recorded_at: datetime


def filed_version(*, scenario: str, day: date, started_on: date | None = None) -> FiledVersion:
    """Return the filed version that holds for a scenario on a day: the one valid last, then the one filed last.

    `started_on` is the first day of what runs (a project): it keeps the version that held when it started for as long as
    the transition lets it, and has the newest one afterwards. Raises NoFiledMethodology; MethodologyNotInForce where the
    version that would hold is suspended or repealed. Nothing is taken in its place.
    """
    rows = list(
        MethodologyVersion.objects.defer(*WITHOUT_BYTES)
        .filter(state=VersionState.FILED.value, scenario=scenario, valid_from__lte=day)
        .prefetch_related("statuses")
        .order_by("-valid_from", "-filed_at", "-id")
    )
    if not rows:
        raise NoFiledMethodology(scenario=scenario, day=day)
    if started_on is not None:
        before = next((row for row in rows if row.valid_from and row.valid_from <= started_on), rows[0])
        if before is not rows[0] and _standing(before, day=day, started_on=started_on) is None:
            return _filed(before)
    status = _standing(rows[0], day=day, started_on=started_on or day)
    if status is not None:
        raise MethodologyNotInForce(
            scenario=scenario, day=day, filing_number=rows[0].filing_number, status=status.value
        )
    return _filed(rows[0])


def version_standing(version_id: int, *, day: date) -> StatusKind | None:
    """Return what stands against using a filed version for something new on a day, None where nothing does."""
    entries = [_entry(row) for row in VersionStatus.objects.filter(version_id=version_id).order_by("id")]
    return standing_on(entries, day=day, started_on=day)


def status_history(version_ids: Sequence[int]) -> tuple[StatusView, ...]:
    """Return the status rows of these versions in the order of their recording."""
    return tuple(
        StatusView(
            version_id=row.version_id,
            kind=row.kind,
            effective_on=row.effective_on,
            usable_until=row.usable_until,
            successor_id=row.successor_id,
            reason=row.reason,
            case_id=row.case_id,
            leaf_id=row.leaf_id,
            recorded_at=row.recorded_at,
        )
        for row in VersionStatus.objects.filter(version_id__in=version_ids).order_by("id")
    )


def running_life_case(version_id: int) -> workflow.CaseView | None:
    """Return the running case about what becomes of a filed version, None where there is none."""
    cases = workflow.cases_of(SUBJECT_TYPE, str(version_id))
    return next((one for one in cases if one.process == LIFE_PROCESS and one.closed_at is None), None)


def _standing(row: MethodologyVersion, *, day: date, started_on: date) -> StatusKind | None:
    entries = [_entry(one) for one in sorted(row.statuses.all(), key=lambda one: one.pk)]
    return standing_on(entries, day=day, started_on=started_on)


def _entry(row: VersionStatus) -> StatusEntry:
    return StatusEntry(kind=row.kind, effective_on=row.effective_on, usable_until=row.usable_until)


def _filed(row: MethodologyVersion) -> FiledVersion:
    """Return a filed row as what calculates; that its columns are there is a constraint of the table."""
    if row.filed_at is None or row.valid_from is None or row.filing_number is None:
        raise NoFiledMethodology(scenario=row.scenario, day=row.valid_from)
    return FiledVersion(
        id=row.pk,
        code=row.code,
        version=row.version,
        scenario=row.scenario,
        name_zh=row.name_zh,
        name_en=row.name_en,
        archive_sha256=row.archive_sha256,
        parameter_set_sha256=row.parameter_set_sha256,
        purpose=row.purpose,
        filed_at=row.filed_at,
        valid_from=row.valid_from,
        filing_number=row.filing_number,
    )


def versions_due(*, day: date, years: int) -> tuple[int, ...]:
    """Return the filed versions in force that were filed, or last confirmed, so many years ago or more, without a running case."""
    due = []
    rows = MethodologyVersion.objects.defer(*WITHOUT_BYTES).filter(state=VersionState.FILED.value)
    for row in rows.prefetch_related("statuses").order_by("id"):
        if row.filed_at is None or _standing(row, day=day, started_on=day) is not None:
            continue
        confirmed = [one.effective_on for one in row.statuses.all() if one.kind == StatusKind.CONFIRMED]
        since = max([business_day(row.filed_at), *confirmed])
        if anniversary(since, years) <= day and running_life_case(row.pk) is None:
            due.append(row.pk)
    return tuple(due)


def filed_before(version_id: int) -> tuple[int, ...]:
    """Return the other filed versions of the same methodology that are neither superseded nor repealed, oldest first."""
    row = MethodologyVersion.objects.defer(*WITHOUT_BYTES).get(pk=version_id)
    ended = (StatusKind.SUPERSEDED.value, StatusKind.REPEALED.value)
    others = MethodologyVersion.objects.filter(
        code=row.code, scenario=row.scenario, purpose=row.purpose, state=VersionState.FILED.value
    ).exclude(pk=version_id)
    return tuple(others.exclude(statuses__kind__in=ended).order_by("id").values_list("pk", flat=True))
