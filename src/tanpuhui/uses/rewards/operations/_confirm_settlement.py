"""The merchant confirms a settlement sheet (确认结算单): an effect of the case that the sheet opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tanpuhui.foundation.audit.operations import operation
from tanpuhui.foundation.kernel.actors import Actor, Role
from tanpuhui.foundation.kernel.errors import NotFound
from tanpuhui.uses.rewards.models import SettlementSheet, SheetConfirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementConfirmed:
    """The sheet that the merchant stands by."""

    sheet_id: int
    merchant_id: int
    period: str


@operation(roles={Role.MERCHANT}, subject="settlement_sheet:{sheet_id}")
def confirm_settlement(
    *, actor: Actor, at: datetime, case_id: int, subject_id: str, opinion: str
) -> SettlementConfirmed:
    """Record on the sheet that its merchant confirmed it. No money is moved, here or anywhere on the platform.

    Raises NotFound, NotPermitted.
    """
    sheet = SettlementSheet.objects.filter(pk=int(subject_id)).first()
    if sheet is None:
        raise NotFound(what="结算单 settlement sheet", id=subject_id)
    actor.require(Role.MERCHANT, operation="rewards.confirm_settlement", organisation_id=sheet.merchant_id)
    SheetConfirmation.objects.create(sheet=sheet, case_id=case_id, confirmed_by=actor.id, confirmed_at=at)
    return SettlementConfirmed(sheet_id=sheet.pk, merchant_id=sheet.merchant_id, period=sheet.period)
