"""Appeal that a record should count (记录申诉): the person asks, a maker examines, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity import queries as activity
from tanpuhui.behaviour.activity.operations import (
    APPEAL_UPHELD,
    RecordErased,
    RecordRef,
    readmit_record,
    reinstate_records,
)
from tanpuhui.behaviour.carbon_accounts.domain import (
    APPEAL_PROCESS,
    APPEAL_SUBJECT,
    AppealNotDecided,
    AppealState,
    NoCarbonAccount,
    RecordAppealed,
    RecordCounts,
    ReviewedByYou,
)
from tanpuhui.behaviour.carbon_accounts.models import CarbonAccount, RecordAppeal
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import NotPermitted
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

LODGE = "lodge"


@dataclass(frozen=True, kw_only=True, slots=True)
class AppealedRecord:
    """Which record: one that was set aside (`set_aside_id`), or one that was posted and taken back (`posting_id`)."""

    row: int
    set_aside_id: int | None = None
    posting_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealLodged:
    """The appeal waits for a maker."""

    appeal_id: int
    case_id: int
    case_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealSettled:
    """What a decision made of an appeal."""

    appeal_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    scenario: str
    day: date
    reason: str
    against_run: int = 0


@operation(roles={Role.CITIZEN}, subject="record_appeal:{appeal_id}")
def appeal_record(
    *,
    actor: Actor,
    at: datetime,
    user_id: int,
    record: AppealedRecord,
    statement: str,
    idempotency_key: str,
) -> AppealLodged:
    """Ask that a record of one's own counts which a settlement did not count, or which was taken back.

    The statement says why and stands on the case. The same decision is appealed once; after a withdrawal again. Dealt with
    in the account's area. Source: house plan section 4 (held, excluded, clawed back, appealed).
    Raises NotPermitted, NoCarbonAccount, RecordNotFound, SetAsideNotFound, RecordCounts, RecordErased, RecordAppealed, OpinionMissing.
    """
    if not (actor.kind == "user" and actor.id == str(user_id)):
        raise NotPermitted(operation="carbon_accounts.appeal_record")
    account = CarbonAccount.objects.filter(user_id=user_id).first()
    if account is None:
        raise NoCarbonAccount
    lock_names(f"carbon_account:{account.pk}:appeals")
    facts = _facts(record, account.ledger_account_id)
    _check_new(record, facts)
    appeal = RecordAppeal.objects.create(
        account=account,
        scenario=facts.scenario,
        day=facts.day,
        row_number=record.row,
        set_aside_id=record.set_aside_id,
        posting_id=record.posting_id,
        against_run=facts.against_run,
        reason=facts.reason,
        state=AppealState.LODGED.value,
        lodged_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=APPEAL_PROCESS,
        subject_type=APPEAL_SUBJECT,
        subject_id=str(appeal.pk),
        title=f"{account.number} {facts.day:%Y-%m-%d}",
        area=account.area,
    )
    appeal.case_id = opened.case_id
    appeal.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=LODGE, opinion=statement)
    return AppealLodged(appeal_id=appeal.pk, case_id=opened.case_id, case_number=opened.number)


@operation(roles=set(), subject="record_appeal:{appeal_id}")
def examine_record_appeal(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AppealSettled:
    """Effect of `examine`: nothing yet; but whoever reviewed the record the first time does not examine it. Raises ReviewedByYou."""
    appeal = _decided(case_id=case_id, subject_id=subject_id, outcome="examine")
    _check_other_person(appeal, actor)
    return AppealSettled(appeal_id=appeal.pk, state=appeal.state)


@operation(roles=set(), subject="record_appeal:{appeal_id}")
def uphold_record_appeal(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AppealSettled:
    """Effect of `uphold`: what was taken back counts again by entries; what was set aside waits for its day's next settlement.

    Raises ReviewedByYou, RecordErased, RecordReadmittedAlready, RecordNotExcluded, RecalculationRuns (retryable).
    """
    appeal = _decided(case_id=case_id, subject_id=subject_id, outcome="uphold")
    _check_other_person(appeal, actor)
    if appeal.posting_id is not None:
        reinstate_records(
            actor=SYSTEM,
            at=at,
            records=(RecordRef(posting_id=appeal.posting_id, row=appeal.row_number),),
            reason=APPEAL_UPHELD,
            case_id=case_id,
        )
    elif appeal.set_aside_id is not None:
        readmit_record(
            actor=SYSTEM,
            at=at,
            set_aside_id=appeal.set_aside_id,
            account_id=appeal.account.ledger_account_id,
            row=appeal.row_number,
            case_id=case_id,
        )
    return _settle(appeal, AppealState.UPHELD)


@operation(roles=set(), subject="record_appeal:{appeal_id}")
def dismiss_record_appeal(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AppealSettled:
    """Effect of `dismiss`: the record stays as it is. Raises ReviewedByYou."""
    appeal = _decided(case_id=case_id, subject_id=subject_id, outcome="dismiss")
    _check_other_person(appeal, actor)
    return _settle(appeal, AppealState.DISMISSED)


@operation(roles=set(), subject="record_appeal:{appeal_id}")
def withdraw_record_appeal(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AppealSettled:
    """Effect of `withdraw`: the person takes the appeal back."""
    appeal = _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw")
    return _settle(appeal, AppealState.WITHDRAWN)


def _facts(record: AppealedRecord, account_id: int) -> _Facts:
    """Return what the record is and why it does not count. Raises RecordCounts and what is not found."""
    if record.set_aside_id is not None:
        aside = activity.set_aside_record(
            set_aside_id=record.set_aside_id, account_id=account_id, row=record.row
        )
        if aside.readmitted:
            raise RecordCounts
        if aside.started_at is None:
            raise RecordErased(row=record.row)
        return _Facts(scenario=aside.scenario, day=aside.day, reason=aside.reason)
    posted = activity.record(posting_id=record.posting_id or 0, account_id=account_id, row=record.row)
    last = activity.last_exception(posting_id=posted.posting_id, row=posted.row)
    if last is None or not last.excluded:
        raise RecordCounts
    return _Facts(scenario=posted.scenario, day=posted.day, reason=last.reason, against_run=last.run_id)


def _check_new(record: AppealedRecord, facts: _Facts) -> None:
    standing = RecordAppeal.objects.exclude(state=AppealState.WITHDRAWN)
    before = standing.filter(
        row_number=record.row,
        set_aside_id=record.set_aside_id,
        posting_id=record.posting_id,
        against_run=facts.against_run,
    ).first()
    if before is not None:
        raise RecordAppealed(number=workflow.case(before.case_id or 0).number)


def _check_other_person(appeal: RecordAppeal, actor: Actor) -> None:
    if appeal.set_aside_id is not None and activity.reviewer_of(appeal.set_aside_id) == actor.id:
        raise ReviewedByYou


def _decided(*, case_id: int, subject_id: str, outcome: str) -> RecordAppeal:
    """Return the appeal, its account's appeals locked, if its case's latest decision is this outcome on it."""
    appeal = RecordAppeal.objects.select_related("account").filter(pk=int(subject_id)).first()
    if appeal is not None:
        lock_names(f"carbon_account:{appeal.account_id}:appeals")
        appeal.refresh_from_db(fields=["state", "case_id"])
    if (
        appeal is None
        or appeal.case_id != case_id
        or appeal.state != AppealState.LODGED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise AppealNotDecided(case_id=case_id, outcome=outcome)
    return appeal


def _settle(appeal: RecordAppeal, state: AppealState) -> AppealSettled:
    appeal.state = state.value
    appeal.save(update_fields=["state"])
    return AppealSettled(appeal_id=appeal.pk, state=appeal.state)
