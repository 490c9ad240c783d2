"""Open a case, name its parties, decide it, and what happens to it between two decisions.

`decide` is the only way in which a case moves. Errors: every refusal of the domain, kernel NotFound and Invalid.
"""

from tanpuhui.foundation.workflow.domain import (
    AssignedToOther,
    AssigneeUnsuitable,
    CannotRescind,
    CaseAlreadyOpen,
    CaseMoved,
    CaseTaken,
    EvidenceMissing,
    GuardUnproven,
    NotCaseMember,
    NoticeRuns,
    NotYourDecision,
    ObjectionsOpen,
    OpinionMissing,
    OpinionTooLong,
    OutcomeNotOpen,
    PartyAlreadyNamed,
    PartyUnsuitable,
    RemarkAnswered,
    SamePerson,
    UrgedToday,
    ValueMissing,
    ValueWrong,
)
from tanpuhui.foundation.workflow.operations._acts import (
    CaseActed,
    CaseFollowed,
    assign_case,
    follow_case,
    urge_case,
)
from tanpuhui.foundation.workflow.operations._attach import (
    Attached,
    Remarked,
    attach,
    remark,
)
from tanpuhui.foundation.workflow.operations._deadlines import (
    DeadlineSet,
    DeadlinesReckoned,
    reckon_deadlines,
    set_deadline,
)
from tanpuhui.foundation.workflow.operations._decide import (
    Decided,
    decide,
)
from tanpuhui.foundation.workflow.operations._effects import (
    NO_EFFECT,
    Effect,
    install_effects,
    installed_effects,
)
from tanpuhui.foundation.workflow.operations._end_notices import (
    end_notices,
)
from tanpuhui.foundation.workflow.operations._name_party import (
    PartyNamed,
    name_party,
)
from tanpuhui.foundation.workflow.operations._open_case import (
    CaseOpened,
    open_case,
)
from tanpuhui.foundation.workflow.operations._tell import (
    CaseNews,
    CaseTold,
    DeadlinesWarned,
    tell_of_act,
    tell_of_decision,
    tell_of_opening,
    warn_of_deadlines,
)
from tanpuhui.foundation.workflow.queries import Guard, install_guards, installed_guards

__all__ = [
    "NO_EFFECT",
    "AssignedToOther",
    "AssigneeUnsuitable",
    "Attached",
    "CannotRescind",
    "CaseActed",
    "CaseAlreadyOpen",
    "CaseFollowed",
    "CaseMoved",
    "CaseNews",
    "CaseOpened",
    "CaseTaken",
    "CaseTold",
    "DeadlineSet",
    "DeadlinesReckoned",
    "DeadlinesWarned",
    "Decided",
    "Effect",
    "EvidenceMissing",
    "Guard",
    "GuardUnproven",
    "NotCaseMember",
    "NotYourDecision",
    "NoticeRuns",
    "ObjectionsOpen",
    "OpinionMissing",
    "OpinionTooLong",
    "OutcomeNotOpen",
    "PartyAlreadyNamed",
    "PartyNamed",
    "PartyUnsuitable",
    "RemarkAnswered",
    "Remarked",
    "SamePerson",
    "UrgedToday",
    "ValueMissing",
    "ValueWrong",
    "assign_case",
    "attach",
    "decide",
    "end_notices",
    "follow_case",
    "install_effects",
    "install_guards",
    "installed_effects",
    "installed_guards",
    "name_party",
    "open_case",
    "reckon_deadlines",
    "remark",
    "set_deadline",
    "tell_of_act",
    "tell_of_decision",
    "tell_of_opening",
    "urge_case",
    "warn_of_deadlines",
]
