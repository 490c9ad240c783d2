"""Verbs of carbon accounts and pools.

Errors: AccountFrozen, FreezeCannotFollow, FreezeChangeOpen, FreezeNotAppealable, FreezeNotDecided; AlreadyPooled, NothingToPool, PoolTooEarly, SettleDaysUndecided; Invalid, NotFound, NotPermitted of the kernel.
"""

from tanpuhui.behaviour.carbon_accounts.domain import (
    AccountFrozen,
    AlreadyPooled,
    FreezeCannotFollow,
    FreezeChangeOpen,
    FreezeKind,
    FreezeNotAppealable,
    FreezeNotDecided,
    NothingToPool,
    PoolTooEarly,
    SettleDaysUndecided,
)
from tanpuhui.behaviour.carbon_accounts.operations._appeal_freeze import FreezeAppealed, appeal_freeze
from tanpuhui.behaviour.carbon_accounts.operations._freeze_account import (
    FreezeProposed,
    FreezeSettled,
    approve_freeze,
    permit_spending,
    propose_freeze,
    reject_freeze,
    restore_freeze,
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
    "CarbonAccountOpened",
    "CarbonAccountsOpened",
    "FreezeAppealed",
    "FreezeCannotFollow",
    "FreezeChangeOpen",
    "FreezeKind",
    "FreezeNotAppealable",
    "FreezeNotDecided",
    "FreezeProposed",
    "FreezeSettled",
    "MonthPooled",
    "NothingToPool",
    "PoolTooEarly",
    "SettleDaysUndecided",
    "appeal_freeze",
    "approve_freeze",
    "open_carbon_account",
    "open_carbon_accounts",
    "permit_spending",
    "pool_month",
    "propose_freeze",
    "reject_freeze",
    "restore_freeze",
    "withdraw_freeze",
]
