"""Verbs of the rulebook.

Errors: JurisdictionInvalid (file, line and reason), RuleInForce (what holds is not changed in place).
"""

from tanpuhui.foundation.rulebook.domain import JurisdictionInvalid, RuleInForce
from tanpuhui.foundation.rulebook.operations._load_jurisdiction import JurisdictionLoaded, load_jurisdiction
from tanpuhui.foundation.rulebook.operations._set_holiday import HolidaySet, set_holiday

__all__ = [
    "HolidaySet",
    "JurisdictionInvalid",
    "JurisdictionLoaded",
    "RuleInForce",
    "load_jurisdiction",
    "set_holiday",
]
