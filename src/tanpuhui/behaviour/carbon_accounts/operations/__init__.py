"""Verbs of carbon accounts, pools, and admissions of existing programmes.

Errors: AccountFrozen, FreezeCannotFollow, FreezeChangeOpen, FreezeNotAppealable, FreezeNotDecided; AdmissionBudgetTooSmall, AdmissionCannotFollow, AdmissionNotDecided, AdmissionRateSet, AdmissionRateUnset, NothingToAdmit, NothingToClaim; AlreadyPooled, NothingToPool, PoolTooEarly, SettleDaysUndecided; Invalid, NotFound, NotPermitted of the kernel.
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
from tanpuhui.behaviour.carbon_accounts.domain.admissions import (
    AdmissionBudgetTooSmall,
    AdmissionCannotFollow,
    AdmissionNotDecided,
    AdmissionRateSet,
    AdmissionRateUnset,
    NothingToAdmit,
    NothingToClaim,
)
from tanpuhui.behaviour.carbon_accounts.operations._admit_programme import (
    AdmissionProposed,
    AdmissionSettled,
    approve_admission,
    check_admission_terms,
    propose_admission,
    reject_admission,
    withdraw_admission,
)
from tanpuhui.behaviour.carbon_accounts.operations._appeal_freeze import FreezeAppealed, appeal_freeze
from tanpuhui.behaviour.carbon_accounts.operations._claim_admission import (
    AdmissionClaimed,
    AdmissionDeclined,
    AdmissionsEnded,
    claim_admission,
    decline_admission,
    end_admissions,
)
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
from tanpuhui.behaviour.carbon_accounts.operations._receive_admission import (
    AdmissionReceived,
    file_admission,
    receive_admission,
)

__all__ = [
    "AccountFrozen",
    "AdmissionBudgetTooSmall",
    "AdmissionCannotFollow",
    "AdmissionClaimed",
    "AdmissionDeclined",
    "AdmissionNotDecided",
    "AdmissionProposed",
    "AdmissionRateSet",
    "AdmissionRateUnset",
    "AdmissionReceived",
    "AdmissionSettled",
    "AdmissionsEnded",
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
    "NothingToAdmit",
    "NothingToClaim",
    "NothingToPool",
    "PoolTooEarly",
    "SettleDaysUndecided",
    "appeal_freeze",
    "approve_admission",
    "approve_freeze",
    "check_admission_terms",
    "claim_admission",
    "decline_admission",
    "end_admissions",
    "file_admission",
    "open_carbon_account",
    "open_carbon_accounts",
    "permit_spending",
    "pool_month",
    "propose_admission",
    "propose_freeze",
    "receive_admission",
    "reject_admission",
    "reject_freeze",
    "restore_freeze",
    "withdraw_admission",
    "withdraw_freeze",
]
