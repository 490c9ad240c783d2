"""Disown a record (否认记录): the person says that it is not theirs, a maker examines, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import DISOWNED, RecordRef, exclude_records
from tanpuhui.behaviour.carbon_accounts.domain import NoCarbonAccount
from tanpuhui.behaviour.carbon_accounts.domain.disownings import (
    DISOWNING_PROCESS,
    DISOWNING_SUBJECT,
    DisowningNotDecided,
    DisowningState,
    RecordCountsNot,
    RecordDisownedAlready,
)
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount, RecordDisowning
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation, users_with_role
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.messages.operations import tell
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

LODGE = "lodge"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisowningLodged:
    """The statement waits for a maker."""

    disowning_id: int
    case_id: int
    case_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisowningSettled:
    """What a decision made of it."""

    disowning_id: int
    state: str


@operation(roles={Role.CITIZEN}, subject="record_disowning:{disowning_id}")
def disown_record(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    posting_id: int,
    row: int,
    statement: str,
    idempotency_key: str,
) -> DisowningLodged:
    """Say that a record which counts on one's own account is not one's own; the statement stands on the case.

    Nothing changes until it is decided. Said once of a record; after a withdrawal again. Dealt with in the account's area.
    Basis: 个人信息保护法 article 46 (correction of what is wrong).
    Raises NotPermitted, NoCarbonAccount, RecordNotFound, RecordCountsNot, RecordDisownedAlready, OpinionMissing.
    """
    if not (actor.kind == "user" and actor.id == str(user_id)):
        raise NotPermitted(operation="carbon_accounts.disown_record")
    account = CarbonAccount.objects.filter(user_id=user_id).first()
    if account is None:
        raise NoCarbonAccount
    lock_names(f"carbon_account:{account.pk}:appeals")
    record = activity.record(posting_id=posting_id, account_id=account.ledger_account_id, row=row)
    last = activity.last_exception(posting_id=posting_id, row=row)
    if last is not None and last.excluded:
        raise RecordCountsNot
    before = (
        RecordDisowning.objects.filter(posting_id=posting_id, row_number=row)
        .exclude(state=DisowningState.WITHDRAWN)
        .first()
    )
    if before is not None:
        raise RecordDisownedAlready(number=workflow.case(before.case_id or 0).number)
    made = RecordDisowning.objects.create(
        account=account,
        scenario=record.scenario,
        day=record.day,
        posting_id=posting_id,
        row_number=row,
        state=DisowningState.LODGED.value,
        lodged_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=DISOWNING_PROCESS,
        subject_type=DISOWNING_SUBJECT,
        subject_id=str(made.pk),
        title=f"{account.number} {record.day:%Y-%m-%d}",
        area=account.area,
    )
    made.case_id = opened.case_id
    made.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=LODGE, opinion=statement)
    return DisowningLodged(disowning_id=made.pk, case_id=opened.case_id, case_number=opened.number)


@operation(roles=set(), subject="record_disowning:{disowning_id}")
def uphold_disowning(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> DisowningSettled:
    """Effect of `uphold`: the record is taken back by entries, and its sender is told to look at whom it belongs to.

    Raises RecordExcludedAlready where it was taken back meanwhile, RecalculationRuns (retryable).
    """
    made = _decided(case_id=case_id, subject_id=subject_id, outcome="uphold")
    exclude_records(
        actor=SYSTEM,
        at=at,
        records=(RecordRef(posting_id=made.posting_id, row=made.row_number),),
        reason=DISOWNED,
        case_id=case_id,
    )
    _tell_sender(made, at=at)
    return _settle(made, DisowningState.UPHELD)


@operation(roles=set(), subject="record_disowning:{disowning_id}")
def dismiss_disowning(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> DisowningSettled:
    """Effect of `dismiss`: the record goes on counting."""
    return _settle(
        _decided(case_id=case_id, subject_id=subject_id, outcome="dismiss"), DisowningState.DISMISSED
    )


@operation(roles=set(), subject="record_disowning:{disowning_id}")
def withdraw_disowning(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> DisowningSettled:
    """Effect of `withdraw`: the person takes the statement back."""
    return _settle(
        _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw"), DisowningState.WITHDRAWN
    )


def _tell_sender(made: RecordDisowning, *, at: datetime) -> None:
    """Tell the partner's people which row of which batch it was, and nothing of the person."""
    posting = activity.posting(made.posting_id)
    sender = organisation(posting.partner_id)
    tell(
        at=at,
        user_ids=users_with_role(role=Role.PARTNER, area=sender.area, at=at, organisation_id=sender.id),
        template="record.disowned",
        data={"batch": posting.batch_id, "row": made.row_number, "day": made.day.isoformat()},
        link=f"/w/batches/{posting.batch_id}",
        event=f"record_disowning:{made.pk}",
    )


def _decided(*, case_id: int, subject_id: str, outcome: str) -> RecordDisowning:
    """Return the disowning, its account's appeals locked, if its case's latest decision is this outcome on it."""
    made = RecordDisowning.objects.filter(pk=int(subject_id)).first()
    if made is not None:
        lock_names(f"carbon_account:{made.account_id}:appeals")
        made.refresh_from_db(fields=["state", "case_id"])
    if (
        made is None
        or made.case_id != case_id
        or made.state != DisowningState.LODGED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise DisowningNotDecided(case_id=case_id, outcome=outcome)
    return made


def _settle(made: RecordDisowning, state: DisowningState) -> DisowningSettled:
    made.state = state.value
    made.save(update_fields=["state"])
    return DisowningSettled(disowning_id=made.pk, state=state.value)
