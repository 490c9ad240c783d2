"""Verbs of the registry (登记簿).

open_holding. issue_units (effect of the issuance case): NotVerified, AlreadyIssued. offer_transfer: NotEnoughUnits,
TransferToSelf. accept_transfer, decline_transfer: TransferClosed. retire_units: NotEnoughUnits; it is for ever.
"""

from tanpuhui.credits.registry.operations._close_transfer import (
    TransferClosedBy,
    accept_transfer,
    decline_transfer,
)
from tanpuhui.credits.registry.operations._issue_units import UnitsIssued, issue_units
from tanpuhui.credits.registry.operations._offer_transfer import TransferOffered, offer_transfer
from tanpuhui.credits.registry.operations._open_holding import HoldingOpened, open_holding
from tanpuhui.credits.registry.operations._retire_units import Beneficiary, UnitsRetired, retire_units

__all__ = [
    "Beneficiary",
    "HoldingOpened",
    "TransferClosedBy",
    "TransferOffered",
    "UnitsIssued",
    "UnitsRetired",
    "accept_transfer",
    "decline_transfer",
    "issue_units",
    "offer_transfer",
    "open_holding",
    "retire_units",
]
