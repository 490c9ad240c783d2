"""Decide the admission of a programme's balances: terms stated by one person, approved by another (存量账户迁入)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from django.db import connection

from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    ADMISSION_PROCESS,
    ADMISSION_SUBJECT,
    BUDGET_JOURNAL,
    CLAIM_DAYS_RULE,
    FUNDING,
    HUNDREDTHS,
    RATE_RULE,
    AdmissionBudgetTooSmall,
    AdmissionCannotFollow,
    AdmissionNotDecided,
    AdmissionRateSet,
    AdmissionRateUnset,
    AdmissionState,
    BalanceState,
    NothingToAdmit,
    budget_account,
    read_rate,
    signed_terms,
)
from tanpuhui.behaviour.carbon_accounts.models import AdmittedBalance, ProgrammeAdmission
from tanpuhui.books.ledger.operations import system_account, transfer
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import destroy_document
from tanpuhui.foundation.identity.queries import organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.errors import Invalid, NotFound
from tanpuhui.foundation.kernel.quantities import Points
from tanpuhui.foundation.rulebook.queries import parameter
from tanpuhui.foundation.workflow import queries as workflow
from tanpuhui.foundation.workflow.operations import decide, open_case

PROPOSE = "propose"
BUDGET_MAX = 10**15
"""Points of one admission at most, far below what a column of the ledger holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionProposed:
    """The terms wait for the checker."""

    admission_id: int
    case_id: int
    case_number: str
    points: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionSettled:
    """What a decision, or the end of the time, made of an admission."""

    admission_id: int
    state: str


@operation(roles={Role.MAKER}, subject="programme_admission:{admission_id}")
def propose_admission(
    *,
    actor: Actor,
    at: datetime,
    admission_id: int,
    rate: str,
    rate_source: str,
    budget: int,
    payer: str,
    reason: str,
    idempotency_key: str,
) -> AdmissionProposed:
    """Open the case of an admission with its terms, and sign it as its maker.

    `rate` is our points for one of theirs (`1/2`), with its source; both empty where the rule `admission.points_rate` says it.
    `budget` are the points that `payer` sets aside. By a maker of the area. Raises NotFound, NotPermitted,
    AdmissionCannotFollow, NothingToAdmit, AdmissionRateUnset, AdmissionRateSet, AdmissionBudgetTooSmall, Invalid, and what
    opening and deciding a case raises (OpinionMissing).
    """
    row = locked_admission(admission_id)
    actor.require(Role.MAKER, operation="carbon_accounts.propose_admission", area=row.area)
    if row.state != AdmissionState.RECEIVED:
        raise AdmissionCannotFollow(admission_id=admission_id, state=row.state)
    if not row.accepted:
        raise NothingToAdmit
    row.rate, row.rate_source = _terms(rate.strip(), rate_source.strip(), area=row.area, at=at)
    if not payer.strip():
        raise Invalid(field="payer", why="请写明由谁出资 / say who pays")
    if not 0 <= budget <= BUDGET_MAX:
        raise Invalid(field="budget", why=f"0 – {BUDGET_MAX}")
    row.payer = payer.strip()
    row.points = _converted_points(row)
    row.budget = Points(budget)
    if row.budget < row.points:
        raise AdmissionBudgetTooSmall(points=row.points, budget=row.budget)
    opened = open_case(
        actor=actor,
        at=at,
        process=ADMISSION_PROCESS,
        subject_type=ADMISSION_SUBJECT,
        subject_id=str(row.pk),
        title=f"{organisation(row.programme_id).name}，{row.accepted} 户",
        area=row.area,
    )
    row.case_id = opened.case_id
    row.state = AdmissionState.PROPOSED.value
    row.save()
    decide(
        actor=actor,
        at=at,
        idempotency_key=None,
        case_id=opened.case_id,
        outcome=PROPOSE,
        opinion=reason,
        values=_signed_terms(row),
    )
    return AdmissionProposed(
        admission_id=row.pk, case_id=opened.case_id, case_number=opened.number, points=row.points
    )


@operation(roles=set(), subject="programme_admission:{admission_id}")
def check_admission_terms(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AdmissionSettled:
    """Effect of `propose`: the terms signed on the case are those of the admission, so that nobody approves others.

    Writes nothing. Raises AdmissionNotDecided.
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome=PROPOSE)
    signed = workflow.latest_decision(case_id)
    if signed is None or signed.values != _signed_terms(row):
        raise AdmissionNotDecided(case_id=case_id, outcome=PROPOSE)
    return AdmissionSettled(admission_id=row.pk, state=row.state)


@operation(roles=set(), subject="programme_admission:{admission_id}")
def approve_admission(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AdmissionSettled:
    """Effect of `approve`: the budget is set aside and every good balance waits, converted, for its person.

    Nobody gets anything yet. Where no rule says how long a balance waits, it stays open. Raises AdmissionNotDecided.
    """
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="approve")
    _open_balances(row)
    budget = row.budget or Points(0)
    if budget:
        transfer(
            kind=BUDGET_JOURNAL,
            reference=str(row.pk),
            at=at,
            day=business_day(at),
            debit_account_id=system_account(FUNDING),
            credit_account_id=system_account(budget_account(row.pk)),
            points=budget,
        )
    days = parameter(key=CLAIM_DAYS_RULE, at=at, scope=row.area).value
    row.claim_until = None if days is None else business_day(at) + timedelta(days=int(days))
    row.opened_at = at
    row.state = AdmissionState.OPEN.value
    row.save()
    return AdmissionSettled(admission_id=row.pk, state=row.state)


@operation(roles=set(), subject="programme_admission:{admission_id}")
def reject_admission(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AdmissionSettled:
    """Effect of `reject`: nothing is taken over, and nothing is kept that says whose the rows were."""
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="reject")
    return _drop(row, AdmissionState.REJECTED, at=at)


@operation(roles=set(), subject="programme_admission:{admission_id}")
def withdraw_admission(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> AdmissionSettled:
    """Effect of `withdraw`: as `reject`, by the maker, so that a corrected file can be sent."""
    row = _decided(case_id=case_id, subject_id=subject_id, outcome="withdraw")
    return _drop(row, AdmissionState.WITHDRAWN, at=at)


def locked_admission(admission_id: int) -> ProgrammeAdmission:
    """Return an admission, its row locked; whoever accepts a balance of it still refers to it. A building block; raises NotFound."""
    row = (
        ProgrammeAdmission.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk=admission_id)
        .first()
    )
    if row is None:
        raise NotFound(what="存量迁入 programme admission", id=admission_id)
    return row


def _drop(row: ProgrammeAdmission, state: AdmissionState, *, at: datetime) -> AdmissionSettled:
    AdmittedBalance.objects.filter(admission=row, state=BalanceState.RECEIVED).update(
        state=BalanceState.DROPPED, settled_at=at, **NOTHING_LEFT
    )
    destroy_document(sha256=row.file_sha256, at=at)
    row.state, row.ended_at = state.value, at
    row.save()
    return AdmissionSettled(admission_id=row.pk, state=row.state)


NOTHING_LEFT = dict.fromkeys(("member_index", "phone_index", "area", "member_since", "shown_grams"))
"""What is erased of a balance that nobody takes over: everything that says whose it was."""


def _terms(rate: str, source: str, *, area: str, at: datetime) -> tuple[str, str]:
    """Return the rate and its source: those of the rule, or what the person states where there is none."""
    rule = parameter(key=RATE_RULE, at=at, scope=area)
    if rule.value is not None:
        if rate or source:
            raise AdmissionRateSet(rate=rule.value, basis=rule.basis)
        return str(read_rate(rule.value)), rule.basis
    if not rate or not source:
        raise AdmissionRateUnset
    return str(read_rate(rate)), source


def _signed_terms(row: ProgrammeAdmission) -> dict[str, str]:
    """Return what the case asks for, in the words of the admission."""
    budget = 0 if row.budget is None else row.budget.value
    return signed_terms(rate=row.rate, rate_source=row.rate_source, budget=budget, payer=row.payer)


def _converted_points(row: ProgrammeAdmission) -> Points:
    rate = Fraction(row.rate)
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(div(hundredths::numeric * %s, %s)), 0) from carbon_admitted_balance"
            " where admission_id = %s and state = 'received'",
            [rate.numerator, HUNDREDTHS * rate.denominator, row.pk],
        )
        return Points(int(cursor.fetchone()[0]))


def _open_balances(row: ProgrammeAdmission) -> None:
    """Convert and open every good balance, in one statement and exactly, as `converted` does for one."""
    rate = Fraction(row.rate)
    with connection.cursor() as cursor:
        cursor.execute(
            "update carbon_admitted_balance set state = 'waiting', points = div(hundredths::numeric * %s, %s)::bigint"
            " where admission_id = %s and state = 'received'",
            [rate.numerator, HUNDREDTHS * rate.denominator, row.pk],
        )


def _decided(*, case_id: int, subject_id: str, outcome: str) -> ProgrammeAdmission:
    """Return the admission, locked, if its case's latest decision is this outcome on it."""
    row = locked_admission(int(subject_id))
    if (
        row.case_id != case_id
        or row.state != AdmissionState.PROPOSED
        or workflow.latest_outcome(case_id) != outcome
    ):
        raise AdmissionNotDecided(case_id=case_id, outcome=outcome)
    return row
