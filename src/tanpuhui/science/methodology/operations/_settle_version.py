from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from tanpuhui.books.transparency.operations import append_leaf
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import (
    MAY_BECOME,
    STATE_AFTER,
    SUBJECT_TYPE,
    NotDecided,
    VersionState,
    WrongVersionState,
    filing_number,
    holds_from,
)
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.queries import loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSettled:
    """What a decision made of a version."""

    version_id: int
    state: str
    filing_number: str | None


def locked(version_id: int) -> MethodologyVersion:
    """Return the version, locked until the transaction ends. Raises NotFound."""
    row = MethodologyVersion.objects.select_for_update().filter(pk=version_id).first()
    if row is None:
        raise NotFound(what="方法学版本 / methodology version", id=version_id)
    return row


def become(row: MethodologyVersion, target: VersionState) -> None:
    """Set the state, unless the version may not become that. Raises WrongVersionState."""
    if target not in MAY_BECOME[VersionState(row.state)]:
        raise WrongVersionState(code=row.code, version=row.version, state=row.state, target=target.value)
    row.state = target.value


@operation(roles=set(), subject="methodology_version:{version_id}")
def recommend_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `recommend`: the committee recommends the version for filing (专家评审通过)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="recommend")


@operation(roles=set(), subject="methodology_version:{version_id}")
def return_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `return`: the version goes back to who proposed it (退回)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="return")


@operation(roles=set(), subject="methodology_version:{version_id}")
def reject_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `reject`: the version will not be filed (不予备案)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="reject")


@operation(roles=set(), subject="methodology_version:{version_id}")
def resubmit_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `resubmit`: the same bytes are before the committee again, with what was missing beside them (补正后重新提出)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="resubmit")


@operation(roles=set(), subject="methodology_version:{version_id}")
def file_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `file`: binds the exact bytes under a filing number and puts their hashes in the log (备案).

    Archive and parameter set are read again and must have the recorded hashes and still load. Raises ArchiveChanged,
    TestParametersRefused, VersionBlocked, NotDecided, WrongVersionState.
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="file")
    return bind(row, case_id=case_id, at=at)


def bind(row: MethodologyVersion, *, case_id: int, at: datetime) -> VersionSettled:
    """Give a version that has become filed its number, first day and leaf; its bytes are read and checked again."""
    loaded(row.pk).require_runnable()
    day = business_day(at)
    lock_names(f"methodology:filing:{day.year}")
    last = MethodologyVersion.objects.filter(filing_year=day.year).aggregate(last=Max("filing_seq"))["last"]
    row.filing_year, row.filing_seq = day.year, (last or 0) + 1
    row.filing_number = filing_number(
        prefix=rulebook.jurisdiction().serial_prefix, year=day.year, seq=row.filing_seq
    )
    row.filed_at = at
    row.valid_from = holds_from(purpose=row.purpose, proposed_from=row.proposed_from, filing_day=day)
    row.leaf_id = append_leaf(
        kind="filing",
        subject=row.filing_number,
        payload={
            "archive_sha256": row.archive_sha256,
            "case": workflow.case(case_id).number,
            "code": row.code,
            "filing_number": row.filing_number,
            "parameter_set_sha256": row.parameter_set_sha256,
            "purpose": row.purpose,
            "scenario": row.scenario,
            "valid_from": row.valid_from.isoformat(),
            "version": row.version,
        },
        at=at,
    )
    row.save()
    return VersionSettled(version_id=row.pk, state=row.state, filing_number=row.filing_number)


def _settle(*, case_id: int, subject_id: str, outcome: str) -> VersionSettled:
    row = _decided(case_id=case_id, subject_id=subject_id, outcome=outcome)
    row.save(update_fields=["state"])
    return VersionSettled(version_id=row.pk, state=row.state, filing_number=None)


def _decided(*, case_id: int, subject_id: str, outcome: str) -> MethodologyVersion:
    """Return the locked version with its new state set, if the case's latest decision is this outcome on it."""
    row = locked(int(subject_id))
    case = workflow.case(case_id)
    about = (case.subject_type, case.subject_id, case.case_id)
    if about != (SUBJECT_TYPE, subject_id, row.case_id) or workflow.latest_outcome(case_id) != outcome:
        raise NotDecided(case_id=case_id, code=row.code, version=row.version, outcome=outcome)
    become(row, STATE_AFTER[outcome])
    return row
