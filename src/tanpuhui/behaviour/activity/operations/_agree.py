"""Agree on shared data (签订数据共享协议) and end it early: a maker proposes, the partner confirms, another person decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tanpuhui.behaviour.activity.domain.agreements import (
    END_PROCESS,
    END_SUBJECT,
    NUMBER_CHARACTERS_MAX,
    PROCESS,
    SUBJECT_TYPE,
    WORDS_CHARACTERS_MAX,
    AgreementEndOpen,
    AgreementNotDecided,
    AgreementNotInForce,
    AgreementNumberTaken,
    AgreementState,
)
from tanpuhui.behaviour.activity.domain.standing import DayPassed
from tanpuhui.behaviour.activity.models import AgreementEnd, DataAgreement, Scenario
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementProposed:
    """An agreement, or its early end, waits for the partner and the checker."""

    agreement_id: int
    case_id: int
    case_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementSettled:
    """What a decision made of an agreement."""

    agreement_id: int
    state: str
    last_day: date


@operation(roles={Role.MAKER}, subject="data_agreement:{agreement_id}")
def propose_agreement(
    *,
    actor: Actor,
    at: datetime,
    idempotency_key: str,
    partner_id: int,
    number: str,
    scenarios: tuple[str, ...],
    fields: tuple[str, ...],
    purpose: str,
    legal_basis: str,
    valid_from: date,
    valid_to: date,
) -> AgreementProposed:
    """Open the case of an agreement and sign it as its maker; the partner confirms it, and another person of the centre decides.

    By a maker of the partner's area. Basis: 政务数据共享条例; 个人信息保护法 article 23 (purpose, kinds, period told).
    Raises NotFound, NotPermitted, Invalid, AgreementNumberTaken, and what opening and deciding a case raises.
    """
    partner = organisation(partner_id)
    actor.require(Role.MAKER, operation="activity.propose_agreement", area=partner.area)
    if partner.kind != "partner":
        raise Invalid(field="partner_id", why="不是数据伙伴 / not a data partner")
    _check(scenarios=scenarios, fields=fields, purpose=purpose, legal_basis=legal_basis, number=number)
    if valid_to < valid_from:
        raise Invalid(field="valid_to", why="止期早于起期 / ends before it begins")
    lock_names(f"activity:agreement:{number.strip()}")
    standing = [AgreementState.PROPOSED, AgreementState.AGREED]
    if DataAgreement.objects.filter(number=number.strip(), state__in=standing).exists():
        raise AgreementNumberTaken(number=number.strip())
    made = DataAgreement.objects.create(
        number=number.strip(),
        partner_id=partner_id,
        scenarios=sorted(set(scenarios)),
        fields=list(dict.fromkeys(fields)),
        purpose=purpose.strip(),
        legal_basis=legal_basis.strip(),
        valid_from=valid_from,
        valid_to=valid_to,
        state=AgreementState.PROPOSED,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=PROCESS,
        subject_type=SUBJECT_TYPE,
        subject_id=str(made.pk),
        title=f"{partner.name} {made.number}",
        area=partner.area,
        organisation_id=partner_id,
    )
    made.case_id = opened.case_id
    made.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=purpose)
    return AgreementProposed(agreement_id=made.pk, case_id=opened.case_id, case_number=opened.number)


@operation(roles=set(), subject="data_agreement:{agreement_id}")
def approve_agreement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AgreementSettled:
    """Effect of `approve`: the agreement holds on its days (协议生效)."""
    return _settle(_decided(case_id=case_id, subject_id=subject_id, outcome="approve"), AgreementState.AGREED)


@operation(roles=set(), subject="data_agreement:{agreement_id}")
def reject_agreement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AgreementSettled:
    """Effect of `reject` and `decline`: nothing is agreed, whoever said no."""
    made = _decided(case_id=case_id, subject_id=subject_id, outcome=("reject", "decline"))
    return _settle(made, AgreementState.REJECTED)


@operation(roles=set(), subject="data_agreement:{agreement_id}")
def withdraw_agreement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AgreementSettled:
    """Effect of `withdraw`: the maker takes the proposal back."""
    made = _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw")
    return _settle(made, AgreementState.WITHDRAWN)


@operation(roles={Role.MAKER}, subject="data_agreement:{agreement_id}")
def propose_agreement_end(
    *, actor: Actor, at: datetime, idempotency_key: str, agreement_id: int, last_day: date, reason: str
) -> AgreementProposed:
    """Open the case in which an agreement ends before its time, and sign it as its maker; another person decides.

    The last day is today or later: what was received under it stays. Raises NotFound, NotPermitted, DayPassed,
    AgreementNotInForce, AgreementEndOpen, OpinionMissing.
    """
    made = DataAgreement.objects.select_for_update().filter(pk=agreement_id).first()
    if made is None:
        raise NotFound(what="数据共享协议 / data agreement", id=agreement_id)
    area = organisation(made.partner_id).area
    actor.require(Role.MAKER, operation="activity.propose_agreement_end", area=area)
    if last_day < business_day(at):
        raise DayPassed(day=last_day.isoformat())
    _check_holds(made, last_day)
    if made.ends.filter(state=AgreementState.PROPOSED).exists():
        raise AgreementEndOpen(number=made.number)
    ending = AgreementEnd.objects.create(
        agreement=made,
        last_day=last_day,
        reason=reason.strip(),
        state=AgreementState.PROPOSED,
        proposed_at=at,
    )
    opened = open_case(
        actor=actor,
        at=at,
        process=END_PROCESS,
        subject_type=END_SUBJECT,
        subject_id=str(ending.pk),
        title=made.number,
        area=area,
        organisation_id=made.partner_id,
    )
    ending.case_id = opened.case_id
    ending.save(update_fields=["case_id"])
    decide(actor=actor, at=at, idempotency_key=None, case_id=opened.case_id, outcome=PROPOSE, opinion=reason)
    return AgreementProposed(agreement_id=made.pk, case_id=opened.case_id, case_number=opened.number)


@operation(roles=set(), subject="data_agreement:{agreement_id}")
def end_agreement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AgreementSettled:
    """Effect of `approve` of an early end: the agreement holds up to that day, and never ends before the day of the decision."""
    ending = _ending(case_id=case_id, subject_id=subject_id, outcome="approve")
    made = ending.agreement
    last_day = max(ending.last_day, business_day(at))
    _check_holds(made, last_day)
    made.ended_on = last_day
    made.save(update_fields=["ended_on"])
    ending.state = AgreementState.AGREED
    ending.save(update_fields=["state"])
    return AgreementSettled(agreement_id=made.pk, state=made.state, last_day=last_day)


@operation(roles=set(), subject="data_agreement:{agreement_id}")
def keep_agreement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AgreementSettled:
    """Effect of `reject` and `withdraw` of an early end: the agreement holds as before."""
    outcome = workflow.latest_outcome(case_id)
    ending = _ending(case_id=case_id, subject_id=subject_id, outcome=("reject", "withdraw"))
    ending.state = AgreementState.WITHDRAWN if outcome == "withdraw" else AgreementState.REJECTED
    ending.save(update_fields=["state"])
    made = ending.agreement
    return AgreementSettled(agreement_id=made.pk, state=made.state, last_day=made.ended_on or made.valid_to)


def _check(
    *, scenarios: tuple[str, ...], fields: tuple[str, ...], purpose: str, legal_basis: str, number: str
) -> None:
    known = set(Scenario.objects.filter(code__in=scenarios).values_list("code", flat=True))
    if not scenarios or set(scenarios) - known:
        raise Invalid(field="scenarios", why="至少一个已开通的场景 / at least one scenario that exists")
    if not fields or not all(one.strip() for one in fields):
        raise Invalid(field="fields", why="至少一个字段 / at least one field")
    if not number.strip() or len(number) > NUMBER_CHARACTERS_MAX:
        raise Invalid(field="number", why=f"必填，不超过 {NUMBER_CHARACTERS_MAX} 字 / required, and short")
    for name, words in (("purpose", purpose), ("legal_basis", legal_basis)):
        if not words.strip() or len(words) > WORDS_CHARACTERS_MAX:
            raise Invalid(field=name, why=f"必填，不超过 {WORDS_CHARACTERS_MAX} 字 / required, and brief")


def _check_holds(made: DataAgreement, day: date) -> None:
    last = made.ended_on or made.valid_to
    if made.state != AgreementState.AGREED or not made.valid_from <= day <= last:
        raise AgreementNotInForce(number=made.number, day=day.isoformat())


def _decided(*, case_id: int, subject_id: str, outcome: str | tuple[str, ...]) -> DataAgreement:
    """Return the agreement, locked, if its case's latest decision is this outcome on it."""
    made = DataAgreement.objects.select_for_update().filter(pk=int(subject_id)).first()
    wanted = (outcome,) if isinstance(outcome, str) else outcome
    if (
        made is None
        or made.case_id != case_id
        or made.state != AgreementState.PROPOSED
        or workflow.latest_outcome(case_id) not in wanted
    ):
        raise AgreementNotDecided(case_id=case_id, outcome=" / ".join(wanted))
    return made


def _ending(*, case_id: int, subject_id: str, outcome: str | tuple[str, ...]) -> AgreementEnd:
    """Return the early end and its agreement, locked, if its case's latest decision is this outcome on it."""
    ending = AgreementEnd.objects.select_for_update().filter(pk=int(subject_id)).first()
    wanted = (outcome,) if isinstance(outcome, str) else outcome
    if (
        ending is None
        or ending.case_id != case_id
        or ending.state != AgreementState.PROPOSED
        or workflow.latest_outcome(case_id) not in wanted
    ):
        raise AgreementNotDecided(case_id=case_id, outcome=" / ".join(wanted))
    DataAgreement.objects.select_for_update().get(pk=ending.agreement_id)
    return ending


def _settle(made: DataAgreement, state: AgreementState) -> AgreementSettled:
    made.state = state
    made.save(update_fields=["state"])
    return AgreementSettled(agreement_id=made.pk, state=state.value, last_day=made.valid_to)
