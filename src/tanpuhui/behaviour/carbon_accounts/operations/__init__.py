"""Verbs of carbon accounts and pools.

Errors: AlreadyPooled, NothingToPool, PoolTooEarly, SettleDaysUndecided; Invalid, NotFound, NotPermitted of the kernel.
"""

from tanpuhui.behaviour.carbon_accounts.domain import (
    AlreadyPooled,
    NothingToPool,
    PoolTooEarly,
    SettleDaysUndecided,
)
from tanpuhui.behaviour.carbon_accounts.operations._open_carbon_account import (
    CarbonAccountOpened,
    CarbonAccountsOpened,
    open_carbon_account,
    open_carbon_accounts,
)
from tanpuhui.behaviour.carbon_accounts.operations._pool_month import MonthPooled, pool_month

__all__ = [
    "AlreadyPooled",
    "CarbonAccountOpened",
    "CarbonAccountsOpened",
    "MonthPooled",
    "NothingToPool",
    "PoolTooEarly",
    "SettleDaysUndecided",
    "open_carbon_account",
    "open_carbon_accounts",
    "pool_month",
]
