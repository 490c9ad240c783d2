"""Facts of people and organisations that others act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonInvited:
    """Somebody was added who has no password yet; an activation code is to be sent to their phone."""

    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractEnding:
    """A contract has few days left (合同将到期); its organisation's roles end with it."""

    organisation_id: int
    contract_id: int
    valid_to: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureDue:
    """A person asked for the closure of their account, and no waiting time is set: it is done at once."""

    closure_id: int
