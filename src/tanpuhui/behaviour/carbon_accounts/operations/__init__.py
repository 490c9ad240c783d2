"""Verbs of carbon accounts and pools.

Errors: RecordCounts, RecordAppealed, ReviewedByYou, AppealNotDecided; AccountFrozen, FreezeCannotFollow, FreezeChangeOpen, FreezeNotDecided; AlreadyPooled, NothingToPool, PoolTooEarly, SettleDaysUndecided; Invalid, NotFound, NotPermitted of the kernel.
"""

from tanpuhui.behaviour.carbon_accounts.domain import (
    AccountFrozen,
    AlreadyPooled,
    AppealNotDecided,
    FreezeCannotFollow,
    FreezeChangeOpen,
    FreezeKind,
    FreezeNotDecided,
    NothingToPool,
    PoolTooEarly,
    RecordAppealed,
    RecordCounts,
    ReviewedByYou,
    SettleDaysUndecided,
)
from tanpuhui.behaviour.carbon_accounts.operations._appeal_record import (
    AppealedRecord,
    AppealLodged,
    AppealSettled,
    appeal_record,
    dismiss_record_appeal,
    examine_record_appeal,
    uphold_record_appeal,
    withdraw_record_appeal,
)
from tanpuhui.behaviour.carbon_accounts.operations._freeze_account import (
    FreezeProposed,
    FreezeSettled,
    approve_freeze,
    permit_spending,
    propose_freeze,
    reject_freeze,
    withdraw_freeze,
)
from tanpuhui.behaviour.carbon_accounts.operations._open_carbon_account import (
    CarbonAccountOpened,
    CarbonAccountsOpened,
    open_carbon_account,
    open_carbon_accounts,
)
from tanpuhui.behaviour.carbon_accounts.operations._pool_month import MonthPooled, pool_month

__all__ = [
    "AccountFrozen",
    "AlreadyPooled",
    "AppealLodged",
    "AppealNotDecided",
    "AppealSettled",
    "AppealedRecord",
    "CarbonAccountOpened",
    "CarbonAccountsOpened",
    "FreezeCannotFollow",
    "FreezeChangeOpen",
    "FreezeKind",
    "FreezeNotDecided",
    "FreezeProposed",
    "FreezeSettled",
    "MonthPooled",
    "NothingToPool",
    "PoolTooEarly",
    "RecordAppealed",
    "RecordCounts",
    "ReviewedByYou",
    "SettleDaysUndecided",
    "appeal_record",
    "approve_freeze",
    "dismiss_record_appeal",
    "examine_record_appeal",
    "open_carbon_account",
    "open_carbon_accounts",
    "permit_spending",
    "pool_month",
    "propose_freeze",
    "reject_freeze",
    "uphold_record_appeal",
    "withdraw_freeze",
    "withdraw_record_appeal",
]
