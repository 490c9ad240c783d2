"""Open a case, name its parties, decide it. `decide` is the only way in which a case moves.

Errors: CaseMoved, OutcomeNotOpen, NotYourDecision, SamePerson, GuardUnproven, OpinionMissing, OpinionTooLong,
CaseAlreadyOpen, PartyAlreadyNamed, PartyUnsuitable, kernel NotFound and Invalid.
"""

from tanpuhui.foundation.workflow.domain import (
    CaseAlreadyOpen,
    CaseMoved,
    GuardUnproven,
    NotYourDecision,
    OpinionMissing,
    OpinionTooLong,
    OutcomeNotOpen,
    PartyAlreadyNamed,
    PartyUnsuitable,
    SamePerson,
)
from tanpuhui.foundation.workflow.operations._decide import Decided, decide
from tanpuhui.foundation.workflow.operations._effects import (
    NO_EFFECT,
    Effect,
    install_effects,
    installed_effects,
)
from tanpuhui.foundation.workflow.operations._name_party import PartyNamed, name_party
from tanpuhui.foundation.workflow.operations._open_case import CaseOpened, open_case

__all__ = [
    "NO_EFFECT",
    "CaseAlreadyOpen",
    "CaseMoved",
    "CaseOpened",
    "Decided",
    "Effect",
    "GuardUnproven",
    "NotYourDecision",
    "OpinionMissing",
    "OpinionTooLong",
    "OutcomeNotOpen",
    "PartyAlreadyNamed",
    "PartyNamed",
    "PartyUnsuitable",
    "SamePerson",
    "decide",
    "install_effects",
    "installed_effects",
    "name_party",
    "open_case",
]
