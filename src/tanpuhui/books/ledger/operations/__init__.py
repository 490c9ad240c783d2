"""The verbs of the book: building blocks, called inside the operation that causes them, `expire_points` and `settle_due`.

Errors: InsufficientBalance, ReferenceReused, UnknownAccount, NotABooking; ParameterUnset of the rulebook.
"""

from tanpuhui.books.ledger.domain import (
    AccountDayLegs,
    InsufficientBalance,
    NotABooking,
    ReferenceReused,
    UnknownAccount,
)
from tanpuhui.books.ledger.operations._accounts import open_account, open_accounts, system_account
from tanpuhui.books.ledger.operations._expire_points import PointsExpired, expire_points
from tanpuhui.books.ledger.operations._give_up_points import give_up_points
from tanpuhui.books.ledger.operations._post import JournalPosted, post_account_days
from tanpuhui.books.ledger.operations._settle_due import DueSettled, settle_due
from tanpuhui.books.ledger.operations._transfer import transfer

__all__ = [
    "AccountDayLegs",
    "DueSettled",
    "InsufficientBalance",
    "JournalPosted",
    "NotABooking",
    "PointsExpired",
    "ReferenceReused",
    "UnknownAccount",
    "expire_points",
    "give_up_points",
    "open_account",
    "open_accounts",
    "post_account_days",
    "settle_due",
    "system_account",
    "transfer",
]
