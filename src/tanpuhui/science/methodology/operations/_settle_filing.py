"""Effects of the outcomes of a filing case (备案事项). Each does nothing unless the case's latest decision is it."""

from __future__ import annotations

from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.science.methodology.domain import FILING_SUBJECT, STATE_AFTER, NotDecided
from tanpuhui.science.methodology.models import MethodologyFiling, MethodologyVersion
from tanpuhui.science.methodology.operations._life import supersede
from tanpuhui.science.methodology.operations._review import require_applicant
from tanpuhui.science.methodology.operations._settle_version import VersionSettled, become, bind, locked


@operation(roles=set(), subject="methodology_version:{version_id}")
def conclude_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `conclude`: the committee recommends the version (专家评审通过)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="conclude")


@operation(roles=set(), subject="methodology_version:{version_id}")
def reconvene_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `reconvene`: an expert was excluded, so the version is before the committee again (重新评审)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="reconvene")


@operation(roles=set(), subject="methodology_version:{version_id}")
def return_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `return`: the version goes back to the applicant for correction (退回补正)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="return")


@operation(roles=set(), subject="methodology_version:{version_id}")
def resubmit_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `resubmit`: the applicant hands the filing in again, with a corrected version if one took its place.

    Raises NotPermitted for anybody who does not act for the applicant.
    """
    require_applicant(actor, case_id=case_id, operation="methodology.resubmit_filing")
    return _settle(case_id=case_id, subject_id=subject_id, outcome="resubmit")


@operation(roles=set(), subject="methodology_version:{version_id}")
def withdraw_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `withdraw`: the applicant takes the filing back (撤回). Raises NotPermitted as `resubmit_filing`."""
    require_applicant(actor, case_id=case_id, operation="methodology.withdraw_filing")
    return _settle(case_id=case_id, subject_id=subject_id, outcome="withdraw")


@operation(roles=set(), subject="methodology_version:{version_id}")
def reject_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `reject`: the version will not be filed (不予备案)."""
    return _settle(case_id=case_id, subject_id=subject_id, outcome="reject")


@operation(roles=set(), subject="methodology_version:{version_id}")
def complete_filing(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> VersionSettled:
    """Effect of `file`: binds the exact bytes under a filing number and puts their hashes in the log (备案).

    A filed version of the same methodology before it is closed by the transition rule that the decision names.
    Raises as `file_version`, and TransitionRuleMissing, Invalid.
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="file")
    settled = bind(row, case_id=case_id, at=at)
    supersede(row, case_id=case_id, at=at, opinion=opinion)
    return settled


def locked_filing(filing_id: int) -> MethodologyFiling:
    """Return a filing, locked until the transaction ends. Raises NotFound."""
    row = MethodologyFiling.objects.select_for_update().filter(pk=filing_id).first()
    if row is None:
        raise NotFound(what="备案事项 / filing", id=filing_id)
    return row


def _settle(*, case_id: int, subject_id: str, outcome: str) -> VersionSettled:
    row = _decided(case_id=case_id, subject_id=subject_id, outcome=outcome)
    row.save(update_fields=["state"])
    return VersionSettled(version_id=row.pk, state=row.state, filing_number=None)


def _decided(*, case_id: int, subject_id: str, outcome: str) -> MethodologyVersion:
    """Return the filing's locked version with its new state set, if the case's latest decision is this outcome on it."""
    filing = locked_filing(int(subject_id))
    row = locked(filing.version_id)
    case = workflow.case(case_id)
    about = (case.subject_type, case.subject_id, case.case_id)
    if about != (FILING_SUBJECT, subject_id, filing.case_id) or workflow.latest_outcome(case_id) != outcome:
        raise NotDecided(case_id=case_id, code=row.code, version=row.version, outcome=outcome)
    target = STATE_AFTER[outcome]
    if row.state != target:
        become(row, target)
    return row
