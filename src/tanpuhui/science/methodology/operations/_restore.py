"""What undoes a decision on a filing that was rescinded (撤销): the version is again what the decisions that stand made it."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import (
    FILING_SUBJECT,
    STATE_AFTER,
    SUBJECT_TYPE,
    NotDecided,
    VersionState,
    WrongVersionState,
)
from tanpuhui.science.methodology.models import MethodologyVersion
from tanpuhui.science.methodology.operations._settle_filing import locked_filing
from tanpuhui.science.methodology.operations._settle_version import VersionSettled, locked

RESTORABLE = frozenset({VersionState.REVIEWED, VersionState.RETURNED, VersionState.REJECTED})
"""States from which a version can be led back; a filed one is bound for good, and a replaced one has a successor."""


@operation(roles=set(), subject="methodology_version:{version_id}")
def restore_version(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Undo of recommend, return and reject on a version's own case. Raises NotDecided, WrongVersionState."""
    return _restore(locked(int(subject_id)), case_id=case_id, about=(SUBJECT_TYPE, subject_id))


@operation(roles=set(), subject="methodology_version:{version_id}")
def restore_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Undo of return and reject on a filing. Raises NotDecided, WrongVersionState."""
    filing = locked_filing(int(subject_id))
    return _restore(locked(filing.version_id), case_id=case_id, about=(FILING_SUBJECT, subject_id))


def _restore(row: MethodologyVersion, *, case_id: int, about: tuple[str, str]) -> VersionSettled:
    case = workflow.case(case_id)
    if (case.subject_type, case.subject_id) != about or workflow.latest_outcome(case_id) != workflow.RESCIND:
        raise NotDecided(case_id=case_id, code=row.code, version=row.version, outcome=workflow.RESCIND)
    said = [outcome for outcome in workflow.standing_outcomes(case_id) if outcome in STATE_AFTER]
    target = STATE_AFTER[said[-1]] if said else VersionState.PROPOSED
    if VersionState(row.state) not in RESTORABLE:
        raise WrongVersionState(code=row.code, version=row.version, state=row.state, target=target.value)
    row.state = target.value
    row.save(update_fields=["state"])
    return VersionSettled(version_id=row.pk, state=row.state, filing_number=None)
