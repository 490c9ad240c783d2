"""Settle a merchant's month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tanpuhui.books.ledger.operations import open_account, system_account, transfer
from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.identity.queries import OrganisationView, organisation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.calendar import Month, business_day
from tanpuhui.foundation.kernel.errors import Invalid
from tanpuhui.foundation.kernel.quantities import Fen
from tanpuhui.foundation.persistence.locks import lock_names
from tanpuhui.foundation.rulebook.queries import require_parameter
from tanpuhui.foundation.workflow.operations import open_case
from tanpuhui.uses.rewards.domain import (
    MERCHANT_OWNER,
    PAYABLE,
    NothingToSettle,
    SettlementClosed,
    SettlementTooEarly,
    payment,
)
from tanpuhui.uses.rewards.models import SettlementLine, SettlementSheet, SheetLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementSheetClosed:
    """What the scheme pays a merchant for a month, in fen, and the case in which the merchant confirms it."""

    sheet_id: int
    case_id: int
    merchant_id: int
    period: str
    coupons: int
    face_value: Fen
    fee: Fen
    payable: Fen


@operation(roles={Role.MAKER}, subject="settlement_sheet:{sheet_id}")
def close_settlement(
    *, actor: Actor, at: datetime, idempotency_key: str, merchant_id: int, period: str
) -> SettlementSheetClosed:
    """Make the settlement sheet of a month (written 2026-11), book what is payable, and ask the merchant to confirm.

    Every line up to the month's end that no sheet has. The fee is `rewards.settlement_fee_share` (an exact fraction
    such as 1/100, of the month's last day) of the face value, rounded down to a fen; payable goes to the merchant's
    account. The merchant confirms or objects in a case of their area (结算对账). Raises Invalid, NotFound,
    SettlementTooEarly, SettlementClosed, NothingToSettle, ParameterUnset.
    """
    try:
        month = Month.parse(period)
    except ValueError as error:
        raise Invalid(field="period", why=str(error)) from error
    merchant = organisation(merchant_id)
    actor.require(Role.MAKER, operation="rewards.close_settlement", area=merchant.area)
    names = {"merchant": merchant.name, "merchant_en": merchant.name_en, "period": period}
    if business_day(at) <= month.last_day:
        raise SettlementTooEarly(period=period, earliest=month.last_day + timedelta(days=1))
    lock_names(f"rewards:settlement:{merchant_id}")
    earlier = SettlementSheet.objects.filter(merchant_id=merchant_id, period=period).first()
    if earlier is not None:
        raise SettlementClosed(**names, sheet_id=earlier.pk)
    lines = list(
        SettlementLine.objects.filter(
            merchant_id=merchant_id, day__lte=month.last_day, sheetline__isnull=True
        ).order_by("pk")
    )
    if not lines:
        raise NothingToSettle(**names)
    sheet = _write(merchant=merchant, month=month, lines=lines, at=at)
    opened = open_case(
        actor=actor,
        at=at,
        process="settlement_confirmation",
        subject_type="settlement_sheet",
        subject_id=str(sheet.pk),
        title=f"{merchant.name} {period}",
        area=merchant.area,
        organisation_id=merchant_id,
    )
    return SettlementSheetClosed(
        sheet_id=sheet.pk,
        case_id=opened.case_id,
        merchant_id=merchant_id,
        period=period,
        coupons=sheet.coupons,
        face_value=sheet.face_value,
        fee=sheet.fee,
        payable=sheet.payable,
    )


def _write(
    *, merchant: OrganisationView, month: Month, lines: list[SettlementLine], at: datetime
) -> SettlementSheet:
    rule = require_parameter(key="rewards.settlement_fee_share", at=month.last_day)
    face_value = Fen.total(line.face_value for line in lines)
    due = payment(face_value, Fraction(str(rule.value)))
    journal_id = None
    if due.payable:
        account_id = open_account(owner_type=MERCHANT_OWNER, owner_id=merchant.id, at=at)
        journal_id = transfer(
            kind="settlement",
            reference=f"{merchant.id}:{month}",
            at=at,
            day=business_day(at),
            debit_account_id=system_account(PAYABLE),
            credit_account_id=account_id,
            fen=due.payable,
        )
    sheet = SettlementSheet.objects.create(
        merchant_id=merchant.id,
        period=str(month),
        coupons=len(lines),
        face_value=face_value,
        fee_share=str(rule.value),
        fee_basis=rule.basis,
        fee=due.fee,
        payable=due.payable,
        journal_id=journal_id,
        closed_at=at,
    )
    SheetLine.objects.bulk_create([SheetLine(line=line, sheet=sheet) for line in lines], batch_size=5_000)
    return sheet
