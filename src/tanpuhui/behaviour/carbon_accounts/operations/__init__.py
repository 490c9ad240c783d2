"""Verbs of carbon accounts and pools.

Errors: AccountFrozen, FreezeCannotFollow, FreezeChangeOpen, FreezeNotDecided; AlreadyPooled, NothingToPool, PoolTooEarly, SettleDaysUndecided; Invalid, NotFound, NotPermitted of the kernel.
"""

from tanpuhui.behaviour.carbon_accounts.domain import (
    AccountFrozen,
    AlreadyPooled,
    FreezeCannotFollow,
    FreezeChangeOpen,
    FreezeKind,
    FreezeNotDecided,
    NothingToPool,
    PoolTooEarly,
    SettleDaysUndecided,
)
from tanpuhui.behaviour.carbon_accounts.operations._freeze_account import (
    FreezeProposed,
    FreezeSettled,
    approve_freeze,
    permit_spending,
    propose_freeze,
    reject_freeze,
    stop_spending,
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
    "FreezeCannotFollow",
    "FreezeChangeOpen",
    "FreezeKind",
    "FreezeNotDecided",
    "FreezeProposed",
    "FreezeSettled",
    "MonthPooled",
    "NothingToPool",
    "PoolTooEarly",
    "SettleDaysUndecided",
    "approve_freeze",
    "open_carbon_account",
    "open_carbon_accounts",
    "permit_spending",
    "pool_month",
    "propose_freeze",
    "reject_freeze",
    "stop_spending",
    "withdraw_freeze",
]
