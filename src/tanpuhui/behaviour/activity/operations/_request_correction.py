"""Ask the sender of a batch to correct its rows (数据更正), and check that something came when they say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from tanpuhui.behaviour.activity.domain import (
    BatchNotFound,
    BatchNotSettled,
    BatchState,
    NothingResent,
    NothingToMend,
    needs_correction,
    rows_to_mend,
)
from tanpuhui.behaviour.activity.models import Batch
from tanpuhui.behaviour.activity.queries import resent_since_asked
from tanpuhui.behaviour.activity.queries._corrections import rows_open
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.calendar import CHINA
from tanpuhui.foundation.rulebook import queries as rulebook
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

SHARE_PARAMETER = "intake.mend_share_max"
CORRECTION = "batch_correction"
SUBJECT = "batch"
MENDED = "mended"
MENDED_OPINION = "要更正的行已由批次 #{batch_id} 全部改好。The last of the rows to correct was made good by batch #{batch_id}."


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRequested:
    """The case in which the partner answers, and how many rows they can mend."""

    batch_id: int
    case_id: int
    number: str
    to_mend: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResubmissionFound:
    """The files that came since the correction was asked for, oldest first."""

    batch_id: int
    later_batch_ids: tuple[int, ...]


@operation(roles={Role.MAKER}, subject="batch:{batch_id}")
def request_correction(
    *, actor: Actor, at: datetime, batch_id: int, idempotency_key: str | None = None
) -> CorrectionRequested:
    """Open the case in which the partner resends corrected rows or declares that nothing more comes.

    A maker of the partner's area, or the posting itself by the rule. Raises BatchNotFound, NotPermitted,
    BatchNotSettled, NothingToMend, CaseAlreadyOpen.
    """
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise BatchNotFound(batch_id=batch_id)
    partner = organisation(batch.partner_id)
    actor.require(Role.MAKER, operation="activity.request_correction", area=partner.area)
    if batch.state == BatchState.RECEIVED:
        raise BatchNotSettled(batch_id=batch_id)
    to_mend = rows_to_mend(batch.report["reasons"])
    if not to_mend and batch.state != BatchState.REFUSED:
        raise NothingToMend(batch_id=batch_id)
    opened = open_case(
        actor=actor,
        at=at,
        process=CORRECTION,
        subject_type=SUBJECT,
        subject_id=str(batch_id),
        title=batch.file_name,
        area=partner.area,
        organisation_id=batch.partner_id,
    )
    return CorrectionRequested(
        batch_id=batch_id, case_id=opened.case_id, number=opened.number, to_mend=to_mend
    )


def request_by_rule(batch: Batch, *, at: datetime) -> None:
    """Ask for a correction of a batch that was just settled, where the rule in force says so (the system asks)."""
    value = rulebook.parameter(key=SHARE_PARAMETER, at=batch.received_at).value
    if needs_correction(
        rows=batch.report["rows"],
        to_mend=rows_to_mend(batch.report["reasons"]),
        refused=batch.state == BatchState.REFUSED,
        share_max=None if value is None else Fraction(str(value)),
    ):
        request_correction(actor=SYSTEM, at=at, batch_id=batch.pk)


def close_by_mending(batch: Batch, *, at: datetime) -> None:
    """Close the open case of the batch that this one corrects, once every row of it was made good (the system closes).

    A case whose process knows no such step stays with its maker.
    """
    corrected = batch.corrects_id
    if corrected is None or rows_open(corrected):
        return
    for view in workflow.cases_of(SUBJECT, str(corrected)):
        ways = (
            () if view.closed_at else workflow.available_outcomes(actor=SYSTEM, case_id=view.case_id, at=at)
        )
        if any(way.outcome == MENDED and way.blocked is None for way in ways):
            decide(
                actor=SYSTEM,
                at=at,
                idempotency_key=None,
                case_id=view.case_id,
                outcome=MENDED,
                opinion=MENDED_OPINION.format(batch_id=batch.pk),
                seen_step=view.step,
            )


@operation(roles={Role.PARTNER}, subject="batch:{batch_id}")
def check_resubmission(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ResubmissionFound:
    """Refuse the answer "resent" while no file of the partner came since they were asked: an effect of the case.

    Whether the file mends the rows is for the maker to see, who finds it on the case. Raises BatchNotFound,
    NotPermitted, NothingResent.
    """
    batch = Batch.objects.filter(pk=int(subject_id)).first()
    if batch is None:
        raise BatchNotFound(batch_id=subject_id)
    actor.require(Role.PARTNER, operation="activity.check_resubmission", organisation_id=batch.partner_id)
    resent = resent_since_asked(partner_id=batch.partner_id, case_id=case_id)
    if not resent.batches:
        raise NothingResent(since=f"{resent.asked_at.astimezone(CHINA):%Y-%m-%d %H:%M}")
    return ResubmissionFound(batch_id=batch.pk, later_batch_ids=tuple(view.id for view in resent.batches))
