"""Claw records back (冲回): a maker names them and says why, another person decides, and entries take them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tanpuhui.behaviour.activity.adapters.exceptions import effects_of, excluded_rows
from tanpuhui.behaviour.activity.adapters.named_records import find_posted
from tanpuhui.behaviour.activity.domain.claw_backs import (
    NO_SUCH_RECORD,
    OTHER_SCENARIO,
    PROCESS,
    RECORDS_MAX,
    SUBJECT_TYPE,
    TAKEN_BACK_ALREADY,
    ClawBackNotDecided,
    ClawBackState,
    LeftLine,
    NamedRecord,
    NothingToTakeBack,
    TooManyRecords,
    read_lines,
)
from tanpuhui.behaviour.activity.domain.exceptions import CLAW_BACK_RESCINDED, CLAWED_BACK, RecordRef
from tanpuhui.behaviour.activity.models import ClawBack, Posting, RecordException, Scenario
from tanpuhui.behaviour.activity.operations._except_records import (
    RecordsExcepted,
    exclude_records,
    reinstate_records,
)
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import SYSTEM, Actor, Role
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClawBackProposed:
    """A claw-back waits for the checker: so many records, and so many lines that named nothing."""

    claw_back_id: int
    case_id: int
    number: str
    records: int
    left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ClawBackSettled:
    """What a decision made of a claw-back."""

    claw_back_id: int
    state: str
    records: int


class _OnlyTried(Exception):
    """Undoes what was only done to see what it comes to."""


@operation(roles={Role.MAKER}, subject="claw_back:{claw_back_id}")
def propose_claw_back(
    *,
    actor: Actor,
    at: datetime,
    scenario: str,
    partner_id: int,
    ground: str,
    idempotency_key: str,
    lines: str = "",
    batch_id: int | None = None,
) -> ClawBackProposed:
    """Open the case of a claw-back and sign it as its maker; nothing is taken until another person decides.

    The records are those of the lines `day,record id`, or all that a batch of the partner gave the scenario. Lines that name
    nothing stay with their reasons. What it comes to is worked out by doing it and undoing it. By a maker of the scenario's area;
    `ground` is what the persons concerned are told. Source: house plan section 4 (clawed back, with entries).
    Raises NotFound, NotPermitted, Invalid, NothingToTakeBack, TooManyRecords, RecalculationRuns (retryable), OpinionMissing.
    """
    row = Scenario.objects.filter(code=scenario).first()
    if row is None:
        raise NotFound(what="场景 / scenario", id=scenario)
    actor.require(Role.MAKER, operation="activity.propose_claw_back", area=row.area)
    if bool(lines.strip()) == (batch_id is not None):
        raise Invalid(
            field="lines",
            why="请列出记录，或者写一个批次号，二者选一 / name records, or one batch, and not both",
        )
    left: list[LeftLine] = []
    if batch_id is not None:
        refs = _of_batch(scenario, partner_id, batch_id)
    else:
        refs, left = _of_lines(scenario, partner_id, lines)
    if not refs:
        raise NothingToTakeBack(
            why_zh=f"{len(left)} 行都对不上已入账的记录" if left else "这个批次没有计入的记录",
            why_en=f"none of the {len(left)} lines is a record that counts"
            if left
            else "the batch has no record that counts",
        )
    made = ClawBack.objects.create(
        scenario=scenario,
        partner_id=partner_id,
        ground=ground.strip(),
        records=[[one.posting_id, one.row] for one in refs],
        left=[[one.line, one.words, one.reason] for one in left],
        preview=_preview(at, refs),
        state=ClawBackState.PROPOSED,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(made.pk),
        title=row.name_zh,
        area=row.area,
    )
    made.case_id = opened.case_id
    made.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=ground)
    return ClawBackProposed(
        claw_back_id=made.pk,
        case_id=opened.case_id,
        number=opened.number,
        records=len(refs),
        left=len(left),
    )


@operation(roles=set(), subject="claw_back:{claw_back_id}")
def approve_claw_back(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ClawBackSettled:
    """Effect of `approve`: the records that still count are taken back by entries, and their persons are told.

    Raises NothingToTakeBack where none of them counts any more, RecalculationRuns (retryable).
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="approve")
    refs = _still_counting([RecordRef(posting_id=one[0], row=one[1]) for one in row.records])
    if not refs:
        raise NothingToTakeBack(why_zh="都已经冲回", why_en="all of it was taken back already")
    done = exclude_records(
        actor=SYSTEM, at=at, records=refs, reason=CLAWED_BACK, note=row.ground, case_id=case_id
    )
    return _settle(row, ClawBackState.DONE, done)


@operation(roles=set(), subject="claw_back:{claw_back_id}")
def reject_claw_back(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ClawBackSettled:
    """Effect of `reject`: the records go on counting."""
    return _settle(
        _decided(case_id=case_id, subject_id=subject_id, outcome="reject"), ClawBackState.REJECTED, None
    )


@operation(roles=set(), subject="claw_back:{claw_back_id}")
def withdraw_claw_back(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ClawBackSettled:
    """Effect of `withdraw`: the maker takes the proposal back."""
    return _settle(
        _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw"), ClawBackState.WITHDRAWN, None
    )


@operation(roles=set(), subject="claw_back:{claw_back_id}")
def restore_claw_back(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> ClawBackSettled:
    """Undo of `approve` when that decision is rescinded: what it took back counts again, and the proposal waits.

    What an appeal let count meanwhile, or what was taken back anew, is left as it is. Raises RecalculationRuns (retryable).
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome=workflow.RESCIND, state=ClawBackState.DONE)
    still = [
        RecordRef(posting_id=one.posting_id, row=one.row_number)
        for one in RecordException.objects.filter(run_id=row.run_id or 0).order_by("posting_id", "row_number")
        if not RecordException.objects.filter(
            posting_id=one.posting_id, row_number=one.row_number, run_id__gt=one.run_id
        ).exists()
    ]
    if still:
        reinstate_records(
            actor=SYSTEM, at=at, records=tuple(still), reason=CLAW_BACK_RESCINDED, case_id=case_id
        )
    return _settle(row, ClawBackState.PROPOSED, None)


def _of_lines(scenario: str, partner_id: int, lines: str) -> tuple[tuple[RecordRef, ...], list[LeftLine]]:
    """Return the records that lines name, as far as they count in the scenario, and the lines that are left, in their order."""
    named, left = read_lines(lines)
    _check_number(len(named))
    found = find_posted(partner_id, [(one.day, one.record_id) for one in named])
    scenarios = dict(
        Posting.objects.filter(pk__in={posting_id for posting_id, _ in found.values()}).values_list(
            "id", "scenario"
        )
    )
    gone = {key: set(rows.tolist()) for key, rows in excluded_rows(list(scenarios)).items()}
    refs = []
    for one in named:
        place = found.get((one.day, one.record_id))
        if place is None:
            left.append(_left(one, NO_SUCH_RECORD))
        elif scenarios[place[0]] != scenario:
            left.append(_left(one, OTHER_SCENARIO))
        elif place[1] in gone.get(place[0], set()):
            left.append(_left(one, TAKEN_BACK_ALREADY))
        else:
            refs.append(RecordRef(posting_id=place[0], row=place[1]))
    return tuple(refs), sorted(left, key=lambda one: one.line)


def _left(one: NamedRecord, reason: str) -> LeftLine:
    return LeftLine(line=one.line, words=f"{one.day.isoformat()},{one.record_id}", reason=reason)


def _of_batch(scenario: str, partner_id: int, batch_id: int) -> tuple[RecordRef, ...]:
    """Return every record that a batch of the partner gave the scenario and that counts."""
    postings = Posting.objects.filter(batch_id=batch_id, partner_id=partner_id, scenario=scenario)
    _check_number(sum(posting.records for posting in postings))
    return _still_counting(
        [
            RecordRef(posting_id=posting.pk, row=one.row)
            for posting in postings
            for one in effects_of(posting.pk, chunks=posting.chunks)
        ]
    )


def _check_number(found: int) -> None:
    if found > RECORDS_MAX:
        raise TooManyRecords(found=found, most=RECORDS_MAX)


def _still_counting(refs: Sequence[RecordRef]) -> tuple[RecordRef, ...]:
    gone = excluded_rows({one.posting_id for one in refs})
    out = {key: set(rows.tolist()) for key, rows in gone.items()}
    return tuple(one for one in refs if one.row not in out.get(one.posting_id, set()))


def _preview(at: datetime, refs: tuple[RecordRef, ...]) -> dict[str, int]:
    """Return what taking the records back comes to, exactly: it is done inside a savepoint and undone."""
    came_to: dict[str, int] = {}
    try:
        with transaction.atomic():
            done = exclude_records(actor=SYSTEM, at=at, records=refs, reason=CLAWED_BACK)
            people = RecordException.objects.filter(run_id=done.run_id).values("account_id").distinct()
            came_to = {
                "records": done.records,
                "people": people.count(),
                "grams": done.grams.value,
                "points": done.points.value,
                "due_grams": done.due_grams.value,
                "due_points": done.due_points.value,
            }
            raise _OnlyTried
    except _OnlyTried:
        return came_to


def _decided(
    *, case_id: int, subject_id: str, outcome: str, state: ClawBackState = ClawBackState.PROPOSED
) -> ClawBack:
    """Return the claw-back, locked, if its case's latest decision is this outcome on it."""
    row = ClawBack.objects.select_for_update().filter(pk=int(subject_id)).first()
    if (
        row is None
        or row.case_id != case_id
        or row.state != state
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise ClawBackNotDecided(case_id=case_id, outcome=outcome)
    return row


def _settle(row: ClawBack, state: ClawBackState, done: RecordsExcepted | None) -> ClawBackSettled:
    row.state = state
    row.run_id = done.run_id if done is not None else None
    row.save(update_fields=["state", "run_id"])
    return ClawBackSettled(
        claw_back_id=row.pk, state=state.value, records=done.records if done is not None else 0
    )
