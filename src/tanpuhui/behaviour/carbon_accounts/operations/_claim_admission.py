"""What becomes of a waiting balance: its person accepts or declines it, or the time passes (确认、放弃、到期)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    ADMISSION_JOURNAL,
    FUNDING,
    RETURN_JOURNAL,
    AdmissionState,
    BalanceState,
    NothingToClaim,
    budget_account,
)
from tanpuhui.behaviour.carbon_accounts.models import (
    AdmissionClaim,
    AdmittedBalance,
    CarbonAccount,
    ProgrammeAdmission,
)
from tanpuhui.behaviour.carbon_accounts.operations._admit_programme import NOTHING_LEFT, locked_admission
from tanpuhui.behaviour.carbon_accounts.operations._open_carbon_account import open_carbon_account
from tanpuhui.books.ledger.operations import system_account, transfer
from tanpuhui.books.ledger.queries import system_total
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.documents.operations import destroy_document
from tanpuhui.foundation.identity.queries import phone_index_of
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import business_day
from tanpuhui.foundation.kernel.quantities import Points


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionClaimed:
    """The balance is in the person's carbon account, as points of the day of the acceptance."""

    number: str
    admission_id: int
    points: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionDeclined:
    """The balance is gone, and nothing is kept that says whose it was."""

    admission_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionsEnded:
    """How many admissions ended now, how many balances lapsed, and how many points went back to their payers."""

    count: int
    lapsed: int
    returned: Points


@operation(roles={Role.CITIZEN}, subject="carbon_account:{number}")
def claim_admission(
    *, actor: Actor, at: datetime, admission_id: int, text_version: str, idempotency_key: str
) -> AdmissionClaimed:
    """Accept what waits for one's phone, having read the text of this version; opens the carbon account where there is none.

    The points are one lot of the day of the acceptance, so they lapse by the rule of points from that day on and not from
    the programme's. Their grams stay history. Raises NothingToClaim.
    """
    user_id = int(actor.id)
    # The account first: opening takes a name lock, and names are locked before rows.
    found = CarbonAccount.objects.filter(user_id=user_id).first()
    if found is None:
        _check_waiting(user_id=user_id, admission_id=admission_id)
        open_carbon_account(actor=actor, at=at, user_id=user_id)
        found = CarbonAccount.objects.get(user_id=user_id)
    balance = _locked_balance(user_id=user_id, admission_id=admission_id, at=at)
    points = Points(balance.points or 0)
    journal_id = None
    if points:
        journal_id = transfer(
            kind=ADMISSION_JOURNAL,
            reference=f"{admission_id}:{balance.number}",
            at=at,
            day=business_day(at),
            debit_account_id=system_account(budget_account(admission_id)),
            credit_account_id=found.ledger_account_id,
            points=points,
        )
    _settle(balance, BalanceState.CLAIMED, at=at)
    AdmissionClaim.objects.create(
        admission_id=admission_id,
        number=balance.number,
        user_id=user_id,
        points=points,
        journal_id=journal_id,
        text_version=text_version,
        at=at,
    )
    return AdmissionClaimed(number=found.number, admission_id=admission_id, points=points)


@operation(roles={Role.CITIZEN}, subject="programme_admission:{admission_id}")
def decline_admission(
    *, actor: Actor, at: datetime, admission_id: int, idempotency_key: str
) -> AdmissionDeclined:
    """Decline what waits for one's phone: the row keeps its points for the counts and nothing that says whose it was.

    Raises NothingToClaim.
    """
    balance = _locked_balance(user_id=int(actor.id), admission_id=admission_id, at=at)
    _settle(balance, BalanceState.DECLINED, at=at)
    return AdmissionDeclined(admission_id=admission_id)


def forget_admissions(user_id: int, *, at: datetime) -> None:
    """Take whose they were off the balances of a person who closes the account: what waits is declined, what was accepted stays counted.

    A building block of the closure; wants the phone, which is forgotten after it.
    """
    index = phone_index_of(user_id)
    if index is not None:
        AdmittedBalance.objects.filter(phone_index=index, state=BalanceState.WAITING).update(
            state=BalanceState.DECLINED, settled_at=at, **NOTHING_LEFT
        )
    # Whoever was accepting just now has been waited for, so the claim is there to be found.
    claims = AdmissionClaim.objects.filter(user_id=user_id).order_by("admission_id", "number")
    for admission_id, number in claims.values_list("admission_id", "number"):
        AdmittedBalance.objects.filter(admission_id=admission_id, number=number).update(**NOTHING_LEFT)


@operation(roles={Role.SYSTEM}, subject="programme_admissions:{count}")
def end_admissions(*, actor: Actor, at: datetime) -> AdmissionsEnded:
    """Let balances lapse whose last day is over, and end every admission in which nothing waits any more.

    What was set aside and not taken goes back to the payer, and the file's key is destroyed. Repeating it does nothing more.
    """
    today = business_day(at)
    open_ones = ProgrammeAdmission.objects.filter(state=AdmissionState.OPEN).order_by("pk")
    count, lapsed, returned = 0, 0, Points(0)
    for admission_id in open_ones.values_list("pk", flat=True):
        row = locked_admission(admission_id)
        if row.state != AdmissionState.OPEN:
            continue
        if row.claim_until is not None and row.claim_until < today:
            lapsed += _lapse(row, at=at)
        if not AdmittedBalance.objects.filter(admission=row, state=BalanceState.WAITING).exists():
            returned += _end(row, at=at)
            count += 1
    return AdmissionsEnded(count=count, lapsed=lapsed, returned=returned)


def _lapse(row: ProgrammeAdmission, *, at: datetime) -> int:
    # Rows that a person is accepting right now are waited for: the update looks at them again once they are free.
    return AdmittedBalance.objects.filter(admission=row, state=BalanceState.WAITING).update(
        state=BalanceState.LAPSED, settled_at=at, **NOTHING_LEFT
    )


def _end(row: ProgrammeAdmission, *, at: datetime) -> Points:
    left = system_total(budget_account(row.pk)).points
    if left:
        transfer(
            kind=RETURN_JOURNAL,
            reference=str(row.pk),
            at=at,
            day=business_day(at),
            debit_account_id=system_account(budget_account(row.pk)),
            credit_account_id=system_account(FUNDING),
            points=left,
        )
    destroy_document(sha256=row.file_sha256, at=at)
    row.state, row.ended_at = AdmissionState.ENDED.value, at
    row.save(update_fields=["state", "ended_at"])
    return left


def _check_waiting(*, user_id: int, admission_id: int) -> None:
    """Refuse before an account is opened for nothing; `_locked_balance` looks again under the lock."""
    index = phone_index_of(user_id)
    waiting = AdmittedBalance.objects.filter(admission_id=admission_id, state=BalanceState.WAITING)
    if index is None or not waiting.filter(phone_index=index).exists():
        raise NothingToClaim


def _locked_balance(*, user_id: int, admission_id: int, at: datetime) -> AdmittedBalance:
    """Return the balance that waits for a person, its row locked. Raises NothingToClaim."""
    index = phone_index_of(user_id)
    found = (
        AdmittedBalance.objects.select_for_update(of=("self",))
        .filter(admission_id=admission_id, state=BalanceState.WAITING, phone_index=index)
        .first()
        if index is not None
        else None
    )
    admission = ProgrammeAdmission.objects.filter(pk=admission_id, state=AdmissionState.OPEN).first()
    if found is None or admission is None:
        raise NothingToClaim
    if admission.claim_until is not None and admission.claim_until < business_day(at):
        raise NothingToClaim
    return found


def _settle(balance: AdmittedBalance, state: BalanceState, *, at: datetime) -> None:
    left = {} if state is BalanceState.CLAIMED else NOTHING_LEFT
    AdmittedBalance.objects.filter(admission_id=balance.admission_id, number=balance.number).update(
        state=state, settled_at=at, **left
    )
